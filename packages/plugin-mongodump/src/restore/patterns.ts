// Patterns of namespaces as mongorestore has them: `*` stands for anything, `\` takes its meaning away; in renames, names
// between dollar signs stand for anything too.

/** Whether a namespace matches one of some patterns. */
export function matchesAny(patterns: readonly string[], namespace: string): boolean {
  return patterns.some((pattern) => regexpOf(partsOf(pattern, false)).test(namespace))
}

/** A rename: what matches the first pattern is called as the second says. */
export interface Rename {
  readonly from: string
  readonly to: string
}

/**
 * What a namespace is called after some renames. Of several that match, mongorestore takes the last.
 *
 * @throws RangeError for a rename that means nothing, with what is wrong with it
 */
export function renamed(renames: readonly Rename[], namespace: string): string {
  const names = renames.map(compile).findLast(({ pattern }) => pattern.test(namespace))
  return names ? names.apply(namespace) : namespace
}

/** A namespace's part as a pattern that matches nothing else. */
export function escapePattern(text: string): string {
  return text.replaceAll(/[\\*]/g, String.raw`\$&`)
}

interface Compiled {
  readonly pattern: RegExp
  apply(namespace: string): string
}

/** A text, or a name that stands for anything. */
type Part = { readonly text: string } | { readonly name: string }

function compile({ from, to }: Rename): Compiled {
  const hasNames = from.includes('$')
  const source = partsOf(from, hasNames)
  const target = partsOf(to, hasNames)
  const names = source.flatMap((part) => ('name' in part ? part.name : []))
  if (new Set(names).size < names.length) throw new RangeError(`${from} names something twice`)
  if (!hasNames && target.filter((part) => 'name' in part).length !== names.length) {
    throw new RangeError(`${from} and ${to} differ in how many * they have`)
  }
  const unknown = target.find((part) => 'name' in part && !names.includes(part.name))
  if (unknown) throw new RangeError(`${to} uses a name that ${from} does not have`)
  const pattern = regexpOf(source)
  return {
    pattern,
    apply(namespace) {
      const [, ...values] = pattern.exec(namespace) ?? []
      return target.map((part) => ('text' in part ? part.text : (values[names.indexOf(part.name)] ?? ''))).join('')
    },
  }
}

function partsOf(pattern: string, hasNames: boolean): readonly Part[] {
  if (hasNames) {
    const pieces = pattern.split('$')
    if (pieces.length % 2 === 0) throw new RangeError(`${pattern} has a $ without another`)
    return pieces.map((piece, index) => (index % 2 === 0 ? { text: piece } : { name: piece }))
  }
  const parts: Part[] = []
  let count = 0
  for (const [piece] of pattern.matchAll(/\\[\\*]|\*|\\|[^\\*]+/g)) {
    if (piece === '*') parts.push({ name: String(count++) })
    else parts.push({ text: piece.startsWith('\\') ? piece.slice(1) : piece })
  }
  return parts
}

function regexpOf(parts: readonly Part[]): RegExp {
  const source = parts.map((part) =>
    'text' in part ? part.text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`) : '(.*?)',
  )
  return new RegExp(`^${source.join('')}$`, 's')
}
