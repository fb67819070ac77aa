import { reasonOf, type Engine, type RuntimeLogger } from '@holdfast/runtime'
import type { Io, Signal } from '../io.ts'

/** What a {@link Stopping} needs. */
export interface StoppingOptions {
  readonly io: Io
  readonly engine: Pick<Engine, 'shutdown'>
  readonly log: RuntimeLogger
  readonly graceMs: number
  /** SIGHUP. */
  reload(): void
  /** Nothing new may begin. */
  begin(): void
}

/** How a daemon is told to stop. */
export interface Stopping {
  /** Whether it has been told. */
  requested(): boolean
  /** The first signal that said so. */
  signal(): Signal | undefined
  /** It ends because of an exception that nobody handled. */
  faulted(): boolean
  /** Resolves when it is told to stop. */
  readonly told: Promise<void>
  /** Resolves when what ran has ended. */
  settled(): Promise<void>
  close(): void
}

/** Listens for what ends a daemon: signals, and exceptions out of nowhere. */
export function listenForStop({ io, engine, log, graceMs, reload, begin }: StoppingOptions): Stopping {
  const told = Promise.withResolvers<void>()
  let first: Signal | undefined
  let faulted = false
  let settled: Promise<void> | undefined

  const stop = (): void => {
    begin()
    // The first time it aborts what runs; after that it hurries.
    const ended = engine.shutdown(graceMs)
    settled ??= ended
    told.resolve()
  }
  const closeSignals = io.onSignal((signal) => {
    if (signal === 'SIGHUP') {
      log.info('SIGHUP: reading the configuration again')
      return reload()
    }
    const again = `${signal} again: hooks get no more time, undos still do`
    log.info(settled === undefined ? `${signal}: stopping` : again)
    first ??= signal
    stop()
  })
  const closeFaults = io.onFault(({ kind, error }) => {
    const what = kind === 'rejection' ? 'a promise was rejected and nobody looked' : 'an error came out of nowhere'
    log.error(`${what}: ${reasonOf(error)}. Probably in a hook or plugin`, { error })
    if (kind === 'rejection') return
    // Nobody knows what is broken now: give back what was taken, and let a new process begin.
    faulted = true
    stop()
  })

  return {
    requested: () => settled !== undefined,
    signal: () => first,
    faulted: () => faulted,
    told: told.promise,
    settled: async () => settled,
    close() {
      closeSignals()
      closeFaults()
    },
  }
}
