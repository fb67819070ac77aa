import type { RestorePoint, Run, RunStatus, RunTrigger, TargetOutcome } from '@holdfast/sdk'
import type { LastOfTarget, LastRuns } from '../journal/last-runs.ts'
import type { RunEvent, RunEventListener } from '../lifecycle/events.ts'
import { behindReason } from '../lifecycle/outcome.ts'

/** Of boots and restores a plan's times say nothing: a restore is no backup. */
const executions: ReadonlySet<RunTrigger> = new Set(['schedule', 'catch-up', 'manual', 'retry'])

/** Whether a run is one of which its plan's times tell. */
export function isExecution({ dryRun, trigger }: Run): boolean {
  return !dryRun && executions.has(trigger)
}

/** What is known of one target of a plan. */
export interface KnownTarget {
  succeededAt: Date | undefined
  verifiedAt: Date | undefined
  /** Bytes before encoding of its newest backup. */
  size: number | undefined
  /** Whether that is much smaller than usual; `undefined` where nobody compares. */
  suspect: boolean | undefined
}

/** What is known of the runs of a plan, or of a drill, in this process and, once {@link PlanStates.restore} was called, in earlier ones. */
export interface PlanState {
  /** How the newest of them ended. */
  status: RunStatus | undefined
  startedAt: Date | undefined
  endedAt: Date | undefined
  succeededAt: Date | undefined
  failedAt: Date | undefined
  /** Of the newest run that looked for any. */
  targets: Map<string, KnownTarget> | undefined
  restored: boolean
}

/** A run that goes on. */
export interface RunningRun {
  readonly run: Run
  /** The plan, or the drill. */
  readonly name: string
  readonly deadline: Date
}

/** Follows the runs of all plans, or of all drills. */
export interface PlanStates {
  readonly listen: RunEventListener
  of(name: string): PlanState
  /** Runs that go on, whatever they are for. */
  running(): Iterable<RunningRun>
  /** Those of them that the states tell of. */
  executing(): ReadonlySet<string>
  /** Fills in what only the journal knows; once, and again when {@link PlanStates.outdate} has said so. */
  restore(name: string, history: (name: string) => LastRuns): void
  /** The journal knows more: another process has run it. */
  outdate(name: string): void
  /** Forgets those that are not among these. */
  keep(names: ReadonlySet<string>): void
}

/** What {@link createPlanStates} needs to know. */
export interface CreatePlanStatesOptions {
  now(): Date
  /** Milliseconds that a run of this name may take. */
  budgetOf(name: string): number
  /** Whose run it is; `undefined`: nobody's that is followed here. Default: its plan's, unless it is a drill. */
  readonly nameOf?: ((run: Run) => string | undefined) | undefined
  /** Whether the states tell of it. Default: {@link isExecution}. */
  readonly counts?: ((run: Run) => boolean) | undefined
}

