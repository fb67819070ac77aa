import type { Engine } from '@holdfast/runtime'
import type { CommandContext } from './context.ts'
import type { Signal } from './io.ts'

/** Listens until it is closed. */
export interface StopSignals {
  /** The first signal that told the command to stop. */
  received(): Signal | undefined
  close(): void
}

/**
 * Makes signals end a command in order: what runs is aborted, and everything is given back. A second signal hurries,
 * but skips no undo.
 *
 * @param ignore - signals that mean something else to the command
 */
export function stopOnSignals(
  { io, settings, log }: Pick<CommandContext, 'io' | 'settings' | 'log'>,
  engine: Pick<Engine, 'shutdown'>,
  ignore: readonly Signal[] = [],
): StopSignals {
  let first: Signal | undefined
  const close = io.onSignal((signal) => {
    if (ignore.includes(signal)) return
    log.warn(
      first === undefined
        ? `${signal}: stopping; what was taken is given back first`
        : `${signal} again: hooks get no more time, undos still do`,
    )
    first ??= signal
    void engine.shutdown(settings.shutdownGraceMs)
  })
  return { received: () => first, close }
}
