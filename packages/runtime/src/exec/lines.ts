/** Cuts a stream of bytes into lines of text. */
export interface Lines {
  push(chunk: Uint8Array): void
  /** The last line, if it has no newline at its end. */
  end(): void
}

/** Characters of the longest line; a longer one is handed over in pieces of this size. */
export const longestLine = 64 * 1024

/**
 * Creates a {@link Lines}. Bytes that are no UTF-8 become replacement characters, wherever the chunks are cut; a
 * carriage return before the newline is dropped.
 *
 * @param onLine - called for each line, without its newline
 */
export function createLines(onLine: (line: string) => void): Lines {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let rest = ''

  const take = (text: string): void => {
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const line = rest + text.slice(start, end)
      rest = ''
      start = end + 1
      for (const piece of pieces(line.endsWith('\r') ? line.slice(0, -1) : line)) onLine(piece)
    }
    rest += text.slice(start)
    while (rest.length > longestLine) {
      onLine(rest.slice(0, longestLine))
      rest = rest.slice(longestLine)
    }
  }

  return {
    push: (chunk) => take(decoder.decode(chunk, { stream: true })),
    end() {
      take(decoder.decode())
      if (rest !== '') onLine(rest)
      rest = ''
    },
  }
}

function pieces(line: string): string[] {
  if (line.length <= longestLine) return [line]
  return Array.from({ length: Math.ceil(line.length / longestLine) }, (_, at) =>
    line.slice(at * longestLine, (at + 1) * longestLine),
  )
}
