import type { Participant, RunRequest, RunResult } from '@holdfast/runtime'
import {
  HoldfastError,
  type CheckContext,
  type HookHandler,
  type HookName,
  type Json,
  type PluginFactory,
  type RestorePoint,
  type UndoContext,
  type UndoDefinition,
} from '@holdfast/sdk'
import { createTestRun, type TestRun } from '../create-test-run.ts'
import { labelOf, watched, type PluginCall, type Seam } from './calls.ts'
import { isRead, type PluginCase, type PluginWorld } from './plugin-case.ts'

/** What is done with the calls of a plugin while it runs. */
export interface Rehearsal {
  /** Before a hook's own code: its name. */
  enters?: ((hook: string) => void) | undefined
  /** Before each call. */
  sees?: ((call: PluginCall) => void) | undefined
  /** Which call hangs, until its signal aborts. */
  hangs?: ((call: PluginCall) => boolean) | undefined
  /** Which call fails, before it has done anything. */
  fails?: ((call: PluginCall) => boolean) | undefined
  /** Which call does its work, and fails all the same: a connection that ends before the answer. */
  loses?: ((call: PluginCall) => boolean) | undefined
}

/** A plugin in the world of a case, on the real runner. */
export interface Stage extends AsyncDisposable {
  readonly world: PluginWorld<unknown>
  readonly test: TestRun
  readonly participant: Participant
  /** Everything that it asked of its context. */
  readonly calls: readonly PluginCall[]
  /** Secrets that it opened. */
  readonly opened: ReadonlySet<string>
  /** What went wrong when undos ran a second time. */
  readonly undoFaults: readonly string[]
  /** Effects that began before the undo that takes them back was armed. */
  readonly hasty: readonly string[]
  /** What the case says of its world, to be compared. */
  state(): string
  /** For what comes next. */
  rehearse(rehearsal: Rehearsal): void
  /** Runs the plan, a second later each time. */
  run(request?: RunRequest): Promise<RunResult>
  /** Lets a little time pass: hardly any, unless the plugin sleeps. */
  tick(): Promise<void>
  /** Lets time pass until it settles. */
  settle<T>(promise: Promise<T>): Promise<T>
  /** Restores the newest point of each target, where the case says how. */
  restore(outcome: RunResult['outcome']): Promise<void>
}

// Taken before a test can replace it by a fake one.
const { setTimeout } = globalThis

/** Sets a plugin on the stage. */
export async function setStage<Options>(
  factory: PluginFactory<Options>,
  { setUp }: PluginCase<Options>,
): Promise<Stage> {
  const world: PluginWorld<Options> = await setUp()
  const { options, exec, cluster, env, plan, now } = world
  const test = await createTestRun({
    use: [factory(options)],
    plan,
    exec,
    cluster,
    env,
    now,
    config: { undoMirror: 'off' },
  })
  const calls: PluginCall[] = []
  const opened = new Set<string>()
  const undoFaults: string[] = []
  const hasty: string[] = []
  const state = (): string => plain(world.state?.())
  let rehearsal: Rehearsal = {}
  const sleeps = new Set<{ readonly ms: number }>()
  const seam: Seam = {
    opened: (value) => opened.add(value),
    sleeps(ms) {
      const sleep = { ms }
      sleeps.add(sleep)
      return () => sleeps.delete(sleep)
    },
    async before(call, signal) {
      calls.push(call)
      if (call.arming !== undefined && changes(world, call)) {
        hasty.push(
          `${labelOf(call)} begins before the undo "${call.arming}" is armed: await undo.arm, or a crash in between leaves what nobody gives back`,
        )
      }
      rehearsal.sees?.(call)
      if (rehearsal.fails?.(call)) throw failureOf(call)
      if (rehearsal.hangs?.(call)) await untilAborted(signal)
    },
    after(call) {
      if (rehearsal.loses?.(call)) throw lostAfter(call)
    },
  }
  const twice = async (definition: UndoDefinition<Json>, input: Json, ctx: UndoContext): Promise<void> => {
    await definition.run(input, ctx)
    const before = state()
    try {
      await definition.run(input, extended(ctx, { attempt: 2, recovered: true }))
    } catch (error) {
      undoFaults.push(`the undo "${definition.name}" fails when it runs again: ${String(error)}`)
    }
    const after = state()
    if (before !== after) {
      undoFaults.push(`the undo "${definition.name}" changes something when it runs again: ${before} became ${after}`)
    }
  }
  const config = test.engine.config()
  const [resolved] = config.plans
  const [found] = resolved?.participants ?? []
  if (!resolved || !found) throw new TypeError('the plan has no plugin')
  const participant = watchedParticipant(found, {
    seam,
    enters: (hook) => rehearsal.enters?.(hook),
    undo: twice,
  })
  test.engine.reconfigure({ ...config, plans: [{ ...resolved, participants: [participant] }] })

  const stage: Stage = {
    world,
    test,
    participant,
    calls,
    opened,
    undoFaults,
    hasty,
    state,
    rehearse: (next) => void (rehearsal = next),
    async run(request) {
      await test.clock.advance('1s')
      return stage.settle(test.run(request))
    },
    async tick() {
      const longest = Math.max(0, ...[...sleeps].map(({ ms }) => ms))
      await test.clock.advance(Math.max(20, longest / 10))
    },
    async settle(promise) {
      let settled = false
      const end = promise.finally(() => (settled = true))
      end.catch(() => {})
      while (!settled) {
        await new Promise((resolve) => setTimeout(resolve, 2))
        if (!settled) await stage.tick()
      }
      return end
    },
    async restore({ targets }) {
      if (!world.restore) return
      const newest = targets.flatMap(({ points }): readonly RestorePoint[] => points.slice(-1))
      for (const point of newest) await stage.settle(test.restore(point, world.restore))
    },
    async [Symbol.asyncDispose]() {
      await test.close()
      await world.close?.()
    },
  }
  return stage
}

