import { setImmediate } from 'node:timers/promises'
import type { ExecSession } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { Services } from '../services.ts'
import { isLate, unlessCaught, type BegunKind, type Entry } from './begun-entry.ts'
import { HeardPromise } from './heard-promise.ts'
import { createHeldSessions } from './held-sessions.ts'
import type { Scope } from './scope.ts'
import { within } from './within.ts'

/** For what was told to end: longer than it takes to kill a command, and less than a handler may take that was told to stop. */
const graceMs = 8000
/** Time for a clean-up; undos that were armed before it wait for it. */
export const cleanUpMs = 60_000

/**
 * What one call of a handler has begun: artifacts, commands, undos that are being armed. The call is not over before they
 * are, whether or not it waits for them, and begins none afterwards.
 */
export interface BegunWork {
  /** Stops it, with the call or before it. */
  readonly signal: AbortSignal
  /** Stops what may go on beside the call: when all that it took has been given back. */
  readonly lasting: AbortSignal
  /**
   * Stops what is begun now that the handler has returned or failed: by a clean-up, or in a `finally` of what it ran beside
   * something that failed. `undefined` as long as it runs. A deadline of the handler is none of its clean-ups.
   */
  readonly late: AbortSignal | undefined
  /** Begins something. Who doesn't wait for it hears of its failure all the same, by {@link BegunWork.finish}. */
  begin<T>(work: BegunKind, make: () => Promise<T>): Promise<T>
  /** A session was opened: it may go on until what the handler took is given back. */
  hold(name: string, session: ExecSession): ExecSession
  /**
   * The handler has returned: waits for what it did not wait for.
   *
   * @throws HoldfastError `UNDO_NOT_AWAITED`, or what the first of them failed with
   */
  finish(): Promise<void>
  /** The handler has failed: stops what is on its way, and waits until it is, for a while. Never rejects. */
  stop(): Promise<void>
}

/** Options of {@link createBegunWork}. */
export interface CreateBegunWorkOptions {
  /** Of the call. */
  readonly signal: AbortSignal
  /** What the call takes, and gives back. */
  readonly scope: Scope
  /** Is told what is odd, but no failure. */
  warn(failure: unknown): void
}

/** None has been begun yet. */
export function createBegunWork(
  { clock, log, shutdown }: Pick<Services, 'clock' | 'log' | 'shutdown'>,
  { signal, scope, warn }: CreateBegunWorkOptions,
): BegunWork {
  const own = new AbortController()
  const last = new AbortController()
  const stopped = new AbortController()
  /** What is on its way, or was never waited for. */
  const begun = new Set<Entry>()
  const sessions = createHeldSessions()
  const end = (): void => own.abort(errors.HOOK_OVER({}))
  const missed = (): readonly Entry[] => [...begun].filter(({ given }) => !given.isHeard)
  const pending = (): readonly Entry[] => [...begun].filter(({ state }) => state === 'pending')
  const lasting = AbortSignal.any([signal, last.signal])
  const forAWhile = async (promises: readonly PromiseLike<unknown>[]): Promise<void> => {
    if (promises.length > 0) await within(clock, graceMs, () => Promise.allSettled(promises))
  }
  /** Until nothing of it is on its way; who waits for one may begin the next. */
  const untilQuiet = async (ms: number, of: (entry: Entry) => boolean): Promise<void> => {
    if (!pending().some(of)) return
    await within(clock, ms, async (enough) => {
      for (let left = pending().filter(of); left.length > 0 && !enough.aborted; left = pending().filter(of)) {
        await Promise.allSettled(left.map(({ made }) => made))
        await setImmediate()
      }
    })
  }

  scope.last(async () => {
    const beside = [...begun].filter(({ until }) => until)
    for (const { name, state, until, error, given } of beside) {
      if (until?.aborted) continue
      if (state === 'pending') warn(errors.EXEC_LEFT_RUNNING({ command: name }))
      else if (state === 'failed' && !given.isHeard) warn(error)
    }
    for (const command of sessions.forgotten()) warn(errors.EXEC_LEFT_RUNNING({ command }))
    await forAWhile(sessions.end())
    // What clean-ups began and did not wait for.
    await untilQuiet(cleanUpMs, isLate)
    last.abort(errors.HOOK_OVER({}))
    await forAWhile(beside.map(({ made }) => made))
  })

  return {
    signal: AbortSignal.any([signal, own.signal]),
    lasting,
    get late() {
      if (scope.closed) return AbortSignal.any([last.signal, shutdown.expired])
      return own.signal.aborted ? AbortSignal.any([lasting, stopped.signal]) : undefined
    },
    begin(work, make) {
      const made = make()
      const given = HeardPromise.of(made)
      const entry: Entry = { ...work, made, given, isLate: own.signal.aborted || scope.closed, state: 'pending' }
      begun.add(entry)
      made.then(
        () => (entry.state = 'done'),
        (error: unknown) => {
          entry.state = 'failed'
          entry.error = error
        },
      )
      // A handler may run thousands of commands; whoever waits has the result.
      const forget = (): void => void (given.isHeard && begun.delete(entry))
      made.then(forget, forget)
      return given
    },
    hold: (name, session) => sessions.hold(name, session),
    async finish() {
      const undo = [...begun].find(
        ({ kind, state, given }) => kind === 'undo' && (state === 'pending' || !given.isHeard),
      )
      if (undo) throw errors.UNDO_NOT_AWAITED({ undo: undo.name }, { cause: undo.error })
      const late = new Set<Entry>()
      for (;;) {
        const failed = missed().find(({ state, until }) => state === 'failed' && !until?.aborted)
        if (failed) throw failed.error
        const left = pending().filter(({ until }) => until === undefined)
        if (left.length === 0) break
        const commands = left.filter((each) => each.kind === 'command' && !late.has(each))
        for (const each of commands) late.add(each)
        const names = commands.map(({ name }) => `"${name}"`).join(', ')
        if (commands.length > 0) log.warn(`the hook has returned while ${names} still runs; it is over when that ends`)
        await Promise.all(left.map(unlessCaught))
        // Who waits for it may begin more.
        await setImmediate()
      }
      for (const each of missed()) if (each.kind === 'command' && each.until === undefined) late.add(each)
      // Once for each program: a loop may have begun thousands.
      for (const command of new Set([...late].map(({ name }) => name))) warn(errors.EXEC_NOT_AWAITED({ command }))
      // What was told to end does so.
      await Promise.allSettled(pending().flatMap(({ until, made }) => (until?.aborted ? [made] : [])))
      end()
    },
    async stop() {
      end()
      // What goes on beside what failed learns of its own end first: it may give something back, or take something still.
      await setImmediate()
      await untilQuiet(graceMs, ({ until }) => until === undefined)
      await untilQuiet(cleanUpMs, isLate)
      // What takes something must not do so after it was given back.
      stopped.abort(errors.HOOK_OVER({}))
      await forAWhile(
        pending()
          .filter(isLate)
          .map(({ made }) => made),
      )
    },
  }
}

/** Calls a handler, and waits for what it has begun. */
export async function settled<T>(begun: BegunWork, call: () => T | PromiseLike<T>): Promise<T> {
  try {
    const value = await call()
    await begun.finish()
    return value
  } catch (thrown) {
    await begun.stop()
    throw thrown
  }
}
