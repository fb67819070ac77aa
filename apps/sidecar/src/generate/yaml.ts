// The one place where Kubernetes objects become text. What is written means the same to readers of YAML 1.1
// (Kubernetes', most others') and of YAML 1.2.
import { Document, isMap, isNode, isScalar, isSeq, Scalar, visit, type Pair } from 'yaml'

/** A comment above the key or the list's item at a path. */
export interface YamlComment {
  readonly at: readonly (string | number)[]
  readonly text: string
}

/** One document: a Kubernetes object, or a fragment of one, as plain data. */
export interface YamlPage {
  readonly value: object
  /** A comment above the whole. */
  readonly header?: string | undefined
  readonly comments?: readonly YamlComment[] | undefined
}

/** Words that no reader of YAML takes for anything but text; what the library already quotes need not be excluded. */
const plain = /^[A-Za-z/][\w./-]*(?:[:@][\w./-]+)*$/

/**
 * Whether a text survives as a block, every byte of it. Readers disagree about blocks that begin with a blank or a tab,
 * take carriage returns and Unicode's line ends for line ends of their own, and drop blanks at the end.
 */
const block = /^[^\s](?:[^]*\n)?(?:[^]*[^\s]|[^\n]*\n+|\n*)$/

/** Pages as text: one document, or several with `---` between them. */
export function toYaml(pages: readonly YamlPage[]): string {
  return pages.map(pageText).join('---\n')
}

function pageText({ value, header, comments = [] }: YamlPage): string {
  const document = new Document(value, { aliasDuplicateObjects: false, compat: 'yaml-1.1', version: '1.2' })
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string') node.type = styleOf(node.value)
    },
  })
  for (const comment of comments) addComment(document, comment)
  const body = document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER })
  return `${header === undefined ? '' : commentLines(header)}${body}`
}

function styleOf(text: string): Scalar.Type {
  if (text.includes('\n')) return block.test(text) && isPrintable(text) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE
  return plain.test(text) ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE
}
