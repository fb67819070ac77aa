import type { Logger, Schedule } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { FireSlot, MissedReason, MissedSlot, Slot } from './slots.ts'

/** The running fires of all plans: at most one per plan, and at most one slot waiting behind it. */
export interface Overlap {
  /** Fires the slot, or does with it what the policy says while the plan's last run still goes on. */
  submit(slot: Slot & Pick<FireSlot, 'trigger'>, policy: Schedule['overlap']): void
  /** Gives up the slot that waits, if there is one, and counts it. */
  dropWaiting(plan: string, reason: MissedReason): void
  running(): readonly string[]
  /** Nothing more is fired, waiting slots included. Resolves when what runs has settled. */
  close(): Promise<void>
}

/** What {@link createOverlap} reports to. */
export interface OverlapOptions {
  fire(slot: FireSlot): Promise<void>
  missed(slot: MissedSlot): void
  readonly log: Logger
}

type Waiting = Parameters<Overlap['submit']>[0]

interface Running {
  readonly controller: AbortController
  readonly settled: Promise<void>
  waiting?: Waiting | undefined
}

/** Nothing runs yet. */
export function createOverlap(options: OverlapOptions): Overlap {
  const { log } = options
  const runs = new Map<string, Running>()
  let closed = false

  const fire = (slot: Waiting): void => {
    const controller = new AbortController()
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>()
    const run: Running = { controller, settled }
    runs.set(slot.plan, run)
    const ended = (): void => {
      runs.delete(slot.plan)
      settle()
      if (run.waiting && !closed) fire(run.waiting)
    }
    call(slot, controller.signal).then(ended, (error: unknown) => {
      // What a run ends with is for its own record; the schedule goes on.
      log.error(`the run of plan "${slot.plan}" scheduled for ${slot.scheduledFor.toISOString()} threw`, {
        plan: slot.plan,
        error,
      })
      ended()
    })
  }

  const call = async (slot: Waiting, signal: AbortSignal): Promise<void> => {
    await options.fire({ ...slot, signal })
  }

  const dropWaiting = (plan: string, reason: MissedReason): void => {
    const run = runs.get(plan)
    if (!run?.waiting) return
    const { scheduledFor } = run.waiting
    run.waiting = undefined
    options.missed({ plan, scheduledFor, reason, count: 1 })
  }

  return {
    submit(slot, policy = 'skip') {
      const run = runs.get(slot.plan)
      if (!run) return fire(slot)
      if (policy === 'skip') {
        options.missed({ plan: slot.plan, scheduledFor: slot.scheduledFor, reason: 'overlap', count: 1 })
        return
      }
      // The newest slot waits: it says best when the run that follows was due.
      dropWaiting(slot.plan, 'overlap')
      run.waiting = slot
      if (policy === 'replace' && !run.controller.signal.aborted) {
        const reason = `the run scheduled for ${slot.scheduledFor.toISOString()} replaces it`
        run.controller.abort(errors.RUN_ABORTED({ reason }))
      }
    },
    dropWaiting,
    running: () => [...runs.keys()],
    async close() {
      closed = true
      await Promise.all([...runs.values()].map(({ settled }) => settled))
    },
  }
}
