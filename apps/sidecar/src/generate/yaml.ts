// The one place where Kubernetes objects become text. What is written means the same to readers of YAML 1.1
// (Kubernetes', most others') and of YAML 1.2.
import { Document, isMap, isNode, isScalar, Scalar, visit } from 'yaml'

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
    Seq(_, node) {
      node.flow = node.items.length > 0 && fitsOneLine(node.items)
    },
  })
  for (const comment of comments) addComment(document, comment)
  // Neither folded nor broken: the bytes of a script are recognisable, and a change of one line is one line of a diff.
  const body = document.toString({
    lineWidth: 0,
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
    flowCollectionPadding: false,
  })
  return `${header === undefined ? '' : lines(header, '#')}${body}`
}

/** Whether a list is a few short words. */
function fitsOneLine(items: readonly unknown[]): boolean {
  const words = items.map((item) => (isScalar(item) ? String(item.value) : '\n'))
  return words.join(', ').length <= 80 && !words.some((word) => /[\n=]/.test(word))
}

function styleOf(text: string): Scalar.Type {
  if (text.includes('\n')) return isBlock(text) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE
  // What the library quotes beyond that (`yes`, `null`, `on`) it quotes all the same.
  return /^[A-Za-z/][\w./-]*(?:[:@=][\w./-]+)*$/.test(text) ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE
}

/**
 * Whether every reader gets a text back from a block as it was. They disagree about blocks that begin with a blank, and
 * about blanks after the last line.
 */
function isBlock(text: string): boolean {
  return !/^\s/.test(text) && !/\n[ \t]+$/.test(text) && !text.includes('\r') && isPrintable(text)
}

/**
 * Whether a text has only characters that YAML has, and no line ends but `\n` and `\r`: readers of YAML 1.1 take
 * Unicode's for line ends, too.
 */
export function isPrintable(text: string): boolean {
  return /^[\t\n\r\u0020-\u007e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u.test(text)
}

function addComment(document: Document, { at, text }: YamlComment): void {
  const last = at.at(-1)
  const parent = at.length === 1 ? document.contents : document.getIn(at.slice(0, -1), true)
  const found = isMap(parent)
    ? parent.items.map(({ key }) => key).find((key) => isScalar(key) && key.value === last)
    : document.getIn(at, true)
  if (!isNode(found)) throw new Error(`there is nothing at ${at.join('.')} to comment on`)
  found.commentBefore = lines(text, '').trimEnd()
}

function lines(text: string, sign: string): string {
  return text
    .split('\n')
    .map((line) => `${`${sign} ${line}`.trimEnd()}\n`)
    .join('')
}
