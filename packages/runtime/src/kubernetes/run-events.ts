import type { Kubernetes, Logger, Meter, ObjectRef, Run } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { reasonOf } from '../failure.ts'
import type { RunEvent, RunEventListener } from '../lifecycle/events.ts'
import type { Redactor } from '../telemetry/redaction.ts'
import { createEventQueue } from './event-queue.ts'
import { createEventRepeats } from './event-repeats.ts'
import { labelValue } from './names.ts'
import { endDraft, laterDraft, startDraft, targetDraft, undoDraft, type EventDraft } from './run-event-messages.ts'

/** Options of {@link kubernetesEvents}. */
export interface KubernetesEventsOptions {
  readonly kubernetes: Pick<Kubernetes, 'event'>
  /** Our own pod. Without it there are only Events about targets. */
  readonly pod?: ObjectRef | undefined
  readonly clock: Pick<RuntimeClock, 'monotonic' | 'setTimer'>
  readonly log: Pick<Logger, 'debug' | 'warn'>
  readonly meter: Meter
  readonly redactor: Pick<Redactor, 'text'>
  /** Whether a plan backs nothing up. Default: every plan backs something up. */
  readonly isMaintenance?: ((plan: string) => boolean) | undefined
}

/** Takes a run's events. */
export interface KubernetesEvents extends RunEventListener {
  /** Posts what waits, for two seconds at most; from then on nothing is posted. Resolves always. */
  close(): Promise<void>
}

/** For `kubectl get events -l holdfast.dev/plan=NAME`. */
const planLabel = 'holdfast.dev/plan'
/** The API server takes 1 KiB. */
const longestMessage = 1000

/**
 * Posts what happens in runs as Events: about our own pod, and about the objects of targets. In the background: no run
 * waits for it or fails for it, whatever the API server does.
 */
export function kubernetesEvents(options: KubernetesEventsOptions): KubernetesEvents {
  const { kubernetes, pod, clock, log, meter, redactor, isMaintenance = () => false } = options
  const repeats = createEventRepeats(clock)
  const queue = createEventQueue({ kubernetes, clock, log, meter, onLost: (event) => repeats.forget(event) })
  /** Targets that have been told of, of runs that go on. */
  const told = new Map<string, Set<string>>()

  const send = ({ plan }: Run, draft: EventDraft): void => {
    const about = draft.about ?? pod
    if (!about) return
    // A secret that is cut in two would not be found any more.
    const message = cut(redactor.text(draft.message).replaceAll(/\s+/g, ' '))
    const passed = repeats.pass({ ...draft, about, message, labels: { [planLabel]: labelValue(plan) } })
    if (passed) queue.add(passed)
  }

  const draftsOf = (event: RunEvent): readonly EventDraft[] => {
    const { run } = event
    switch (event.type) {
      case 'run-started':
        return startDraft(run, isMaintenance(run.plan))
      case 'target-ended':
        remember(told, run, event.outcome.target.id)
        return targetDraft(run, event.outcome)
      case 'undo-settled':
        return undoDraft(event)
      case 'run-ended': {
        const known = told.get(run.id)
        told.delete(run.id)
        return [
          ...event.outcome.targets.flatMap((target) =>
            known?.has(target.target.id) ? laterDraft(run, target) : targetDraft(run, target),
          ),
          ...endDraft(run, event.outcome, isMaintenance(run.plan)),
        ]
      }
      default:
        return []
    }
  }

  const listen: RunEventListener = (event) => {
    if (event.run.dryRun) return
    try {
      for (const draft of draftsOf(event)) send(event.run, draft)
    } catch (error) {
      log.warn(`an Event could not be written: ${reasonOf(error)}`, { error })
    }
  }
  return Object.assign(listen, { close: () => queue.close() })
}

function remember(told: Map<string, Set<string>>, run: Run, target: string): void {
  const known = told.get(run.id)
  if (known) known.add(target)
  else told.set(run.id, new Set([target]))
}

function cut(message: string): string {
  return message.length > longestMessage ? `${message.slice(0, longestMessage - 1).toWellFormed()}…` : message
}
