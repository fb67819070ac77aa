/** The words of a comment up to its first tag, in one line. */
export function summaryOf(comment: string): string {
  return (partsOf(comment)[0]?.text ?? '').replaceAll(/\s+/g, ' ').trim()
}

/** A comment of the sources (TSDoc) as Markdown: its words, then what each tag says. */
export function renderComment(comment: string): string {
  return partsOf(comment)
    .map(({ tag, text }) => {
      const words = titles[tag]
      if (tag === '' || words === undefined) return text
      return words.endsWith('\n') ? `${words}\n${text}` : `${words} ${text}`
    })
    .filter((part) => part.trim() !== '')
    .join('\n\n')
}

const titles: Readonly<Record<string, string>> = {
  param: '**Parameter**',
  typeParam: '**Type parameter**',
  returns: '**Returns**',
  throws: '**Throws**',
  defaultValue: '**Default:**',
  example: '**Example**\n',
  experimental: '**Experimental:** it may still change.',
}

interface Part {
  /** Without its `@`; empty for what comes before the first. */
  readonly tag: string
  readonly text: string
}

function partsOf(comment: string): readonly Part[] {
  const text = comment
    .replace(/^\s*\/\*\*/, '')
    .replace(/\*\/\s*$/, '')
    .replaceAll(/^[ \t]*\* ?/gm, '')
  // An @ in an example is none of ours.
  const pieces = text.split(/^@(?=(?:param|typeParam|returns|throws|defaultValue|example|remarks|experimental)\b)/m)
  return pieces.map((piece, index) => {
    const [, tag = '', rest = ''] = index === 0 ? ['', '', piece] : (/^(\w+)\s*([^]*)$/.exec(piece) ?? [])
    const named = tag === 'param' || tag === 'typeParam' ? rest.replace(/^(\w+)\s*-?\s*/, '`$1`: ') : rest
    return { tag, text: outsideCode(named.trim()) }
  })
}

/** What Vue or Markdown would take for something else, and links that only editors can follow. */
function outsideCode(text: string): string {
  return text
    .split(/(^```[^]*?^```$|`[^`\n]*`)/m)
    .map((part) =>
      part.startsWith('`')
        ? part
        : part
            .replaceAll(/\{@link ([\w.]+)[^}]*\}/g, '`$1`')
            .replaceAll('{{', '&#123;&#123;')
            .replaceAll(/<(?=[\w/])/g, '&lt;'),
    )
    .join('')
}
