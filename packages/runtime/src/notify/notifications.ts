// Tells people how runs went, after it is written down. No run waits for it, and nothing that goes wrong here changes one.
import type { HoldfastFailure, NotificationOccasion, Outcome, Run } from '@holdfast/sdk'
import { drillOfId } from '../drill/drill-name.ts'
import { recordFailure } from '../failure.ts'
import { stuckUndos } from '../journal/pending-undos.ts'
import { quietly } from '../journal/quietly.ts'
import type { RunRecord, UndoRecord } from '../journal/records.ts'
import type { RunEventListener } from '../lifecycle/events.ts'
import { behindReason } from '../lifecycle/outcome.ts'
import type { ResolvedConfig, ResolvedNotifier } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import type { Redactor } from '../telemetry/redaction.ts'
import { isExecution } from '../telemetry/plan-state.ts'
import { endFacts, interruptedFacts, staleFacts, startFacts, undoFacts, type Teller } from './facts.ts'
import { createNotifyQueue } from './queue.ts'
import { createToldBook } from './told-book.ts'
import type { Facts } from './words.ts'

/** What {@link createNotifications} needs. */
export interface CreateNotificationsOptions {
  readonly services: Services
  readonly redactor: Pick<Redactor, 'text'>
}

/** Whose success is awaited. */
export interface Awaited {
  readonly plan: string
  readonly drill?: string | undefined
  /** The last one; `undefined`: there is none. */
  readonly since: Date | undefined
}

/** Tells the notifiers of the configuration in force. */
export interface Notifications {
  /** Takes the events of runs. */
  readonly listen: RunEventListener
  /** A run has ended, and is not tried again. */
  ended(result: { readonly run: Run; readonly outcome: Outcome }): void
  /** Runs died with their processes, before they could tell. */
  interrupted(runs: readonly RunRecord[]): void
  /** Looks for what is not given back, or is at last. */
  lookForUndos(): void
  /** Nothing has succeeded for too long. Said once, until something does. */
  stale(awaited: Awaited): void
  /** Begins counts at 0, so that `increase()` sees the first failure. */
  announce(): void
  /** Waits until all is told, for each notifier no longer than its time. Resolves always. */
  close(): Promise<void>
}

