import type { Logger, Schedule } from '@holdfast/sdk'
import { testClock, type TestClock } from '@holdfast/testing'
import { createScheduler, type Scheduler } from '../../src/schedule/scheduler.ts'
import type { FireSlot, MissedSlot } from '../../src/schedule/slots.ts'

export interface HarnessOptions {
  readonly now: string
  /** One plan, named `shop`, or several by name. */
  readonly schedule?: Schedule
  readonly plans?: Readonly<Record<string, Schedule>>
  readonly last?: Readonly<Record<string, string>>
  /** What a run does. Default: it ends at once. */
  readonly run?: (slot: FireSlot, clock: TestClock) => Promise<void> | void
  readonly missed?: (slot: MissedSlot) => void
  readonly clock?: TestClock
}

export interface Harness {
  readonly clock: TestClock
  readonly scheduler: Scheduler
  /** `03-29 01:00`, with the trigger where it isn't the schedule, and the plan where it isn't `shop`. */
  readonly fired: string[]
  /** `overlap 03-29 01:00`, with ` ×3` where it stands for three slots. */
  readonly missed: string[]
  /** Codes or texts of what was logged. */
  readonly logged: string[]
  /** The most runs of one plan that went on at once. */
  most(): number
}

/** A scheduler in a test's hands: plans run by a clock that the test moves. */
export function harness(options: HarnessOptions): Harness {
  const clock = options.clock ?? testClock({ now: options.now })
  const plans = options.plans ?? { shop: options.schedule ?? { cron: '0 * * * *', timeZone: 'UTC' } }
  const fired: string[] = []
  const missed: string[] = []
  const logged: string[] = []
  const running = new Map<string, number>()
  let most = 0
  const note = (text: string, fields?: Record<string, unknown>): void => {
    logged.push(String(fields?.['code'] ?? text))
  }
  const log: Logger = { debug: note, info: note, warn: note, error: note }
  const label = (plan: string, at: Date): string =>
    `${plan === 'shop' ? '' : `${plan} `}${at.toISOString().slice(5, 16).replace('T', ' ')}`

  const scheduler = createScheduler({
    clock,
    plans: plansOf(plans),
    lastScheduled: (plan) => (options.last?.[plan] === undefined ? undefined : new Date(options.last[plan])),
    async fire(slot) {
      fired.push(`${label(slot.plan, slot.scheduledFor)}${slot.trigger === 'schedule' ? '' : ` ${slot.trigger}`}`)
      running.set(slot.plan, (running.get(slot.plan) ?? 0) + 1)
      most = Math.max(most, running.get(slot.plan) ?? 0)
      try {
        await options.run?.(slot, clock)
      } finally {
        running.set(slot.plan, (running.get(slot.plan) ?? 0) - 1)
      }
    },
    missed(slot) {
      missed.push(`${slot.reason} ${label(slot.plan, slot.scheduledFor)}${slot.count === 1 ? '' : ` ×${slot.count}`}`)
      options.missed?.(slot)
    },
    log,
  })
  return {
    clock,
    scheduler,
    fired,
    missed,
    logged,
    most: () => most,
  }
}

export function plansOf(plans: Readonly<Record<string, Schedule>>): { name: string; schedule: Schedule }[] {
  return Object.entries(plans).map(([name, schedule]) => ({ name, schedule }))
}
