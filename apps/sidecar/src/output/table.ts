import { cutVisible, visibleLength, type Style } from './style.ts'

/** Options of {@link formatTable}. */
export interface FormatTableOptions {
  readonly style: Style
  /** Characters per line, to shorten the widest cells to; `undefined`: nothing is shortened. */
  readonly width?: number | undefined
  /** Columns of numbers, which end below each other. */
  readonly right?: readonly number[] | undefined
}

const gap = '  '
const narrowest = 8
/** Columns whose cells are what other commands ask for: cut, they would be of no use. */
const identifiers: ReadonlySet<string> = new Set(['ARTIFACT', 'RUN', 'ID'])

/**
 * A table without lines around it, for people and for `awk`.
 *
 * @param head - the columns' names
 * @param rows - as many cells as there are names; cells may be coloured
 * @returns ends in a newline
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { style, width, right = [] }: FormatTableOptions,
): string {
  // A row is a line, also where somebody's error has several.
  const lines = rows.map((row) => row.map((cell) => cell.replaceAll(/\s*\n\s*/g, ' ')))
  const widths = head.map((name, column) =>
    Math.max(name.length, ...lines.map((row) => visibleLength(row[column] ?? ''))),
  )
  if (width !== undefined) shrink(widths, head, width)
  const line = (cells: readonly string[], paint: (text: string) => string): string =>
    cells
      .map((cell, column) =>
        fill(cell, widths[column] ?? 0, right.includes(column), column === cells.length - 1, paint),
      )
      .join(gap)
      .trimEnd()
  return [line(head, style.bold), ...lines.map((row) => line(row, (text) => text))].join('\n') + '\n'
}

/**
 * Takes from the widest column that is no identifier until the table fits. Where it can't fit whatever is taken, nothing
 * is: a terminal that wraps lines loses nothing.
 */
function shrink(widths: number[], head: readonly string[], width: number): void {
  const isIdentifier = (column: number): boolean => identifiers.has(head[column] ?? '')
  const least = (column: number): number => Math.max(narrowest, head[column]?.length ?? 0)
  const gaps = gap.length * (widths.length - 1)
  const sum = (each: readonly number[]): number => each.reduce((total, one) => total + one, gaps)
  if (sum(widths.map((each, column) => (isIdentifier(column) ? each : Math.min(each, least(column))))) > width) return
  while (sum(widths) > width) {
    // Of those that can still give: one of them does, since what must stay fits.
    const candidates = widths.map((each, column) => (isIdentifier(column) || each <= least(column) ? 0 : each))
    const widest = candidates.indexOf(Math.max(...candidates))
    widths[widest] = Math.max(least(widest), (widths[widest] ?? 0) - (sum(widths) - width))
  }
}

function fill(cell: string, width: number, right: boolean, last: boolean, paint: (text: string) => string): string {
  const text = visibleLength(cell) > width ? `${cutVisible(cell, width - 1)}…` : cell
  const blanks = ' '.repeat(Math.max(0, width - visibleLength(text)))
  if (right) return blanks + paint(text)
  return paint(text) + (last ? '' : blanks)
}
