import type { HookHandler, HookName, Outcome, PruneContext, RestorePoint } from '@holdfast/sdk'

import { withPointsOf } from '../drill/held-points.ts'
import { quietly } from '../journal/quietly.ts'
import type { Participant, ResolvedHook } from '../load/resolved.ts'
import { artifactOf, confirmArtifacts, findExpired, removeExpired, verifyArtifacts } from './builtins.ts'
import { settled } from './begun-work.ts'
import {
  checkContext,
  finishContext,
  pruneContext,
  runContext,
  targetContext,
  TargetSkipped,
  verifyContext,
} from './contexts.ts'
import { ownParticipant as engine } from './own.ts'
import type { RunCallSite } from './service-context.ts'
import type { TargetState } from './outcome.ts'
import type { RunExecution } from './run.ts'

/** One handler that is due. */
export interface HandlerCall {
  readonly hook: HookName
  readonly participant: Participant
  readonly resolved: Pick<ResolvedHook, 'timeoutMs' | 'retry'>
  readonly target: TargetState | undefined
  /** What it takes is given back at the end of the backups, not of the handler. */
  readonly keepsOpen: boolean
  invoke(site: RunCallSite): unknown
  readonly onSuccess?: (() => void) | undefined
}

const once = { timeoutMs: undefined, retry: { attempts: 1, backoffMs: 0 } }
const ranks = { pre: 0, normal: 1, post: 2 }

/** The handlers of a hook, in the order in which they run; for a hook of kind `targets`, those that concern this target. */
export function handlersFor(
  execution: RunExecution,
  hook: HookName,
  target?: TargetState,
  outcome?: Outcome,
): readonly HandlerCall[] {
  const { plan, run } = execution
  const own = plan.participants
    .filter((participant) => participant.hooks[hook] && (!target || isConcerned(participant, hook, target)))
    .toSorted((a, b) => rank(a, hook) - rank(b, hook))
  const builtIn = target ? builtIns[hook]?.(execution, target, own.length === 0) : undefined
  // Of what is done per target, a dry run prints the engine's part and calls nobody.
  if (run.dryRun && target) return builtIn ? [builtIn] : []
  const calls = own.map((participant): HandlerCall => {
    const resolved = participant.hooks[hook] as ResolvedHook
    const handler = resolved.handler as (ctx: unknown) => unknown
    const isLast = participant === own.at(-1)
    return {
      hook,
      participant,
      resolved,
      target,
      keepsOpen: heldUntilBackupsSettle.has(hook),
      async invoke(site) {
        const call = async (): Promise<void> => {
          const context = await contextOf(execution, hook, site, target, outcome)
          try {
            await (site.begun ? settled(site.begun, () => handler(context)) : handler(context))
          } catch (thrown) {
            // Who has nothing to say has nothing against it.
            if (thrown instanceof TargetSkipped && isLast && target) await atTheEnd[hook]?.(site, target)
            throw thrown
          }
          if (target) afterwards[hook]?.(site, target, context)
          if (target && isLast) await atTheEnd[hook]?.(site, target)
        }
        await (alone[hook]?.(site, call) ?? call())
      },
      onSuccess: target && onSuccess[hook]?.(execution, participant, target),
    }
  })
  return builtIn ? [builtIn, ...calls] : calls
}

/** A plugin's per-target hooks get its own targets; a hook module's get every target, after the plugin's own. */
function isConcerned(participant: Participant, hook: HookName, target: TargetState): boolean {
  return participant === target.owner || (participant.kind === 'hook' && hook !== 'backups')
}

function rank(participant: Participant, hook: HookName): number {
  return ranks[participant.hooks[hook]?.order ?? 'normal']
}

/** What is armed here is given back as soon as the last backup settles, not when the handler does. */
const heldUntilBackupsSettle: ReadonlySet<HookName> = new Set(['beforeBackups'])

/** What nobody else may do at the same time. */
const alone: {
  readonly [Name in HookName]?: (site: RunCallSite, body: () => Promise<void>) => Promise<void>
} = {
  // What is let go must not be what a drill is just choosing.
  pruneBackups: ({ services, run, signal }, body) =>
    withPointsOf(services, run.plan, { owner: `run ${run.id}, which prunes`, signal }, body),
}

const onSuccess: {
  readonly [Name in HookName]?: (execution: RunExecution, participant: Participant, target: TargetState) => () => void
} = {
  verifyBackups: (execution, participant, target) => () => {
    if (!countsAsProof(participant, target)) return
    prove(target)
    if (participant === target.owner) markVerified(execution, target)
  },
}

/** What is done when the last handler of a target is through, and none has failed. */
const atTheEnd: {
  readonly [Name in HookName]?: (site: RunCallSite, target: TargetState) => Promise<void>
} = {
  verifyBackups: ({ services, signal }, target) => confirmArtifacts(services, target, signal),
}

