import type { Terminal } from '../io.ts'
import { cutVisible, visibleLength } from './style.ts'

/** A terminal whose last line says what is going on; everything else is written above it. */
export interface Screen extends Terminal {
  /** Shows the line, or nothing. Does nothing where the stream is no terminal. */
  status(line: string | undefined): void
}

const clearLine = '\r\u001B[2K'

/** Adds a status line to a terminal. */
export function createScreen(terminal: Terminal): Screen {
  let shown = ''
  /** Whether the last thing written ended its line: the status belongs on a line of its own. */
  let atLineStart = true

  const draw = (line: string): void => {
    const width = terminal.columns ?? 80
    shown = visibleLength(line) < width ? line : cutVisible(line, width - 1)
    if (shown !== '') terminal.write(shown)
  }
  const clear = (): void => {
    if (shown !== '') terminal.write(clearLine)
  }

  return {
    write(text) {
      if (text === '') return
      const line = shown
      clear()
      terminal.write(text)
      shown = ''
      atLineStart = text.endsWith('\n')
      if (line !== '' && atLineStart) draw(line)
    },
    status(line = '') {
      if (!terminal.isTTY || !atLineStart || line === shown) return
      clear()
      draw(line)
    },
    get isTTY() {
      return terminal.isTTY
    },
    get columns() {
      return terminal.columns
    },
  }
}
