import { Cron } from 'croner'
import { isUtc } from './time-zone.ts'

/** How Croner is asked everywhere: five fields, and lists such as `30 2,14 * * *` count as fixed times across DST. */
export const cronerOptions = { mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true } as const

interface Kept {
  readonly pattern: string
  readonly timeZone: string
  readonly engine: Cron
}

// A Croner job takes 83 KB, so a thousand plans must not hold one each; making one again takes 25 µs. A ring that is
// overwritten in place, and no map: tables that a map has outgrown hold what it dropped until the next full collection. A short
// one: what is kept for longer than new objects have room (1 MiB, see launch.js) is garbage that lasts, 60 MiB of it by the time
// that a thousand plans are scheduled.
const ring: (Kept | undefined)[] = Array.from({ length: 4 }, () => undefined)
let oldest = 0

/**
 * Croner's job for a pattern in a zone, never started.
 *
 * @throws TypeError | RangeError when the pattern is not valid
 */
export function engineOf(pattern: string, timeZone: string): Cron {
  const found = ring.find((kept) => kept?.pattern === pattern && kept.timeZone === timeZone)
  if (found) return found.engine
  const zone = isUtc(timeZone) ? { utcOffset: 0 } : { timezone: timeZone }
  const engine = new Cron(pattern, { ...cronerOptions, ...zone })
  ring[oldest] = { pattern, timeZone, engine }
  oldest = (oldest + 1) % ring.length
  return engine
}
