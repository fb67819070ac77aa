// Which of several daemons schedules (docs/adr/0013-leader.md). Each of them installs its dependencies and stands by; the
// one that holds the lease leads.
import { isHoldfastError, type HoldfastFailure } from '@holdfast/sdk'
import {
  createLeaderElection,
  drillOfId,
  leaseClient,
  objectName,
  reasonOf,
  type LeaderElection,
  type RunUnderWay,
} from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { scheduledNameOf } from '../drills.ts'
import { errors } from '../errors.ts'
import type { Session } from '../session.ts'
import {
  dealtWithUntil,
  formatHandover,
  leaderIdentity,
  processOf,
  readHandover,
  type Handover,
  type WaitingPlan,
} from './handover.ts'
import type { KeptPauses } from './pauses.ts'

/** The time in which this daemon schedules. */
export interface Reign {
  /** Aborts when it is over: runs must end, and none may begin. */
  readonly lost: AbortSignal
  /** Whether it is certain that nobody else schedules. */
  isLeading(): boolean
  /** Up to when the daemon before dealt with the slots of a plan or a drill. */
  handledUntil(plan: string): Date | undefined
}

/** What one of several daemons is. */
export interface Role {
  readonly role: 'leader' | 'standby'
  /** Who leads, of a standby that knows it. */
  readonly leader?: string | undefined
}

/** Options of {@link createLeadership}. */
export interface CreateLeadershipOptions {
  readonly context: Pick<CommandContext, 'io' | 'log'>
  readonly session: Pick<Session, 'engine' | 'metrics' | 'cluster'>
  /** Schedules; resolves when nothing runs any more, after the reign or when the daemon is told to stop. */
  schedule(reign: Reign): Promise<void>
  /** Slots up to here are dealt with. */
  handledUntil(): Date
  /** The plans and drills that are at work, and the slots that they are at work for. */
  atWork(): ReadonlyMap<string, Date>
  /** What is paused by hand. */
  readonly pauses: Pick<KeptPauses, 'all' | 'look' | 'inherit'>
  /** What stands in the way of leading. */
  report(error: HoldfastFailure | undefined): void
  /** It is ready, and waits for its turn. */
  standBy(): void
}

/** Decides when a daemon schedules. */
export interface Leadership {
  /** Lets it schedule whenever it may, until it is told to stop. */
  run(stop: AbortSignal): Promise<void>
  /** What this daemon is; `undefined` where every one schedules. */
  role(): Role | undefined
  /** Says what a changed configuration can't change. */
  configured(): void
}

const always: Reign = {
  lost: new AbortController().signal,
  isLeading: () => true,
  handledUntil: () => undefined,
}

/** Decides as the configuration says: every daemon schedules, or the one that holds the lease. */
export function createLeadership(options: CreateLeadershipOptions): Leadership {
  const { engine } = options.session
  const { replicas } = engine.config()
  let role = (): Role | undefined => (replicas === 'leader' ? { role: 'standby' } : undefined)
  return {
    run: (stop) => (replicas === 'each' ? options.schedule(always) : lead(options, stop, (known) => (role = known))),
    role: () => role(),
    configured() {
      const now = engine.config().replicas
      if (now === replicas) return
      const { message, hint, code } = errors.REPLICAS_CHANGED({ from: replicas, to: now })
      options.context.log.warn(message, { code, hint })
    },
  }
}

async function lead(
  options: CreateLeadershipOptions,
  stop: AbortSignal,
  setRole: (role: () => Role) => void,
): Promise<void> {
  const { context, session, schedule, standBy } = options
  const { engine, metrics, cluster } = session
  const { clock, env } = context.io
  const { log } = context
  const { instance } = engine.config()
  const name = env['HOLDFAST_LEASE'] || objectName('holdfast-', instance)
  if (!cluster) {
    options.report(errors.LEADER_NO_CLUSTER({ lease: name }))
    return new Promise((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }))
  }
  const self = engine.services.process
  let inherited: Handover = readHandover(undefined)
  /** What was inherited is settled: what we do ourselves is all there is. */
  let isSettled = false
  let last: string | undefined
  const runs = watchRuns(engine)
  const election: LeaderElection = createLeaderElection({
    lease: leaseClient({ kubernetes: cluster.kubernetes, name }),
    identity: leaderIdentity(engine, cluster.pod?.name),
    clock,
    log,
    meter: metrics,
    isGone: (identity) => engine.hasEnded(processOf(identity)),
    inherit(former) {
      isSettled = false
      last = undefined
      inherited = readHandover(former)
      return formatHandover(inherited)
    },
    handover() {
      if (!isSettled) return last
      try {
        const underWay = runs()
        last = formatHandover({
          handledUntil: options.handledUntil(),
          runs: underWay,
          waiting: waitingBeside(underWay),
          processes: [self.id],
          pauses: { paused: options.pauses.all(), until: clock.now() },
        })
      } catch (error) {
        log.warn(`what this leader does could not be written into its lease: ${reasonOf(error)}`, { error })
      }
      return last
    },
    onTrouble(error) {
      if (error === undefined) options.report(undefined)
      else {
        const hint = isHoldfastError(error) ? (error.hint ?? '') : ''
        options.report(errors.LEASE_UNAVAILABLE({ lease: name, reason: reasonOf(error), hint }, { cause: error }))
      }
    },
  })
  setRole(() =>
    isSettled && election.isLeader() ? { role: 'leader' } : { role: 'standby', leader: election.holder() },
  )
  standBy()
  while (!stop.aborted) {
    const term = await election.campaign(stop).catch(() => undefined)
    if (!term) break
    await engine.takeOver({ ...inherited, isLeading: term.isLeading })
    await engine.finishRecovery()
    if (term.isLeading() && !stop.aborted) {
      const former = inherited
      if (former.pauses) options.pauses.inherit(former.pauses)
      else options.pauses.look()
      isSettled = true
      await schedule({ ...term, handledUntil: (plan) => dealtWithUntil(former, plan) })
    }
    if (!stop.aborted) standBy()
  }
  await election.resign()

  /** Before a run begins, and between two attempts, nothing of it is in the journal as being under way. */
  function waitingBeside(underWay: readonly RunUnderWay[]): readonly WaitingPlan[] {
    const begun = new Set(underWay.map(({ run }) => scheduledNameOf(run)))
    return [...options.atWork()].flatMap(([plan, slot]) => {
      if (begun.has(plan)) return []
      const drill = drillOfId(plan)
      const newest = drill === undefined ? engine.journal.lastScheduled(plan) : engine.journal.lastDrill(drill)
      const isOnRecord = newest !== undefined && newest >= slot
      return [{ plan, handledUntil: isOnRecord ? slot : new Date(slot.getTime() - 1) }]
    })
  }

  function watchRuns({ journal }: typeof engine): () => readonly RunUnderWay[] {
    return () => {
      const open = journal.openRuns().filter(({ process }) => process === self.id)
      // Those that were cut short when this daemon was told to stop are on record here only, and the pod may go.
      const cut = stop.aborted
        ? journal.runs({ limit: 100 }).filter(({ status, process }) => status === 'aborted' && process === self.id)
        : []
      const due = new Set(open.map(({ id }) => id))
      return [...open, ...cut.filter(({ id }) => !due.has(id))].map((record) => {
        const { id, plan, attempt, scheduledFor, trigger, drill, dryRun, startedAt } = record
        const run = { id, plan, attempt, scheduledFor, trigger, ...(drill !== undefined && { drill }), dryRun }
        return { run, startedAt, process: self.id, observersDue: due.has(id) }
      })
    }
  }
}
