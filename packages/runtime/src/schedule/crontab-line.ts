// The grammar of one line of a system crontab.

/** A part of a line; columns count from 1. */
export interface Word {
  readonly text: string
  readonly column: number
}

/** What a line of a crontab is. */
export type CrontabLine =
  | { readonly kind: 'empty' }
  /** `# holdfast: name=…`; `settings` is what follows the colon. */
  | { readonly kind: 'settings'; readonly settings: Word }
  | { readonly kind: 'variable'; readonly name: string; readonly value: string; readonly isDefault: boolean }
  | { readonly kind: 'entry'; readonly schedule: readonly Word[]; readonly user: Word; readonly command: Word }
  | { readonly kind: 'invalid'; readonly column: number; readonly reason: string; readonly advice: string }

const variablePattern = /^\s*(?:([A-Za-z_]\w*)|"([^"]*)"|'([^']*)')(?:\s*(=)|(:-))\s*(.*?)\s*$/
const settingsPattern = /^(\s*#\s*holdfast:\s*)(.*?)\s*$/
const userPattern = /^[A-Za-z_][\w.-]*\$?(?::[\w.-]+)?(?:\/[\w.-]+)?$/
// Without the user column the command stands in its place.
const commandPattern = /^(?:fridge|kubectlexec|benji|benji-[a-z-]+|sh|bash|python3?)$/
// The user of our images is called holdfast, too: it is the command where one of its own words follows.
const ownCommandPattern = /^holdfast (?:benji|doctor|list|plan|restore|run|undo|validate|verify)$/

const systemForm = 'A line is: minute hour day-of-month month weekday USER COMMAND.'
const missingUser = `The user column seems to be missing. ${systemForm}`

/** Reads one line, without its line break. */
export function parseCrontabLine(line: string): CrontabLine {
  const settings = settingsPattern.exec(line)
  if (settings) {
    const [, before = '', text = ''] = settings
    return { kind: 'settings', settings: { text, column: before.length + 1 } }
  }
  if (/^\s*(?:#|$)/.test(line)) return { kind: 'empty' }
  const variable = variablePattern.exec(line)
  return variable ? parseVariable(line, variable) : parseEntry(line)
}

function parseVariable(line: string, match: RegExpExecArray): CrontabLine {
  const [, plain, double, single, , isDefault, text = ''] = match
  const name = plain ?? double ?? single ?? ''
  const quote = /^["']/.exec(text)?.[0]
  const column = line.trimEnd().length - text.length + 1
  if (quote !== undefined && !new RegExp(`^${quote}[^${quote}]*${quote}$`).test(text)) {
    const advice = 'cron takes a value in quotes as a whole: put nothing behind the closing quote.'
    return { kind: 'invalid', column, reason: `the value of ${name} has an unmatched quote`, advice }
  }
  const value = quote === undefined ? text : text.slice(1, -1)
  return { kind: 'variable', name, value, isDefault: isDefault !== undefined }
}

function parseEntry(line: string): CrontabLine {
  const words = [...line.matchAll(/\S+/g)].map(({ 0: text, index }): Word => ({ text, column: index + 1 }))
  const [first] = words
  const fields = first?.text.startsWith('@') ? 1 : 5
  const schedule = words.slice(0, fields)
  const [user, start] = words.slice(fields)
  const invalid = (at: Word | undefined, reason: string, advice: string): CrontabLine => ({
    kind: 'invalid',
    column: at?.column ?? line.length + 1,
    reason,
    advice,
  })
  if (fields === 5 && !/^[\d*?]/.test(first?.text ?? '')) {
    return invalid(first, 'this is no schedule, no variable and no comment', `${systemForm} A variable is NAME=value.`)
  }
  if (user === undefined) return invalid(undefined, 'the line ends before the command', systemForm)
  if (/^[\d*?,/-]+$/.test(user.text)) {
    const advice = `Seconds are not supported; drop the first field if it was meant as seconds. ${systemForm}`
    return invalid(user, 'the schedule has six fields', advice)
  }
  if (!userPattern.test(user.text)) return invalid(user, `"${user.text}" is not a user name`, missingUser)
  const isCommand = commandPattern.test(user.text) || ownCommandPattern.test(`${user.text} ${start?.text ?? ''}`)
  if (isCommand || start?.text.startsWith('-')) {
    return invalid(user, `"${user.text}" stands where the user belongs`, missingUser)
  }
  if (start === undefined) return invalid(undefined, 'the line ends before the command', missingUser)
  const command = { text: line.slice(start.column - 1).trimEnd(), column: start.column }
  return { kind: 'entry', schedule, user, command }
}

/**
 * What cron makes of a percent sign: the first ends the command, what follows is its standard input with a line break
 * for each further one, and one at its end if there is none; `\%` is a percent sign.
 */
export function splitAtPercent(text: string): { readonly command: string; readonly stdin?: string } {
  const parts = ['']
  // A backslash takes the next character with it, so that one before another escapes nothing.
  for (const [token] of text.matchAll(/\\.|[^\\%]+|[^]/g)) {
    if (token === '%') parts.push('')
    else parts.push(`${parts.pop()}${token === '\\%' ? '%' : token}`)
  }
  const [command = '', ...lines] = parts
  const stdin = lines.join('\n')
  if (stdin === '') return { command }
  return { command, stdin: stdin.endsWith('\n') ? stdin : `${stdin}\n` }
}
