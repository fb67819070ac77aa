/** One line before it is written: redacted, in the order in which it is shown. */
export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly time: Date
  readonly msg: string
  readonly fields: Readonly<Record<string, unknown>>
}

const styles = { debug: 2, info: 36, warn: 33, error: 31 } as const

/**
 * A log line for a person at a terminal: time, level, message, fields; an error, and what to do about it, on lines of
 * their own.
 *
 * @param colors - whether ANSI colours are used
 */
export function formatForTerminal({ level, time, msg, fields }: LogRecord, colors: boolean): string {
  const paint = (style: number, text: string): string => (colors ? `\u001B[${style}m${text}\u001B[0m` : text)
  const indent = ' '.repeat(15)
  const inline: string[] = []
  const below: string[] = []
  for (const [key, value] of Object.entries(fields)) {
    if (isError(value)) below.push(...errorLines(value, msg))
    else inline.push(`${paint(2, `${printable(key)}=`)}${shown(value)}`)
  }
  const first = [
    paint(2, clockTime(time)),
    paint(styles[level], level.toUpperCase().padEnd(5)),
    printable(msg),
    ...inline,
  ].join(' ')
  return [first, ...below.map((line) => indent + paint(2, line))].join('\n') + '\n'
}

interface ShownError {
  readonly message: string
  readonly code?: unknown
  readonly hint?: unknown
  readonly cause?: unknown
  readonly stack?: unknown
}

function isError(value: unknown): value is ShownError {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
}

function errorLines(error: ShownError, said: string): string[] {
  const code = typeof error.code === 'string' ? `${error.code}: ` : ''
  const lines = error.message === said && code === '' ? [] : [printable(code + error.message)]
  if (typeof error.hint === 'string') lines.push(printable(error.hint))
  if (typeof error.stack === 'string') lines.push(...error.stack.split('\n').slice(1).map(printable))
  if (isError(error.cause))
    lines.push(...errorLines(error.cause, '').map((line, at) => (at === 0 ? `because ${line}` : line)))
  return lines
}

function shown(value: unknown): string {
  if (typeof value !== 'string') return printable(JSON.stringify(value))
  return /^[^\s"=]+$/.test(value) ? printable(value) : printable(JSON.stringify(value))
}

function clockTime(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

/** What a program prints must not move the cursor of whoever reads its log. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/g, (character) => {
    if (character === '\n') return '\\n'
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
