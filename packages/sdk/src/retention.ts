/**
 * How many restore points to keep: the newest of each of the last so many hours, days, … that have one, and the
 * `latest` newest in any case. A point that any rule keeps is kept.
 *
 * @example
 * ```ts
 * const retention: Retention = { latest: 3, days: 14, months: 6 }
 * ```
 */
export interface Retention {
  readonly latest?: number | undefined
  readonly hours?: number | undefined
  readonly days?: number | undefined
  readonly weeks?: number | undefined
  readonly months?: number | undefined
  readonly years?: number | undefined
}
