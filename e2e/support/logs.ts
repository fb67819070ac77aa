/** A line of our JSON logs, as far as tests look. */
export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly code?: string
  readonly hint?: string
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
}

/** The lines of a log; what is no JSON is something else that was printed. */
export function readLog(text: string): readonly LogLine[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine)
}
