/**
 * Shortens every string and list of a plain value, so that a log line fits; what was cut says by how much.
 *
 * @param limit - characters of a string; lists and objects keep an eighth of that in entries, at least 8
 */
export function cutStrings<T>(value: T, limit: number): T {
  const entries = Math.max(8, limit / 8)
  const any = (input: unknown): unknown => {
    if (typeof input === 'string') {
      return input.length <= limit ? input : `${head(input, limit)}… [${input.length - limit} characters cut]`
    }
    if (Array.isArray(input)) {
      const items = input.slice(0, entries).map(any)
      return input.length > entries ? [...items, `[${input.length - entries} entries cut]`] : items
    }
    if (typeof input !== 'object' || input === null) return input
    const all = Object.entries(input)
    const kept = all.slice(0, entries).map(([key, field]): [string, unknown] => [head(key, 128), any(field)])
    if (all.length > entries) kept.push(['cut', `[${all.length - entries} entries cut]`])
    return Object.fromEntries(kept)
  }
  return any(value) as T
}

function head(text: string, limit: number): string {
  return text.slice(0, limit).toWellFormed()
}