/** Nothing is known yet. */
export function createPlanStates(options: CreatePlanStatesOptions): PlanStates {
  const { now, budgetOf, nameOf = planOf, counts = isExecution } = options
  const states = new Map<string, PlanState>()
  const running = new Map<string, RunningRun>()

  const of = (name: string): PlanState => {
    let state = states.get(name)
    if (!state) states.set(name, (state = unknown()))
    return state
  }

  const executing = (): ReadonlySet<string> =>
    new Set([...running.values()].filter(({ run }) => counts(run)).map(({ name }) => name))

  const ended = ({ run, status, outcome }: Extract<RunEvent, { type: 'run-ended' }>, name: string): void => {
    running.delete(run.id)
    if (!counts(run)) return
    const state = of(name)
    const at = now()
    state.status = status
    state.endedAt = at
    if (status === 'skipped') return
    // What only a copy lacks is in the store, and good.
    if (status === 'succeeded' || outcome.reason === behindReason) state.succeededAt = at
    if (status !== 'succeeded') state.failedAt = at
    for (const target of outcome.targets) noteTarget(state, target, at)
  }

  return {
    listen(event) {
      const { run } = event
      const name = nameOf(run)
      if (name === undefined) return
      switch (event.type) {
        case 'run-started':
          if (run.dryRun) return
          running.set(run.id, { run, name, deadline: new Date(event.at.getTime() + budgetOf(name)) })
          if (counts(run)) of(name).startedAt = event.at
          return
        case 'targets-found': {
          if (!counts(run)) return
          const state = of(name)
          const before = state.targets
          state.targets = new Map(event.targets.map((id) => [id, before?.get(id) ?? unknownTarget()]))
          return
        }
        case 'run-ended':
          return ended(event, name)
        default:
      }
    },
    of,
    running: () => running.values(),
    executing,
    restore(name, history) {
      const state = of(name)
      if (state.restored) return
      // First, so that a journal that can't be read is asked once.
      state.restored = true
      const { targets, ...other } = history(name)
      const isNewer = other.endedAt !== undefined && !(state.endedAt && state.endedAt >= other.endedAt)
      if (isNewer) state.status = other.status
      for (const what of ['startedAt', 'endedAt', 'succeededAt', 'failedAt'] as const) {
        state[what] = later(state[what], other[what])
      }
      if (!targets) return
      // What a run that goes on here has found is the newest there is.
      const isFound = state.targets !== undefined && (!isNewer || executing().has(name))
      const ids = isFound ? (state.targets?.keys() ?? []) : targets.keys()
      state.targets = new Map([...ids].map((id) => [id, mergedTarget(state.targets?.get(id), targets.get(id))]))
    },
    outdate(name) {
      const state = states.get(name)
      if (state) state.restored = false
    },
    keep(names) {
      for (const name of states.keys()) if (!names.has(name)) states.delete(name)
    },
  }
}

/** A drill is none of its plan's runs. */
function planOf({ plan, drill }: Run): string | undefined {
  return drill === undefined ? plan : undefined
}

function unknown(): PlanState {
  return {
    status: undefined,
    startedAt: undefined,
    endedAt: undefined,
    succeededAt: undefined,
    failedAt: undefined,
    targets: undefined,
    restored: false,
  }
}

function unknownTarget(): KnownTarget {
  return { succeededAt: undefined, verifiedAt: undefined, size: undefined, suspect: undefined }
}

function later(a: Date | undefined, b: Date | undefined): Date | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}

/** How large a backup of another process is, nobody has told this one. */
function mergedTarget(known: KnownTarget = unknownTarget(), elsewhere?: LastOfTarget): KnownTarget {
  const succeededAt = later(known.succeededAt, elsewhere?.succeededAt)
  const verifiedAt = later(known.verifiedAt, elsewhere?.verifiedAt)
  const { size, suspect } = succeededAt === known.succeededAt ? known : unknownTarget()
  return { succeededAt, verifiedAt, size, suspect }
}

/** In the store, where sizes are compared. */
function isStored({ ref }: RestorePoint): boolean {
  return typeof ref === 'object' && ref !== null && 'artifact' in ref
}

function noteTarget(state: PlanState, { target, status, verification, points }: TargetOutcome, at: Date): void {
  const known = state.targets?.get(target.id)
  if (!known || status !== 'succeeded') return
  // What can't be read back is no backup.
  if (verification !== 'unverified') known.succeededAt = at
  if (verification === 'verified') known.verifiedAt = at
  const sizes = points.flatMap(({ size }) => size ?? [])
  if (sizes.length > 0) known.size = sizes.reduce((sum, size) => sum + size, 0)
  // A target whose backups had a size, and that left nothing this time.
  else if (points.length === 0 && known.size !== undefined) known.size = 0
  else known.size = undefined
  known.suspect =
    points.length > 0 && points.every(isStored) ? points.some((point) => point.state === 'suspect') : undefined
}
