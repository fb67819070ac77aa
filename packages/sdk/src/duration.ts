/**
 * A length of time: milliseconds, or a number with a unit (`'250ms'`, `'30s'`, `'5m'`, `'6h'`, `'7d'`).
 *
 * @example
 * ```ts
 * const budget: Duration = '6h'
 * ```
 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/**
 * Whether a value is a {@link Duration}: a finite number of milliseconds of at least 0, or such a number with a unit.
 */
export function isDuration(value: unknown): value is Duration {
  return parse(value) !== undefined
}

/**
 * A duration in whole milliseconds.
 *
 * @param duration - milliseconds, or a text such as `'5m'`
 * @returns milliseconds, rounded, at least 0
 * @throws TypeError when it is negative, not finite, or has no known unit
 * @example
 * ```ts
 * parseDuration('1.5h') // 5400000
 * ```
 */
export function parseDuration(duration: Duration): number {
  const ms = parse(duration)
  if (ms === undefined) {
    throw new TypeError(
      `${JSON.stringify(duration)} is not a duration: use milliseconds or a number with ms, s, m, h or d, such as '5m'`,
    )
  }
  return ms
}

function parse(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined
  if (typeof value !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value)
  if (!match) return undefined
  const ms = Math.round(Number(match[1]) * unitMs[match[2] as keyof typeof unitMs])
  return Number.isSafeInteger(ms) ? ms : undefined
}

/**
 * A duration for people: the two largest units that matter.
 *
 * @param ms - milliseconds
 * @example
 * ```ts
 * formatDuration(5_430_000) // '1h 30m'
 * ```
 */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}
