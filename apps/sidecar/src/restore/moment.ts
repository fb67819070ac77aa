import { isHoldfastError } from '@holdfast/sdk'
import { offsetAt, resolveTimeZone } from '@holdfast/runtime'
import { errors } from '../errors.ts'

/** What a moment looks like; the parts from the blank on may be left out. */
const form = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?)?\s?(Z|[+-]\d\d:?\d\d)?$/i
const dayMs = 86_400_000

/**
 * The zone that times are in: the one asked for, else this process's.
 *
 * @throws HoldfastError `OPTION_INVALID`
 */
export function zoneOf(asked: string | undefined): string {
  if (asked !== undefined) {
    try {
      return resolveTimeZone(asked)
    } catch (error) {
      const meant = isHoldfastError(error) ? error.details['meant'] : undefined
      const allowed = `a time zone such as ${typeof meant === 'string' ? meant : 'Europe/Berlin'}`
      throw errors.OPTION_INVALID({ option: '--time-zone', value: asked, allowed }, { cause: error })
    }
  }
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  return timeZone === 'Etc/Unknown' ? 'UTC' : timeZone
}

/**
 * Reads `--at`. Without an offset of its own a time is what the clocks of the zone show; of an hour that comes twice it is
 * the first, and a date alone is its midnight.
 *
 * @throws HoldfastError `OPTION_INVALID`
 */
export function parseMoment(text: string, zone: string): Date {
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '.0', offset] =
    form.exec(text.trim()) ?? []
  const wall = `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction.padEnd(4, '0').slice(0, 4)}Z`
  const time = new Date(wall)
  // The calendar's own limits: the 30th of February is none.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== wall) {
    const allowed = `a time such as 2026-11-20T03:00, which is in ${zone}, 2026-11-20T03:00Z or 2026-11-20T03:00+01:00`
    throw errors.OPTION_INVALID({ option: '--at', value: text, allowed })
  }
  const shown = time.getTime()
  return new Date(offset === undefined ? instantOf(shown, zone) : shown - offsetMs(offset))
}

/** A moment as the clocks of a zone show it: `2026-11-20 03:00:00`. */
export function formatMoment(at: Date, zone: string): string {
  return new Date(at.getTime() + offsetAt(zone, at.getTime())).toISOString().slice(0, 19).replace('T', ' ')
}

/** When the clocks of a zone showed this first; of an hour that is left out, as if they had not been changed yet. */
function instantOf(shown: number, zone: string): number {
  const before = offsetAt(zone, shown - dayMs)
  const fitting = [before, offsetAt(zone, shown + dayMs)].filter((offset) => offsetAt(zone, shown - offset) === offset)
  return shown - Math.max(...(fitting.length > 0 ? fitting : [before]))
}

function offsetMs(text: string): number {
  if (text.toUpperCase() === 'Z') return 0
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(text) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}
