/** One fire time of one plan. */
export interface Slot {
  readonly plan: string
  /** When it is due, jitter included. */
  readonly scheduledFor: Date
}

/** A slot that is run. */
export interface FireSlot extends Slot {
  /** `catch-up`: the slot was missed, and `misfire` is `run-once`. */
  readonly trigger: 'schedule' | 'catch-up'
  /** Aborts when the next slot replaces this run (`overlap: 'replace'`). */
  readonly signal: AbortSignal
}

/**
 * Why a slot was not run: nothing ran at the time (`down`), the last run was still going on (`overlap`), the plan was
 * `paused`, clocks were set forward over it (`dst_gap`), or the machine's clock jumped or stood still (`clock`).
 */
export type MissedReason = 'down' | 'overlap' | 'paused' | 'dst_gap' | 'clock'

/** Slots that are not run. */
export interface MissedSlot extends Slot {
  readonly reason: MissedReason
  /** How many slots this is about; `scheduledFor` is the newest of them. A long downtime is reported once. */
  readonly count: number
}
