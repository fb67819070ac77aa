import type { Terminal } from '../io.ts'

/** Ways in which text can stand out. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

/** The styles of a stream: real ones on a terminal with colours, else none. */
export function styleFor(terminal: Pick<Terminal, 'isTTY'>, env: NodeJS.ProcessEnv): Style {
  const paint = hasColors(terminal, env)
    ? (on: number, off: number) => (text: string) => `\u001B[${on}m${text}\u001B[${off}m`
    : () => (text: string) => text
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  }
}

/** Whether a stream takes colours: a terminal does, unless `NO_COLOR` or a dumb `TERM` says no; `FORCE_COLOR` says yes. */
export function hasColors({ isTTY }: Pick<Terminal, 'isTTY'>, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR']) return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return isTTY && env['TERM'] !== 'dumb'
}

/** How many characters of a text are seen. */
export function visibleLength(text: string): number {
  return withoutStyle(text).length
}

/**
 * A text that is cut after so many characters that are seen. Colours end where they would have ended: what is written after
 * it must not be in them.
 */
export function cutVisible(text: string, length: number): string {
  let left = length
  // eslint-disable-next-line no-control-regex -- the escape character begins a colour
  const parts = text.split(/(\u001B\[\d+m)/)
  return parts
    .map((part, index) => {
      if (index % 2 === 1) return part
      const shown = part.slice(0, left)
      left -= shown.length
      return shown
    })
    .join('')
}

/** A text without its colours. */
export function withoutStyle(text: string): string {
  // eslint-disable-next-line no-control-regex -- the escape character begins a colour
  return text.replaceAll(/\u001B\[\d+m/g, '')
}
