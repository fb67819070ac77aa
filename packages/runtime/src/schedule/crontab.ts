import { createHash } from 'node:crypto'
import { userInfo } from 'node:os'
import { isHoldfastError, type HoldfastError, type Json } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { parseCron } from './cron.ts'
import { parseCrontabLine, splitAtPercent, type CrontabLine, type Word } from './crontab-line.ts'

/** One scheduled command. */
export interface CrontabEntry {
  /** From 1. */
  readonly line: number
  /** Where the command begins, from 1. */
  readonly column: number
  /** Five fields or a nickname, blanks normalised. */
  readonly schedule: string
  /** `CRON_TZ`, else `TZ` of the file; `undefined`: the process's own. */
  readonly timeZone?: string | undefined
  readonly user: string
  /** For `$SHELL -c`; percent signs are resolved. */
  readonly command: string
  /** What the command reads: the text behind an unescaped percent sign. */
  readonly stdin?: string | undefined
  /** The variables above the line, over those of the process. */
  readonly env: Readonly<Record<string, string>>
  readonly planName: string
}

/** A crontab that was read. */
export interface Crontab {
  readonly entries: readonly CrontabEntry[]
  /** Every variable of the file with its last value; a default (`NAME:-value`) that the environment overrides has the environment's. */
  readonly variables: Readonly<Record<string, string>>
  /** `CRONTAB_WARNING`s: what is scheduled, but perhaps not as meant. */
  readonly warnings: readonly HoldfastError[]
}

/** What a crontab is read against. */
export interface CrontabOptions {
  /** Overrides defaults. Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
  /** As whom commands run: lines for others get a warning. Default: the user of the process. */
  readonly user?: string | undefined
}

/**
 * Reads a crontab in the system form: variable lines, comments, and lines of schedule, user and command. A comment
 * `# holdfast: name=NAME` names the plan of the next line; others are named after their command, with six hex digits of
 * the SHA-256 of schedule and command, so that a line that is inserted renames nothing.
 *
 * @param fileName - for messages
 * @throws HoldfastError `CRONTAB_INVALID`, `CRONTAB_DUPLICATE`: the first problem; `details.problems` has all of them
 */
export function parseCrontab(text: string, fileName: string, options: CrontabOptions = {}): Crontab {
  const { environment = process.env, user: runsAs = currentUser() } = options
  const entries: CrontabEntry[] = []
  const variables: Record<string, string> = {}
  const problems: Problem[] = []
  const warnings: HoldfastError[] = []
  const otherUsers = new Set<string>()
  const lineOf = new Map<string, number>()
  let name: (Word & { readonly line: number }) | undefined

  const invalid = (line: number, column: number, reason: string, advice: string, cause?: unknown): void => {
    const params = { file: fileName, line, column, reason, advice }
    problems.push({ line, column, make: (details) => errors.CRONTAB_INVALID(params, { cause, details }) })
  }
  const warn = (line: number, what: string, advice: string): void => {
    warnings.push(errors.CRONTAB_WARNING({ file: fileName, line, what, advice }))
  }

  const addSettings = (line: number, settings: Word): void => {
    const [, value] = /^name=([A-Za-z0-9][\w.-]*)$/.exec(settings.text) ?? []
    if (value === undefined) {
      const reason = `"${settings.text}" is not a setting`
      invalid(line, settings.column, reason, 'Known is name=NAME, with letters, digits, dots, dashes and underscores.')
      return
    }
    name = { text: value, column: settings.column, line }
  }

  const addVariable = (line: number, variable: CrontabLine & { kind: 'variable' }): void => {
    const { name: key, value, isDefault } = variable
    variables[key] = (isDefault && environment[key]) || value
    if (key === 'MAILTO' && value !== '') {
      warn(line, 'MAILTO is not used: no mail is sent', 'Output goes to the log; watch the metrics instead.')
    }
    if (/\s#(?:\s|$)/.test(value)) {
      warn(line, `the value of ${key} contains what looks like a comment`, 'cron has no comments behind a value.')
    }
  }

  const addEntry = (line: number, { schedule, user, command }: CrontabLine & { kind: 'entry' }): void => {
    const given = name
    name = undefined
    const timeZone = (variables['CRON_TZ'] || variables['TZ'])?.replace(/^:/, '') || undefined
    const expression = schedule.map(({ text: field }) => field).join(' ')
    try {
      parseCron(expression, timeZone)
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      const field = Number(error.details['field'] ?? 1)
      invalid(line, schedule[field - 1]?.column ?? 1, error.message, error.hint ?? '', error)
      return
    }
    const planName = given?.text ?? planNameOf(expression, command.text)
    const first = lineOf.get(planName)
    if (first !== undefined) {
      const params = { file: fileName, line, first, plan: planName }
      const column = schedule[0]?.column ?? 1
      problems.push({ line, column, make: (details) => errors.CRONTAB_DUPLICATE(params, { details }) })
      return
    }
    lineOf.set(planName, line)
    if (user.text !== runsAs && !otherUsers.has(user.text)) {
      otherUsers.add(user.text)
      const advice = `If "${user.text}" is the command, the user column is missing.`
      warn(line, `commands of user "${user.text}" run as "${runsAs}"`, advice)
    }
    const env = { ...variables }
    const { text: userName } = user
    entries.push({
      line,
      column: command.column,
      schedule: expression,
      timeZone,
      user: userName,
      ...splitAtPercent(command.text),
      env,
      planName,
    })
  }

  const lines = text.replace(/^\uFEFF/, '').split('\n')
  const carriageReturn = lines.findIndex((line) => line.endsWith('\r'))
  if (carriageReturn !== -1) {
    warn(carriageReturn + 1, 'lines end with CR LF', 'The CR is ignored; cron would hand it to the command.')
  }
  for (const [index, raw] of lines.entries()) {
    const parsed = parseCrontabLine(raw.replace(/\r$/, ''))
    if (parsed.kind === 'settings') addSettings(index + 1, parsed.settings)
    else if (parsed.kind === 'variable') addVariable(index + 1, parsed)
    else if (parsed.kind === 'entry') addEntry(index + 1, parsed)
    else if (parsed.kind === 'invalid') invalid(index + 1, parsed.column, parsed.reason, parsed.advice)
  }
  if (name) warn(name.line, `the name "${name.text}" has no line below it`, 'Put it above the line that it names.')
  throwFirst(fileName, problems)
  return { entries, variables, warnings }
}

interface Problem {
  readonly line: number
  readonly column: number
  make(details?: Readonly<Record<string, Json>>): HoldfastError
}

function throwFirst(file: string, problems: readonly Problem[]): void {
  const [first] = problems
  if (!first) return
  const all = problems.map(({ line, column, make }) => {
    const { code, message, hint = '' } = make()
    return { code, message, hint, file, line, column }
  })
  throw first.make({ problems: all })
}

function planNameOf(schedule: string, command: string): string {
  const words = command.trim().split(/\s+/)
  const program = words.find((word) => !/^\w+=/.test(word)) ?? ''
  const base = program.slice(program.lastIndexOf('/') + 1).replaceAll(/[^\w.-]/g, '')
  const normalised = `${schedule} ${words.join(' ')}`
  const digest = createHash('sha256').update(normalised).digest('hex').slice(0, 6)
  return `${/^[A-Za-z0-9]/.test(base) ? base : 'command'}-${digest}`
}

function currentUser(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run as a number that no user has.
    return String(process.getuid?.())
  }
}
