import type { Secrets } from '@holdfast/sdk'
import { setMaxListeners } from 'node:events'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import type { ResolvedNotifier } from '../load/resolved.ts'
import type { RuntimeLogger } from '../telemetry/log.ts'
import type { Redactor } from '../telemetry/redaction.ts'
import { deliver, reasonOfFailure } from './deliver.ts'
import { subjectOf, type Facts } from './words.ts'

/** Options of {@link createNotifyQueue}. */
export interface CreateNotifyQueueOptions {
  readonly clock: RuntimeClock
  readonly log: RuntimeLogger
  readonly secrets: Secrets
  readonly redactor: Pick<Redactor, 'text'>
  /** Aborts when the grace of a process that was told to stop is used up. */
  readonly expired: AbortSignal
  /** Somebody was not told of something, and won't be. */
  onFailure(notifier: ResolvedNotifier, facts: Facts, error: Error): void
}

/** Tells notifiers in the background: each of them one thing after the other, beside the others. */
export interface NotifyQueue {
  /** Never throws, and takes no time. */
  add(notifier: ResolvedNotifier, facts: Facts): void
  /** Waits until all is told, but no longer than the longest time of one that is waited for. Resolves always. */
  close(): Promise<void>
}

/** Beyond this a service that is slow or gone costs the oldest ones, not memory. */
const mostWaiting = 100
/** For who is told to stop and has no grace left: the kubelet waits no longer. */
const lastMs = 3000

/** Nothing waits. */
export function createNotifyQueue(options: CreateNotifyQueueOptions): NotifyQueue {
  const { clock, expired, onFailure } = options
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const lines = new Map<ResolvedNotifier, { readonly waiting: Facts[]; readonly work: Promise<void> }>()

  const fail = (notifier: ResolvedNotifier, facts: Facts, cause: unknown): void => {
    const reason = reasonOfFailure(cause)
    onFailure(
      notifier,
      facts,
      errors.NOTIFY_FAILED({ sink: notifier.name, subject: subjectOf(facts), reason }, { cause }),
    )
  }

  const drain = async (notifier: ResolvedNotifier, waiting: Facts[]): Promise<void> => {
    // Whoever said it has more to do first.
    await Promise.resolve()
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      try {
        await deliver(notifier, next, { ...options, signal: stop.signal })
      } catch (error) {
        fail(notifier, next, error)
      }
    }
    lines.delete(notifier)
  }

  return {
    add(notifier, facts) {
      const line = lines.get(notifier)
      if (!line) {
        const waiting = [facts]
        lines.set(notifier, { waiting, work: drain(notifier, waiting) })
        return
      }
      line.waiting.push(facts)
      if (line.waiting.length <= mostWaiting) return
      const [oldest] = line.waiting.splice(0, 1)
      if (oldest) fail(notifier, oldest, new Error(`more than ${mostWaiting} wait already`))
    },
    async close() {
      if (lines.size === 0) return
      const end = (): void => stop.abort(new Error('the process ends, and there was no time left'))
      const timers = [clock.setTimer(Math.max(...[...lines.keys()].map(({ timeoutMs }) => timeoutMs)), end)]
      const hurry = (): void => void timers.push(clock.setTimer(lastMs, end))
      expired.addEventListener('abort', hurry, { once: true })
      if (expired.aborted) hurry()
      // A line may begin anew meanwhile.
      while (lines.size > 0) await Promise.all([...lines.values()].map(({ work }) => work))
      expired.removeEventListener('abort', hurry)
      for (const cancel of timers) cancel()
    },
  }
}
