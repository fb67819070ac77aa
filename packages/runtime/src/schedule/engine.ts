import { Cron } from 'croner'

/** How Croner is asked everywhere: five fields, and lists such as `30 2,14 * * *` count as fixed times across DST. */
export const cronerOptions = { mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true } as const

// A Croner job takes 83 KB, so a thousand plans must not hold one each; making one again takes 25 µs.
const kept = 16

const engines = new Map<string, Cron>()

/**
 * Croner's job for a pattern in a zone, never started.
 *
 * @throws TypeError | RangeError when the pattern is not valid
 */
export function engineOf(pattern: string, timeZone: string): Cron {
  const key = `${pattern} ${timeZone}`
  let engine = engines.get(key)
  if (engine) engines.delete(key)
  else engine = new Cron(pattern, { ...cronerOptions, timezone: timeZone })
  // A map keeps the order of insertion: the first key is the one that was not asked for longest.
  engines.set(key, engine)
  if (engines.size > kept) {
    const [oldest = key] = engines.keys()
    engines.delete(oldest)
  }
  return engine
}