/** Runs once as it should, or says why not. */
export async function runWell(stage: Stage, when = 'a run in the world of this case'): Promise<RunResult> {
  const result = await stage.run()
  const { status, targets, error } = result.outcome
  if (status === 'succeeded') return result
  const why = [error, ...targets.map((target) => target.error)].flatMap((each) =>
    each ? [`${each.code}: ${each.message}${each.hint === undefined ? '' : ` (${each.hint})`}`] : [],
  )
  // The first error of a target is mostly the run's, too.
  throw new Error(`${when} is ${status}, not succeeded: ${[...new Set(why)].join('; ') || 'nobody said why'}`)
}

/** Makes each call of a run fail or hang in its turn, those that differ only in their details once. */
export async function eachCall(
  included: (call: PluginCall) => boolean,
  turn: (select: (call: PluginCall) => boolean, reached: () => PluginCall | undefined) => Promise<void>,
): Promise<void> {
  const done = new Set<string>()
  for (;;) {
    let reached: PluginCall | undefined
    const select = (call: PluginCall): boolean => {
      if (reached || !included(call) || done.has(labelOf(call))) return false
      reached = call
      done.add(labelOf(call))
      return true
    }
    await turn(select, () => reached)
    if (!reached) return
  }
}

interface Watch {
  readonly seam: Seam
  enters(hook: string): void
  undo(definition: UndoDefinition<Json>, input: Json, ctx: UndoContext): Promise<void>
}

function watchedParticipant(participant: Participant, { seam, enters, undo }: Watch): Participant {
  const { hooks, targets, describe, undos, restore } = participant
  const watchedHooks = Object.fromEntries(
    Object.entries(hooks).map(([name, hook]) => {
      const handler = (ctx: CheckContext<unknown>): unknown => {
        enters(name)
        return (hook.handler as HookHandler<'validate', unknown>)(watched(ctx, name, seam))
      }
      return [name, { ...hook, handler }]
    }),
  ) as { readonly [Name in HookName]?: never }
  return {
    ...participant,
    hooks: watchedHooks,
    targets: targets && ((ctx) => targets(watched(ctx, 'targets', seam))),
    describe: describe && ((ctx) => describe(watched(ctx, 'describe', seam))),
    undos: new Map(
      [...undos].map(([name, definition]) => [
        name,
        { ...definition, run: (input: Json, ctx: UndoContext) => undo(definition, input, watched(ctx, 'undo', seam)) },
      ]),
    ),
    restore: restore && {
      ...restore,
      run: (ctx) => {
        enters('restore')
        return restore.run(watched(ctx, 'restore', seam))
      },
    },
  }
}

/** The same object with other members; getters stay, which a spread would call. */
function extended<Ctx extends object>(ctx: Ctx, members: Partial<Ctx>): Ctx {
  const all = { ...Object.getOwnPropertyDescriptors(ctx), ...Object.getOwnPropertyDescriptors(members) }
  return Object.defineProperties({}, all) as Ctx
}

function failureOf(call: PluginCall): HoldfastError {
  const code = { exec: 'EXEC_FAILED', api: 'KUBERNETES_UNAVAILABLE', artifact: 'STORAGE_IO', arm: 'UNDO_NOT_ARMED' }
  return new HoldfastError({
    code: code[call.kind as keyof typeof code] ?? 'CONFORMANCE',
    message: `${labelOf(call)} failed, as this check wants it`,
    details: call.kind === 'exec' ? { exitCode: 1, command: call.what, stderrTail: '' } : {},
    hint: 'This is a fake.',
  })
}

function lostAfter(call: PluginCall): HoldfastError {
  return new HoldfastError({
    code: call.kind === 'exec' ? 'EXEC_LOST' : 'KUBERNETES_UNAVAILABLE',
    message: `the answer to ${labelOf(call)} was lost, as this check wants it`,
    details: call.kind === 'exec' ? { command: call.what, stderrTail: '' } : {},
    hint: 'This is a fake.',
  })
}

/** Whether it may have changed something when its answer is lost. */
export function mayChange({ world }: Stage, call: PluginCall): boolean {
  return changes(world, call)
}

function changes(world: PluginWorld<unknown>, { kind, what, command }: PluginCall): boolean {
  return kind === 'exec' ? !isRead(world, command ?? []) : kind === 'api' && /^(create|delete) (?!events$)/.test(what)
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal?.reason as Error)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}

function plain(state: unknown): string {
  return JSON.stringify(state) ?? 'nothing'
}
