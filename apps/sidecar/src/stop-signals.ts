import { reasonOf, type Engine } from '@holdfast/runtime'
import type { CommandContext } from './context.ts'
import type { Signal } from './io.ts'

/** Listens until it is closed. */
export interface StopSignals {
  /** The first signal that told the command to stop. */
  received(): Signal | undefined
  /** Whether it ends because of an error that nobody handled: it has failed then, whatever else became of it. */
  faulted(): boolean
  close(): void
}

/**
 * Makes signals end a command in order: what runs is aborted, and everything is given back. A second signal hurries,
 * but skips no undo. So does an error that nobody handled: it must not leave behind what was taken.
 *
 * @param ignore - signals that mean something else to the command
 */
export function stopOnSignals(
  { io, settings, log }: Pick<CommandContext, 'io' | 'settings' | 'log'>,
  engine: Pick<Engine, 'shutdown'>,
  ignore: readonly Signal[] = [],
): StopSignals {
  let first: Signal | undefined
  let faulted = false
  const closeSignals = io.onSignal((signal) => {
    if (ignore.includes(signal)) return
    log.warn(
      first === undefined
        ? `${signal}: stopping; what was taken is given back first`
        : `${signal} again: hooks get no more time, undos still do`,
    )
    first ??= signal
    void engine.shutdown(settings.shutdownGraceMs)
  })
  const closeFaults = io.onFault(({ kind, error }) => {
    const what = kind === 'rejection' ? 'a promise was rejected and nobody looked' : 'an error came out of nowhere'
    log.error(
      `${what}: ${reasonOf(error)}. Probably in a hook or plugin. Stopping; what was taken is given back first`,
      { error },
    )
    if (!faulted) void engine.shutdown(settings.shutdownGraceMs)
    faulted = true
  })
  return {
    received: () => first,
    faulted: () => faulted,
    close() {
      closeSignals()
      closeFaults()
    },
  }
}
