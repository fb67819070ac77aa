// What the demo says, as a person would want to read it.
import { styleText } from 'node:util'

const colors = process.stdout.isTTY && !process.env['NO_COLOR']
const style = (format: Parameters<typeof styleText>[0], text: string): string =>
  colors ? styleText(format, text) : text

/** A heading. */
export function heading(text: string): void {
  process.stdout.write(`\n${style('bold', text)}\n`)
}

/** One thing that happened. */
export function step(text: string): void {
  process.stdout.write(`  ${text}\n`)
}

/** One thing that was checked. Ends the demo when it does not hold. */
export function check(holds: boolean, text: string): void {
  process.stdout.write(`  ${holds ? style('green', '✓') : style('red', '✗')} ${text}\n`)
  if (!holds) throw new Error(`did not hold: ${text}`)
}

/** Milliseconds for people. */
export function ms(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}

/** Bytes for people. */
export function bytes(count: number): string {
  return count < 1024 * 1024 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1024 / 1024).toFixed(1)} MiB`
}
