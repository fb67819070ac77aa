import type { HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { didYouMean } from '../load/did-you-mean.ts'

/** A moment at which the clocks of a zone change. */
export interface Transition {
  /** The first instant with the new offset, in milliseconds since 1970. */
  readonly at: number
  /** Offsets from UTC in milliseconds, before and after. */
  readonly before: number
  readonly after: number
}

const dayMs = 86_400_000
// No zone changes twice within so short a time; Morocco's pause for Ramadan takes a month.
const sampleMs = 2 * dayMs

/**
 * The zone a schedule is in.
 *
 * @param zone - IANA name; default: `TZ`, else `UTC`
 * @throws HoldfastError `TIME_ZONE_UNKNOWN`
 */
export function resolveTimeZone(
  zone: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  // POSIX allows a colon before the name of a file in the zone database.
  const name = zone ?? (environment['TZ']?.replace(/^:/, '') || 'UTC')
  if (!isTimeZone(name)) throw unknownTimeZone(name, Intl.supportedValuesOf('timeZone'))
  return name
}

/** The error for a name that is no zone, given the zones that this machine knows. */
export function unknownTimeZone(zone: string, known: readonly string[]): HoldfastError {
  const tzdataMissing = known.length < 10
  const meant = closest(zone, known.concat('UTC'))
  return errors.TIME_ZONE_UNKNOWN({ zone, tzdataMissing, ...(meant !== undefined && { meant }) })
}

/** Offset from UTC in milliseconds at an instant. */
export function offsetAt(zone: string, instant: number): number {
  if (isUtc(zone)) return 0
  const whole = Math.floor(instant / 1000) * 1000
  const local = formatOf(zone).format(whole).match(/\d+/g)?.map(Number) ?? []
  const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] = local
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole
}

/** The clock changes of a zone in `(from, until]`, oldest first. */
export function* transitions(zone: string, from: number, until: number): Generator<Transition> {
  if (isUtc(zone)) return
  const lastYear = new Date(until).getUTCFullYear()
  for (let year = new Date(from).getUTCFullYear(); year <= lastYear; year += 1) {
    for (const transition of transitionsOfYear(zone, year)) {
      if (transition.at > from && transition.at <= until) yield transition
    }
  }
}

/** An instant as a zone's clocks show it: `2026-03-29 03:00 +02:00`. */
export function formatLocal(instant: Date, zone: string): string {
  const offset = offsetAt(zone, instant.getTime())
  const local = new Date(instant.getTime() + offset).toISOString()
  const seconds = instant.getTime() % 60_000 === 0 ? '' : local.slice(16, 19)
  return `${local.slice(0, 10)} ${local.slice(11, 16)}${seconds} ${formatOffset(offset)}`
}

/** `+05:30`. */
export function formatOffset(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / 60_000)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

const formats = new Map<string, Intl.DateTimeFormat>()
const years = new Map<string, readonly Transition[]>()

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (!format) {
    const number = 'numeric'
    const fields = { year: number, month: number, day: number, hour: number, minute: number, second: number } as const
    format = new Intl.DateTimeFormat('en-US', { ...fields, timeZone: zone, hourCycle: 'h23' })
    formats.set(zone, format)
  }
  return format
}

function transitionsOfYear(zone: string, year: number): readonly Transition[] {
  const key = `${zone} ${year}`
  let found = years.get(key)
  if (!found) {
    found = [...searchTransitions(zone, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1))]
    years.set(key, found)
  }
  return found
}

function* searchTransitions(zone: string, start: number, end: number): Generator<Transition> {
  let before = offsetAt(zone, start - 1000)
  for (let low = start - 1000; low < end - 1000;) {
    const high = Math.min(low + sampleMs, end - 1000)
    const after = offsetAt(zone, high)
    if (after !== before) yield { at: bisect(zone, low, high, before), before, after }
    before = after
    low = high
  }
}

// Whole seconds: older zones changed from odd local mean times.
function bisect(zone: string, low: number, high: number, before: number): number {
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000
    if (offsetAt(zone, middle) === before) low = middle
    else high = middle
  }
  return high
}

/** Whether a zone needs no calendar: what knows of the others takes 8 MB, which a process whose schedules are in UTC does without. */
export function isUtc(zone: string): boolean {
  return zone === 'UTC' || zone === 'Etc/UTC'
}

function isTimeZone(name: string): boolean {
  if (isUtc(name)) return true
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

// A city alone names its zone: `Berlin` means Europe/Berlin.
function closest(name: string, known: readonly string[]): string | undefined {
  const cities = new Map(known.map((zone) => [zone.slice(zone.lastIndexOf('/') + 1), zone]))
  const city = didYouMean(name, cities.keys())
  return didYouMean(name, known) ?? (city === undefined ? undefined : cities.get(city))
}
