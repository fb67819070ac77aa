import { countSlots, countWallSlots, longestGap } from './cron-count.ts'
import { parseCronSyntax } from './cron-syntax.ts'
import { engineOf } from './engine.ts'
import { resolveTimeZone, transitions, type Transition } from './time-zone.ts'

/** A checked cron expression in a time zone. Cheap to keep: a thousand of them take well under a megabyte. */
export interface Cron {
  /** As written, blanks normalised. */
  readonly expression: string
  readonly timeZone: string
  /** The first slot after that instant; `undefined`: none before the year 3000. */
  next(after: Date): Date | undefined
  /** The last slot before that instant. */
  previous(before: Date): Date | undefined
  /** How many slots are in `(after, until]`. Takes milliseconds even for years of minutes. */
  count(after: Date, until: Date): number
  /**
   * Slots in `(after, until]` that fell away because clocks were set forward over them: those of expressions with steps
   * or wildcards in the minute or hour, unless they run every hour anyway. A fixed time such as `30 2 * * *` isn't
   * lost: its slot is the first instant after the gap.
   */
  lost(after: Date, until: Date): readonly LostSlots[]
  /** The longest time between two slots in milliseconds, over five years; a clock change can stretch it by its shift. */
  readonly longestGapMs: number
}

/** Slots that a clock change swallowed. */
export interface LostSlots {
  /** The first instant after the gap. */
  readonly at: Date
  readonly count: number
}

const dayMs = 86_400_000

/**
 * Parses a cron expression: five fields or `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`,
 * `@annually`. Day of the month and weekday follow cron's rule: when both are given, either one is enough.
 *
 * Across clock changes a fixed time (no wildcard or step in minute and hour) runs exactly once: after the gap when it
 * doesn't exist, the first time when it happens twice. All others follow the clock on the wall.
 *
 * @param timeZone - IANA name. Default: `TZ`, else UTC
 * @throws HoldfastError `CRON_INVALID`, `CRON_NEVER`, `TIME_ZONE_UNKNOWN`
 */
export function parseCron(expression: string, timeZone?: string): Cron {
  const zone = resolveTimeZone(timeZone)
  const syntax = parseCronSyntax(expression)

  const next = (after: Date): Date | undefined => {
    const found = engineOf(syntax.pattern, zone).nextRun(after)
    if (found === null) return undefined
    if (syntax.fixedTime) {
      for (const gap of transitions(zone, after.getTime(), found.getTime())) {
        if (countBeforeMidnight(gap) > 0 && isShort(gap)) return new Date(gap.at)
      }
    }
    return found
  }

  const previous = (before: Date): Date | undefined => {
    const [found] = engineOf(syntax.pattern, zone).previousRuns(1, before)
    if (found === undefined) return undefined
    let late: Date | undefined
    if (syntax.fixedTime) {
      for (const gap of transitions(zone, found.getTime(), before.getTime() - 1)) {
        if (countBeforeMidnight(gap) > 0 && isShort(gap)) late = new Date(gap.at)
      }
    }
    return late ?? found
  }

  // Croner runs a fixed time that a gap swallowed after the gap only if that is still the same day. Where clocks are set
  // forward over midnight (23:00 to 00:00 in Nuuk), 23:30 would be left out, and two days pass between daily backups.
  const countBeforeMidnight = (gap: Transition): number => {
    const start = gap.at + gap.before
    const end = gap.at + gap.after
    const midnight = Math.floor(end / dayMs) * dayMs
    return end > start && midnight > start ? countWallSlots(syntax, start - 1, midnight - 1) : 0
  }

  const lost = (after: Date, until: Date): readonly LostSlots[] => {
    if (syntax.everyHour) return []
    const found: LostSlots[] = []
    for (const gap of transitions(zone, after.getTime(), until.getTime())) {
      const count = syntax.fixedTime
        ? isShort(gap)
          ? 0
          : countBeforeMidnight(gap)
        : countWallSlots(syntax, gap.at + gap.before - 1, gap.at + gap.after - 1)
      if (count > 0) found.push({ at: new Date(gap.at), count })
    }
    return found
  }

  let longest: number | undefined
  return {
    expression: syntax.expression,
    timeZone: zone,
    next,
    previous,
    count: (after, until) => countSlots({ next, syntax, zone }, after.getTime(), until.getTime()),
    lost,
    get longestGapMs() {
      return (longest ??= longestGap(syntax))
    },
  }
}

// A longer one is a zone that moved across the date line: that day doesn't exist there, and nobody misses its backup.
function isShort(gap: Transition): boolean {
  return gap.after - gap.before < dayMs / 2
}
