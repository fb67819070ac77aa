// Builds what hooks see. A plugin never imports the runtime: everything it needs comes in here.
import type {
  CheckContext,
  FinishContext,
  Json,
  Outcome,
  PruneContext,
  RestorePoint,
  RunContext,
  ServiceContext,
  Target,
  TargetContext,
  VerifyContext,
} from '@holdfast/sdk'
import { reasonOf } from '../failure.ts'
import { quietly } from '../journal/quietly.ts'
import type { BegunKind } from './begun-entry.ts'
import { cleanUpMs } from './begun-work.ts'
import { callWithDeadline } from './call.ts'
import { assertFreezable } from './freezable.ts'
import type { TargetState } from './outcome.ts'
import { extend, serviceContext, type CallSite, type RunCallSite } from './service-context.ts'
import { armUndo } from './arm-undo.ts'

/** Ends a target as skipped: thrown by `ctx.skip`, caught by the runner. */
export class TargetSkipped extends Error {
  override readonly name = 'TargetSkipped'
}

/** Context of `validate`, of target discovery and of `describe`. */
export function checkContext(site: CallSite, phase: CheckContext<unknown>['phase']): CheckContext<unknown> {
  const log = site.services.log.child({ plan: site.plan.name, plugin: site.participant.id, hook: site.hook })
  return extend(serviceContext(site, log), { plan: site.plan.name, phase })
}

/** Context of the hooks that run once per run. */
export function runContext(site: RunCallSite): RunContext<unknown> {
  const { services, run, vars, target, scope } = site
  const log = services.log.child({
    plan: run.plan,
    run: run.id,
    plugin: site.participant.id,
    hook: site.hook,
    ...(target && { target: target.id }),
  })
  return extend(serviceContext(site, log), {
    run,
    vars,
    undo: {
      arm: (undo, input) => begin(site, { kind: 'undo', name: undo.name }, () => armUndo(site, undo.name, input)),
    },
    progress: (done, total, note) => services.emit({ type: 'progress', run, target: target?.id, done, total, note }),
    assertFreezable: (path) => assertFreezable(services, path),
    defer: (label, cleanup) =>
      scope.add(async () => {
        try {
          await callWithDeadline(cleanup, {
            clock: services.clock,
            where: `clean-up "${label}"`,
            timeoutMs: cleanUpMs,
            parents: [services.shutdown.expired],
            hurried: services.shutdown.expired,
          })
        } catch (error) {
          log.warn(`clean-up "${label}" failed: ${reasonOf(error)}`, { error })
        }
      }),
  } satisfies Omit<RunContext<unknown>, keyof ServiceContext<unknown>>)
}

/** Context of `backups`. */
export function targetContext(site: RunCallSite, state: TargetState): TargetContext<unknown> {
  const { services, run, plan } = site
  const { target } = state
  const { signal } = site.begun ?? site
  return extend(runContext({ ...site, target }), {
    target,
    createArtifact: (name, produce, options) =>
      begin(site, { kind: 'artifact', name }, async () => {
        const began = services.clock.monotonic()
        const earlier = state.leftBehind.findIndex(({ ref }) => (ref as { name?: Json } | null)?.name === name)
        if (earlier !== -1) {
          const [failed] = state.leftBehind.splice(earlier, 1)
          await services.store().remove((failed as RestorePoint).id, { signal })
        }
        const artifact = await services.store().create(
          {
            plan: plan.name,
            target: target.id,
            run: run.id,
            name,
            startedAt: site.startedAt,
            attempt: run.attempt,
            meta: options?.meta,
            minSize: options?.minSize,
            encoding: plan.encoding,
            signal,
          },
          produce,
        )
        const point: RestorePoint = {
          id: artifact.id,
          target: target.id,
          createdAt: artifact.createdAt,
          size: artifact.size,
          mode: 'full',
          state: artifact.state,
          ref: { artifact: artifact.id, name, sha256: artifact.sha256 },
        }
        state.points.push(point)
        services.emit({
          type: 'artifact-committed',
          run,
          target: target.id,
          point,
          storedSize: artifact.storedSize,
          durationMs: services.clock.monotonic() - began,
        })
        return artifact
      }),
    async record(given) {
      const point: RestorePoint = { ...given, target: target.id, state: 'valid' }
      state.points.push(point)
      quietly(services, () => services.journal.recordPoint(plan.name, run.id, site.participant.id, point))
    },
    recorded: () => quietly(services, () => services.journal.externalPoints(plan.name, target.id)) ?? [],
    skip(reason): never {
      throw new TargetSkipped(reason)
    },
  } satisfies Omit<TargetContext<unknown>, keyof RunContext<unknown>>)
}

/** Context of `verifyBackups`. */
export function verifyContext(site: RunCallSite, state: TargetState): VerifyContext<unknown> {
  return extend(targetContext(site, state), {
    points: [...state.points],
    openArtifact: (id: string) => site.services.store().open(id, { signal: site.signal }),
  })
}

/** Context of `pruneBackups`. */
export function pruneContext(
  site: RunCallSite,
  target: Target,
  points: readonly RestorePoint[],
  expired: readonly RestorePoint[],
): PruneContext<unknown> {
  return extend(runContext({ ...site, target }), { target, points, expired })
}

/** Context of `onError` and `onFinish`. */
export function finishContext(site: RunCallSite, outcome: Outcome): FinishContext<unknown> {
  return extend(runContext(site), { outcome })
}

function begin<T>({ begun }: RunCallSite, work: BegunKind, make: () => Promise<T>): Promise<T> {
  return begun ? begun.begin(work, make) : make()
}
