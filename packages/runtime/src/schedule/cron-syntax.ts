import { CronPattern } from 'croner'
import { errors } from '../errors.ts'
import { cronerOptions, engineOf } from './engine.ts'

/** A cron expression that was checked. */
export interface CronSyntax {
  /** As written, blanks normalised. */
  readonly expression: string
  /** The five fields for Croner. */
  readonly pattern: string
  /** The same days at midnight. */
  readonly days: string
  /** Every day of the year. */
  readonly everyDay: boolean
  /** The same weekdays in every week. */
  readonly weekly: boolean
  /** No wildcard or step in minute and hour: after a gap such a slot is run late, and once when an hour repeats. */
  readonly fixedTime: boolean
  /** Every hour: such a rhythm loses nothing when clocks change. */
  readonly everyHour: boolean
}

const nicknames: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

const fieldNames = ['minute', 'hour', 'day of the month', 'month', 'weekday'] as const
const forms = 'lists (1,2), ranges (1-5) and steps (*/2, 1-9/2)'
const allowed = [
  `A minute is 0-59, with ${forms}.`,
  `An hour is 0-23, with ${forms}.`,
  `A day of the month is 1-31, with ${forms}, or L for the last.`,
  `A month is 1-12 or JAN-DEC, with ${forms}.`,
  `A weekday is 0-7 or SUN-SAT (0 and 7 are Sunday), with ${forms}, or 5#2 for the second Friday.`,
] as const

const knownFields = new Set<string>()
const mostKnownFields = 10_000

/**
 * Checks an expression: five fields or a nickname.
 *
 * @throws HoldfastError `CRON_INVALID`, `CRON_NEVER`
 */
export function parseCronSyntax(text: string): CronSyntax {
  const trimmed = text.trim()
  const expression = trimmed.replaceAll(/[ \t]+/g, ' ')
  const fields = fieldsOf(expression)
  for (const [index, field] of fields.entries()) {
    if (!isField(field, index)) throw invalidField(expression, index, field)
  }

  const [minute = '', hour = '', dayOfMonth = '', month = '', weekday = ''] = fields
  // cron's rule: days match when either field does, unless one of them begins with a star. Croner looks for the star
  // alone, but has a sign for "both".
  const both = [dayOfMonth, weekday].some((field) => /^[*?]./.test(field)) && !weekday.startsWith('+')
  const dayFields = `${dayOfMonth} ${month} ${both ? '+' : ''}${weekday}`
  const pattern = `${minute} ${hour} ${dayFields}`
  const days = `0 0 ${dayFields}`
  const everyDay = [dayOfMonth, month, weekday].every(isWild)
  if (!everyDay && engineOf(days, 'UTC').nextRun(new Date(0)) === null) throw errors.CRON_NEVER({ expression })
  return {
    expression,
    pattern,
    days,
    everyDay,
    weekly: isWild(dayOfMonth) && isWild(month) && !/[#L]/i.test(weekday),
    fixedTime: !/[*?/]/.test(minute + hour),
    everyHour: isWild(hour),
  }
}

function fieldsOf(expression: string): readonly string[] {
  const invalid = (reason: string, hint: string): Error =>
    errors.CRON_INVALID({ expression: JSON.stringify(expression).slice(1, -1), reason, allowed: hint })
  const five = 'It takes five fields: minute, hour, day of the month, month, weekday; for example "0 3 * * *".'

  if (expression === '') throw invalid('it is empty', five)
  // oxlint-disable-next-line no-control-regex -- that is what is looked for
  if (/[\u0000-\u001F\u007F]/.test(expression)) throw invalid('it contains a line break or a control character', five)
  // Croner would read it as a date.
  if (expression.includes(':')) throw invalid('it looks like a time or a date', five)
  if (expression.startsWith('@')) return nickname(expression, invalid).split(' ')

  const fields = expression.split(' ')
  if (fields.length === 6) {
    throw invalid(
      'it has six fields',
      `Seconds are not supported; drop the first field if it was meant as seconds. BusyBox crond would have taken the sixth as the beginning of the command. ${five}`,
    )
  }
  if (fields.length !== 5) throw invalid(`it has ${fields.length} field${fields.length === 1 ? '' : 's'}`, five)
  return fields
}

function nickname(expression: string, invalid: (reason: string, hint: string) => Error): string {
  const known = nicknames[expression.toLowerCase()]
  if (known !== undefined) return known
  if (expression.toLowerCase() === '@reboot') {
    throw invalid(
      '@reboot is not a time',
      'A container starts whenever it is moved or updated, which says nothing about when a backup is due. Use a time, and misfire "run-once" for slots missed while nothing ran.',
    )
  }
  throw invalid('this nickname is not known', `Known are ${Object.keys(nicknames).join(', ')}.`)
}

// Croner is asked about each field alone: a message can name the one that is wrong, and a thousand plans have few
// different fields.
function isField(field: string, index: number): boolean {
  const pattern = fieldNames.map((_, at) => (at === index ? field : '*')).join(' ')
  if (knownFields.has(pattern)) return true
  try {
    const parsed = new CronPattern(pattern, 'UTC', cronerOptions)
    if (knownFields.size < mostKnownFields) knownFields.add(parsed.pattern)
    return true
  } catch {
    return false
  }
}

function invalidField(expression: string, index: number, field: string): Error {
  const start = /^(\d+)\/(\d+)$/.exec(field)
  const last = [59, 23, 31, 12, 6][index]
  const rewrite = start ? ` Write ${start[1]}-${last}/${start[2]} for a step from ${start[1]} on.` : ''
  const reason = `${fieldNames[index]} "${field}" is not allowed`
  return errors.CRON_INVALID({ expression, reason, allowed: `${allowed[index]}${rewrite}`, field: index + 1 })
}

function isWild(field: string): boolean {
  return field === '*' || field === '?' || field === '*/1'
}
