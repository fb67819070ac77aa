import { formatDuration } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import { linkSignals } from './signals.ts'

/** How long a handler that was told to stop may take; longer than it takes to kill a command. */
export const abandonGraceMs = 10_000

/** Options of {@link callWithDeadline}. */
export interface CallOptions {
  readonly clock: RuntimeClock
  /** For messages: `backups of "scripts"`. */
  readonly where: string
  readonly timeoutMs: number
  readonly parents: readonly AbortSignal[]
  /** Aborts when there is no more grace. */
  readonly hurried: AbortSignal
}

/**
 * Calls a handler with a signal that aborts at its deadline and with its parents, and always settles: a handler that
 * ignores its signal is left behind after a grace time.
 *
 * @throws HoldfastError `HOOK_TIMEOUT`, `HOOK_ABANDONED`; the parent's reason; or what the handler threw. A handler
 * that was told to stop has failed, whatever it returns: what it did may be half done.
 */
export async function callWithDeadline(handler: (signal: AbortSignal) => unknown, options: CallOptions): Promise<void> {
  const { clock, where, timeoutMs, parents } = options
  const link = linkSignals(parents, {
    clock,
    ms: timeoutMs,
    reason: () => errors.HOOK_TIMEOUT({ where, after: formatDuration(timeoutMs) }),
  })
  const { signal } = link
  const grace = startGrace(signal, options)
  try {
    signal.throwIfAborted()
    await Promise.race([Promise.resolve(handler(signal)), grace.over])
  } catch (error) {
    if (!signal.aborted) throw error
    throw blame(signal.reason, error)
  } finally {
    grace.cancel()
    link.close()
  }
  signal.throwIfAborted()
}

/** The reason for the abort is primary; what the handler made of it is its cause. */
function blame(reason: unknown, thrown: unknown): unknown {
  if (thrown === reason || (thrown as { code?: string } | undefined | null)?.code === 'HOOK_ABANDONED') return thrown
  if (reason instanceof Error && reason.cause === undefined && isTimeout(reason) && !leadsTo(thrown, reason)) {
    Object.defineProperty(reason, 'cause', { value: thrown, configurable: true })
  }
  return reason
}

function isTimeout(reason: Error): boolean {
  return (reason as { code?: string }).code === 'HOOK_TIMEOUT'
}

/** Whether the reason is among the causes already: what a command says of its abort names it. */
function leadsTo(thrown: unknown, reason: Error): boolean {
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) if (cause === reason) return true
  return false
}

/** Once the signal aborts, `over` rejects after the grace time, or at once when there is no more grace. */
function startGrace(
  signal: AbortSignal,
  { clock, where, hurried }: CallOptions,
): { over: Promise<never>; cancel(): void } {
  let cancelTimer: (() => void) | undefined
  let leave: (() => void) | undefined
  let begin: (() => void) | undefined
  const over = new Promise<never>((_, reject) => {
    leave = () =>
      reject(errors.HOOK_ABANDONED({ where, grace: formatDuration(abandonGraceMs) }, { cause: signal.reason }))
    begin = () => {
      cancelTimer = clock.setTimer(hurried.aborted ? 0 : abandonGraceMs, () => leave?.())
      hurried.addEventListener('abort', leave as () => void, { once: true })
    }
    signal.addEventListener('abort', begin, { once: true })
  })
  over.catch(() => {})
  return {
    over,
    cancel() {
      cancelTimer?.()
      signal.removeEventListener('abort', begin as () => void)
      hurried.removeEventListener('abort', leave as () => void)
    },
  }
}
