import type { Catalogue } from './catalogues.ts'

/** Codes of a catalogue that no source of its package mentions. */
export function findUnusedCodes(catalogue: Catalogue, sources: ReadonlyMap<string, string>): readonly string[] {
  const text = [...sources.values()].map(withoutComments).join('\n')
  return catalogue.entries.map(({ code }) => code).filter((code) => !new RegExp(`\\b${code}\\b`).test(text))
}

/** Errors made with a code that no catalogue declares, as `file: CODE`. */
export function findUndeclaredCodes(
  catalogues: readonly Catalogue[],
  sources: ReadonlyMap<string, string>,
): readonly string[] {
  const declared = new Set(catalogues.flatMap(({ entries }) => entries.map(({ code }) => code)))
  return [...sources].flatMap(([file, text]) =>
    [...withoutComments(text).matchAll(/new HoldfastError\(\{[^}]*?\bcode: '([^']+)'/g)]
      .map((match) => match[1] ?? '')
      .filter((code) => !declared.has(code))
      .map((code) => `${file}: ${code}`),
  )
}

// Whole-line comments: that is where examples stand.
function withoutComments(text: string): string {
  return text.replace(/^\s*(\/?\*|\/\/).*$/gm, '')
}
