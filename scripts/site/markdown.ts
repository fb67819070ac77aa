import { relative, sep } from 'node:path'
import { root } from '../workspaces.ts'

/** The part of markdown-it's tokens that the site uses. */
export interface Token {
  readonly type: string
  readonly children: readonly Token[] | null
  content: string
  attrGet(name: string): string | null
  attrSet(name: string, value: string): void
}

/** The part of markdown-it's parser that the site uses. */
export interface Parser {
  readonly core: { readonly ruler: { push(name: string, rule: (state: ParserState) => void): void } }
  readonly renderer: { readonly rules: { text?: Renderer | undefined; code_inline?: Renderer | undefined } }
}

/** How a token becomes HTML. */
type Renderer = (tokens: never, index: number, ...rest: readonly never[]) => string

/** What a rule works on. */
export interface ParserState {
  tokens: readonly Token[]
  readonly env: Environment
  readonly Token: new (type: string, tag: string, nesting: 0) => Token
}

/** What VitePress says about a page: where it is in the site, and, if that is elsewhere, where its file is. */
export interface Environment {
  readonly path?: string
  readonly realPath?: string
}

/** The file of a page, relative to the repository. */
export function pageOf({ path = '', realPath = path }: Environment): string {
  return relative(root, realPath).split(sep).join('/')
}

/** Braces in a sentence, code in it included, are braces, and no expression of Vue's. Blocks are left alone by VitePress. */
export function literalBraces({ renderer: { rules } }: Parser): void {
  for (const name of ['text', 'code_inline'] as const) {
    const render = rules[name]
    if (render === undefined) throw new Error(`this markdown-it renders no ${name}`)
    rules[name] = (...all) => render(...all).replaceAll('{{', '&#123;&#123;')
  }
}

/** Names of metrics may be broken after their underscores: in one line they leave a table no room for what it says. */
export function breakLongNames({ renderer: { rules } }: Parser): void {
  const render = rules.code_inline
  if (render === undefined) throw new Error('this markdown-it renders no code_inline')
  rules.code_inline = (...all) =>
    render(...all).replaceAll(/\b[a-z]+(?:_[a-z]+){2,}\b/g, (name) => name.replaceAll('_', '_<wbr>'))
}
