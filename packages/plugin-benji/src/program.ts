/** Of programs whose exit code is looked at here: no code is a surprise to the one who runs them. */
export const everyExitCode: readonly number[] = Array.from({ length: 256 }, (_, code) => code)

/** The last line with something in it, for a message. A progress display overwrites its line with carriage returns. */
export function lastWords(text: string): string {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim())
  return (lines.findLast((line) => line !== '') ?? '').slice(0, 500)
}
