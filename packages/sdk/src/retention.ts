/**
 * How many restore points to keep, by Benji's rules: the `latest` newest in any case, and of each hour, day, week, month
 * or year, counted back from now, the oldest point in it. `hours: 3` means the current hour and the three before it. A
 * point that any rule keeps is kept, and the newest verified one always is.
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
