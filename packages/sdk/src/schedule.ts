import type { Duration } from './duration.ts'

/** When a plan runs. */
export interface Schedule {
  /** Five fields, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. */
  readonly cron: string
  /** IANA name such as `'Europe/Berlin'`. Default: `TZ`, else UTC. */
  readonly timeZone?: string | undefined
  /** Spreads plans over this long after the slot, stable per plan name. Default: none. */
  readonly jitter?: Duration | undefined
  /** What happens to a slot while the last run still goes on. Default `'skip'`. */
  readonly overlap?: 'skip' | 'queue' | 'replace' | undefined
  /** What happens to slots missed while nothing ran. Default `'skip'`. */
  readonly misfire?: 'skip' | 'run-once' | undefined
  readonly paused?: boolean | undefined
}
