import type { Secrets } from '@holdfast/sdk'
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
  /** Waits until all is told, for each notifier no longer than its time. Resolves always. */
  close(): Promise<void>
}

/** Beyond this a service that is slow or gone costs the oldest ones, not memory. */
const mostWaiting = 100
/** For who is told to stop and has no grace left: the kubelet waits no longer. */
const lastMs = 3000

interface Line {
  readonly waiting: Facts[]
  /** Aborts when there is no time left. */
  readonly stop: AbortController
  readonly work: Promise<void>
}

/** Nothing waits. */
export function createNotifyQueue(options: CreateNotifyQueueOptions): NotifyQueue {
  const { clock, expired, onFailure } = options
  const lines = new Map<ResolvedNotifier, Line>()

  const fail = (notifier: ResolvedNotifier, facts: Facts, cause: unknown): void => {
    const reason = reasonOfFailure(cause)
    const params = { sink: notifier.name, subject: subjectOf(facts), reason }
    onFailure(notifier, facts, errors.NOTIFY_FAILED(params, { cause }))
  }

  const drain = async (notifier: ResolvedNotifier, waiting: Facts[], { signal }: AbortController): Promise<void> => {
    // Whoever said it has more to do first.
    await Promise.resolve()
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      try {
        await deliver(notifier, next, { ...options, signal })
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
        const stop = new AbortController()
        lines.set(notifier, { waiting, stop, work: drain(notifier, waiting, stop) })
        return
      }
      line.waiting.push(facts)
      if (line.waiting.length <= mostWaiting) return
      const [oldest] = line.waiting.splice(0, 1)
      if (oldest) fail(notifier, oldest, new Error(`more than ${mostWaiting} wait already`))
    },
    async close() {
      const timers: (() => void)[] = []
      const end = ({ stop }: Line): void => stop.abort(new Error('the process ends, and there was no time left'))
      // Each has its own time: one that hangs is not tried longer for the sake of another.
      for (const [{ timeoutMs }, line] of lines) timers.push(clock.setTimer(timeoutMs, () => end(line)))
      const hurry = (): void => void timers.push(clock.setTimer(lastMs, () => [...lines.values()].forEach(end)))
      expired.addEventListener('abort', hurry, { once: true })
      if (expired.aborted) hurry()
      await Promise.all([...lines.values()].map(({ work }) => work))
      expired.removeEventListener('abort', hurry)
      for (const cancel of timers) cancel()
    },
  }
}