/** What becomes of the journal's memory of points outside the store, once a handler is through. */
const afterwards: {
  readonly [Name in HookName]?: (site: RunCallSite, target: TargetState, context: unknown) => void
} = {
  pruneBackups({ services, participant, run }, { owner, target }, context) {
    if (participant !== owner) return
    for (const point of (context as PruneContext<unknown>).expired) {
      if (artifactOf(point) !== undefined) continue
      quietly(services, () => services.journal.removePoint(run.plan, target.id, point.id))
    }
  },
}

/** Retention lets nothing go that is newer than what is known to be readable. */
function markVerified({ services, plan, run }: RunExecution, target: TargetState): void {
  target.points = target.points.map((point) => {
    if (artifactOf(point) !== undefined) return point
    const verified = { ...point, verifiedAt: services.clock.now() }
    quietly(services, () => services.journal.recordPoint(plan.name, run.id, target.owner.id, verified))
    return verified
  })
}

/** A point outside the store is proven by its own plugin only. */
function countsAsProof(participant: Participant, target: TargetState): boolean {
  const hasExternal = target.points.some((point) => artifactOf(point) === undefined)
  return !hasExternal || participant === target.owner
}

function prove(target: TargetState): void {
  if (target.verification !== 'unverified') target.verification = 'verified'
}

const builtIns: {
  readonly [Name in HookName]?: (
    execution: RunExecution,
    target: TargetState,
    isAlone: boolean,
  ) => HandlerCall | undefined
} = {
  verifyBackups: ({ services, plan }, target, isAlone) => {
    if (!target.points.some((point) => artifactOf(point) !== undefined)) return undefined
    return {
      hook: 'verifyBackups',
      participant: engine,
      // As long as its run may take: how large a backup is, nobody knows. A store of which nothing comes is given up before.
      resolved: { ...once, timeoutMs: plan.budgetMs },
      target,
      keepsOpen: false,
      async invoke({ signal }) {
        await verifyArtifacts(services, target, signal)
        if (isAlone) await confirmArtifacts(services, target, signal)
      },
      onSuccess: () => prove(target),
    }
  },
  pruneBackups: ({ services, plan, run }, target) =>
    plan.retention && {
      hook: 'pruneBackups',
      participant: engine,
      resolved: once,
      target,
      keepsOpen: false,
      async invoke(site) {
        const prune = async (): Promise<void> => {
          const { expired, kept } = await findExpired(services, plan, target.target, externalPoints(site, target))
          // The plan is printed before anything is removed.
          services.emit({ type: 'pruned', run, target: target.target.id, points: expired, kept, dryRun: run.dryRun })
          if (!run.dryRun) await removeExpired(services, expired, site.signal)
        }
        await (run.dryRun ? prune() : alone.pruneBackups?.(site, prune))
      },
    },
}

/** What plugins have listed, by the target of a run: nothing changes there between the engine's part and the plugin's. */
const listed = new WeakMap<TargetState, Promise<readonly RestorePoint[]>>()

/**
 * The target's points outside the store: as its plugin lists them, where retention lets some go; else as the journal
 * remembers them, for listing may be slow.
 */
async function* externalPoints(site: RunCallSite, target: TargetState): AsyncGenerator<RestorePoint> {
  const { restore } = target.owner
  if (!restore?.points || !site.plan.retention) {
    yield* site.services.journal.externalPoints(site.plan.name, target.target.id)
    return
  }
  const known =
    listed.get(target) ??
    list(
      restore.points(runContext({ ...site, participant: target.owner }), {
        target: target.target.id,
        forRetention: true,
      }),
    )
  listed.set(target, known)
  known.catch(() => listed.delete(target))
  yield* await known
}

async function list(points: AsyncIterable<RestorePoint>): Promise<readonly RestorePoint[]> {
  const found: RestorePoint[] = []
  for await (const point of points) found.push(point)
  return found
}

async function contextOf(
  execution: RunExecution,
  hook: HookName,
  site: RunCallSite,
  target: TargetState | undefined,
  outcome: Outcome | undefined,
): Promise<Parameters<HookHandler<HookName, unknown>>[0]> {
  const contexts = {
    installDependencies: () => runContext(site),
    validate: () => checkContext(site, 'run'),
    beforeBackups: () => runContext(site),
    backups: () => targetContext(site, target as TargetState),
    afterBackups: () => runContext(site),
    verifyBackups: () => verifyContext(site, target as TargetState),
    async pruneBackups() {
      const state = target as TargetState
      const { points, expired } = await findExpired(
        execution.services,
        execution.plan,
        state.target,
        externalPoints(site, state),
      )
      return pruneContext(site, state.target, points, expired)
    },
    maintain: () => runContext(site),
    onError: () => finishContext(site, outcome as Outcome),
    onFinish: () => finishContext(site, outcome as Outcome),
  } satisfies { readonly [Name in HookName]: () => unknown }
  return contexts[hook]()
}
