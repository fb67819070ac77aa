import { formatDuration, isHoldfastError, type Logger, type Secrets } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { reasonOf } from '../failure.ts'
import type { ResolvedNotifier } from '../load/resolved.ts'
import type { Redactor } from '../telemetry/redaction.ts'
import { compose } from './compose.ts'
import type { Facts } from './words.ts'

/** What delivering needs. */
export interface DeliverOptions {
  readonly clock: RuntimeClock
  readonly log: Logger
  readonly secrets: Secrets
  readonly redactor: Pick<Redactor, 'text'>
  /** Ends it, whatever it waits for. */
  readonly signal: AbortSignal
  /** Default 3. */
  readonly attempts?: number | undefined
}

const mostAttempts = 3
const pausesMs = [1000, 5000]

/**
 * Tells one notifier one thing: three times at most, each in its time.
 *
 * @throws why it was not told
 */
export async function deliver(notifier: ResolvedNotifier, facts: Facts, options: DeliverOptions): Promise<void> {
  const { clock, signal, attempts = mostAttempts } = options
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await callInTime(notifier, facts, attempt, options)
    } catch (error) {
      const isFinal = isHoldfastError(error) && !error.retryable
      if (isFinal || attempt >= attempts || signal.aborted) throw error
      // Whoever is cut off while it waits wants to know why it had to.
      await clock.sleep(pausesMs[attempt - 1] ?? 0, signal).catch(() => {})
      if (signal.aborted) throw error
    }
  }
}

async function callInTime(
  notifier: ResolvedNotifier,
  facts: Facts,
  attempt: number,
  { clock, log, secrets, redactor, signal }: DeliverOptions,
): Promise<void> {
  const stop = new AbortController()
  const late = Promise.withResolvers<never>()
  const end = (reason: Error): void => {
    stop.abort(reason)
    // Also of one that doesn't listen.
    late.reject(reason)
  }
  const cancel = clock.setTimer(notifier.timeoutMs, () =>
    end(new Error(`no answer within ${formatDuration(notifier.timeoutMs)}`)),
  )
  const stopped = (): void => end(signal.reason as Error)
  signal.addEventListener('abort', stopped, { once: true })
  if (signal.aborted) stopped()
  const redact = (text: string): string => redactor.text(text)
  try {
    const { config } = notifier
    const sent = (async () => {
      // Before anything is put into words: what is not known yet could not be blanked.
      await Promise.allSettled(notifier.secrets.map((ref) => secrets.open(ref)))
      stop.signal.throwIfAborted()
      const notification = compose(notifier, facts, redactor)
      await notifier.send(notification, { config, signal: stop.signal, attempt, log, clock, secrets, redact })
    })()
    await Promise.race([sent, late.promise])
  } catch (error) {
    // What a request says of its being cut off says less.
    throw stop.signal.aborted ? (stop.signal.reason as Error) : error
  } finally {
    late.promise.catch(() => {})
    signal.removeEventListener('abort', stopped)
    cancel()
  }
}

/** Why it was not told, in one line: without what an error quotes of where it happened. */
export function reasonOfFailure(error: unknown): string {
  return isHoldfastError(error) && error.code === 'NOTIFY_UNREACHABLE' ? error.message : reasonOf(error)
}