/** Nothing is told yet; what earlier processes have told is in the journal. */
export function createNotifications({ services, redactor }: CreateNotificationsOptions): Notifications {
  const { clock, log, journal, secrets, shutdown, meter, config, process } = services
  const book = createToldBook(services)
  /** Runs that may begin: until their plan has its store, they may be another pod's. */
  const beginning = new Set<string>()
  /** Milliseconds that the newest run of a plan or a drill took. */
  const durations = new Map<string, number>()
  const failures = meter.counter('holdfast_notify_failures_total', 'Notifications that were not sent', ['sink'])
  const queue = createNotifyQueue({
    clock,
    log,
    secrets,
    redactor,
    expired: shutdown.expired,
    onFailure(notifier, { run }, error) {
      failures.add(1, { sink: notifier.name })
      const failure = recordFailure(error as Error & HoldfastFailure)
      log.warn(error.message, { sink: notifier.name, ...(run && { run: run.id }), error })
      if (run) quietly(services, () => journal.addWarning(run.id, failure))
    },
  })

  const teller = (): Teller => ({ at: clock.now(), instance: config().instance, host: process.podName ?? process.host })

  const tell = (notifiers: readonly ResolvedNotifier[], facts: Facts): void => {
    for (const notifier of notifiers) {
      const kind = askedFor(notifier.on, facts)
      if (kind) queue.add(notifier, { ...facts, kind })
    }
  }

  const begun = (run: Run): void => {
    const { notify, maintenance } = toldOf(config(), run)
    tell(notify, startFacts(run, maintenance, teller()))
  }

  const endOf = (run: Run, outcome: Outcome): void => {
    const { notify, maintenance } = toldOf(config(), run)
    if (notify.length === 0) return
    const name = nameOf(run)
    const durationMs = durations.get(name)
    const say = (kind: Facts['kind'], since?: Date): void =>
      tell(notify, endFacts(run, outcome, { kind, maintenance, durationMs, since }, teller()))
    const isBoot = run.trigger === 'boot'
    if (outcome.status === 'succeeded') {
      const since = book.over(isBoot ? [`boot ${name}`] : [`trouble ${name}`, `stale ${name}`])
      if (since) say('recovery', since)
      else if (!isBoot) say('success')
      return
    }
    // It left a backup: what gets old after it is another one.
    if (outcome.reason === behindReason) book.over([`stale ${name}`])
    // A pod that is started again and again says it once.
    const isNew = book.begin(isBoot ? `boot ${name}` : `trouble ${name}`)
    if (isNew || !isBoot) say(outcome.status === 'partial' ? 'partial' : 'failure')
  }

  return {
    listen(event) {
      const { run } = event
      if (event.type === 'run-ended') durations.set(nameOf(run), event.durationMs)
      if (event.type === 'run-started' && run.attempt === 1 && run.trigger !== 'boot' && isTold(run))
        beginning.add(run.id)
      else if (beginning.delete(run.id) && event.type !== 'run-ended') begun(run)
    },
    ended({ run, outcome }) {
      if (isTold(run) && outcome.status !== 'skipped') endOf(run, outcome)
      durations.delete(nameOf(run))
    },
    interrupted(runs) {
      for (const record of runs) {
        if (!isTold(record)) continue
        const { notify, maintenance } = toldOf(config(), record)
        if (notify.length === 0) continue
        const isBoot = record.trigger === 'boot'
        const isNew = book.begin(`${isBoot ? 'boot' : 'trouble'} ${nameOf(record)}`)
        if (isBoot && !isNew) continue
        const now = journal.history.run(record.id) ?? record
        tell(notify, interruptedFacts(now, journal.targets(record.id), maintenance, teller()))
      }
    },
    lookForUndos() {
      if (allOf(config()).size === 0) return
      const stuck = new Map(stuckUndos(services).map((undo) => [undo.id, undo]))
      for (const undo of stuck.values()) {
        if (book.begin(`undo ${undo.id}`)) tell(notifiersFor(undo), undoFacts('undo', undo, undo.armedAt, teller()))
      }
      for (const key of book.open('undo ')) {
        const id = key.slice('undo '.length)
        if (stuck.has(id)) continue
        const since = book.over([key])
        const undo = journal.undo(id)
        if (undo) tell(notifiersFor(undo), undoFacts('recovery', undo, since, teller()))
      }
    },
    stale({ plan, drill, since }) {
      const { notify, maintenance } = toldOf(config(), { plan, drill })
      if (!notify.some(({ on }) => on.has('stale')) || !book.begin(`stale ${nameOf({ plan, drill })}`)) return
      tell(notify, staleFacts({ plan, drill, maintenance, since }, teller()))
    },
    announce() {
      for (const { name } of allOf(config())) failures.add(0, { sink: name })
    },
    close: () => queue.close(),
  }

  function notifiersFor({ plan, participant }: UndoRecord): readonly ResolvedNotifier[] {
    return toldOf(config(), { plan, drill: drillOfId(participant) }).notify
  }
}

/** What a notifier takes it for; `undefined`: it does not ask for it. */
function askedFor(on: ResolvedNotifier['on'], { kind, run, undo }: Facts): NotificationOccasion | undefined {
  if (kind === 'test') return undefined
  // Nobody is told that something was given back who was not told that it was not.
  if (undo && !on.has('undo')) return undefined
  if (on.has(kind)) return kind
  // Who doesn't ask for the first success after trouble asks for successes, perhaps; starting is none.
  return kind === 'recovery' && run && run.trigger !== 'boot' && on.has('success') ? 'success' : undefined
}

/** Everybody who is told anything. */
export function allOf({
  plans,
  drills,
  notify,
}: Pick<ResolvedConfig, 'plans' | 'drills' | 'notify'>): ReadonlySet<ResolvedNotifier> {
  return new Set([...notify, ...[...plans, ...drills].flatMap((each) => each.notify)])
}

/** Who is told of a plan or a drill; what is gone from the configuration is told to those at its top. */
function toldOf(
  { plans, drills, notify }: ResolvedConfig,
  { plan, drill }: Pick<Run, 'plan' | 'drill'>,
): { readonly notify: readonly ResolvedNotifier[]; readonly maintenance: boolean } {
  if (drill !== undefined)
    return { notify: drills.find(({ name }) => name === drill)?.notify ?? notify, maintenance: false }
  return plans.find(({ name }) => name === plan) ?? { notify, maintenance: false }
}

/** Of restores and commands somebody knows who waits for them. */
function isTold(run: Run): boolean {
  return isExecution(run) || (!run.dryRun && (run.drill !== undefined || run.trigger === 'boot'))
}

function nameOf({ plan, drill }: Pick<Run, 'plan' | 'drill'>): string {
  return drill === undefined ? `plan ${plan}` : `drill ${drill}`
}
