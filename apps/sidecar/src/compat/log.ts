import { formatDuration } from '@holdfast/sdk'
import type { LogLevel, Redactor, RuntimeLogger } from '@holdfast/runtime'

/** `[MM/DD/YYYY HH:MM:SS]` in local time: what people's searches in logs look for. */
export function stamp(now: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0')
  const date = [two(now.getMonth() + 1), two(now.getDate()), now.getFullYear()].join('/')
  return `[${date} ${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':')}]`
}

/** Options of {@link createFridgeLogger}. */
export interface CreateFridgeLoggerOptions {
  readonly write: (text: string) => void
  readonly redactor: Pick<Redactor, 'text'>
  readonly now: () => Date
  readonly level: LogLevel
}

const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

/** Logs as sidefridge did: a time and a text, on standard output, at once. What to do about an error follows it. */
export function createFridgeLogger({ write, redactor, now, level }: CreateFridgeLoggerOptions): RuntimeLogger {
  const at =
    (rank: Exclude<LogLevel, 'silent'>) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      if (ranks[rank] < ranks[level]) return
      const { hint } = fields
      const about = typeof hint === 'string' ? `\n${' '.repeat(stamp(now()).length)} ${hint}` : ''
      write(`${stamp(now())} ${redactor.text(message + about)}\n`)
    }
  const log: RuntimeLogger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  return log
}

/** How long something took, as a part of a sentence. */
export function after(ms: number): string {
  return `after ${formatDuration(ms)}`
}
