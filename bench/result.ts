/** What one benchmark found: a row of the results. */
export interface Result {
  /** What was measured, against what. */
  readonly name: string
  /** Ours to theirs. */
  readonly ratio: number
  /** What the ratio should be; `reported` where nothing was promised. */
  readonly bar: string
  readonly pass: boolean
  /** The figures behind it, and what to know of them. */
  readonly note?: string
}

/** The middle one, or between the two in the middle; `NaN` of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] ?? Number.NaN) + (sorted[sorted.length >> 1] ?? Number.NaN)) / 2
}

/** Milliseconds for people. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
