import type { Sink } from '@holdfast/sdk'

/** A sink that hands over what it gets line by line. */
export interface LineSink extends Sink {
  /** After the last chunk: the last line may have no newline. */
  end(): void
}

/** Characters; a longer line is handed over in pieces. A list of everything that a retention removes is one line. */
const longestLine = 16 * 2 ** 20

/** Creates a {@link LineSink}. Bytes that are no UTF-8 become replacement characters, wherever the chunks are cut. */
export function createLineSink(onLine: (line: string) => void): LineSink {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let parts: string[] = []
  let length = 0

  const flush = (): void => {
    const line = parts.join('')
    parts = []
    length = 0
    onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
  }
  const keep = (text: string): void => {
    parts.push(text)
    length += text.length
    if (length > longestLine) flush()
  }
  const take = (text: string): void => {
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      parts.push(text.slice(start, end))
      flush()
      start = end + 1
    }
    if (start < text.length) keep(text.slice(start))
  }

  return {
    write: async (chunk) => take(decoder.decode(chunk, { stream: true })),
    end() {
      take(decoder.decode())
      if (length > 0) flush()
    },
  }
}
