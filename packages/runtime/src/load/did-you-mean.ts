/**
 * The edits between two words: insertions, deletions, replacements and swaps of neighbours (Damerau-Levenshtein, each
 * letter edited once).
 */
export function editDistance(a: string, b: string): number {
  // Three rows are enough: a swap looks two rows back.
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

// `before_backups` and `BeforeBackups` are spellings of `beforeBackups`.
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_\s]/g, '')
}

/**
 * The word that was probably meant: at most one edit for every three letters away, and the nearest.
 *
 * @returns `undefined` when none is near enough
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  let found: string | undefined
  let nearest = Math.min(3, Math.floor(plain(word).length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(plain(word), plain(candidate))
    if (distance < nearest) {
      nearest = distance
      found = candidate
    }
  }
  return found
}

/** A hint's first sentence: `Did you mean "retention"? `, or nothing. */
export function suggest(word: string, candidates: Iterable<string>): string {
  const meant = didYouMean(word, candidates)
  return meant === undefined ? '' : `Did you mean "${meant}"? `
}
