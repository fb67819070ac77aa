import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { root } from '../workspaces.ts'
import { pageOf, type Parser, type ParserState, type Token } from './markdown.ts'

/**
 * Makes drawings (SVG) a part of the page, where a paragraph is nothing else: they take the page's colours, light or
 * dark, and their words are found and read aloud. Standing alone they bring colours of their own.
 */
export function inlinePictures(parser: Parser): void {
  parser.core.ruler.push('inline_pictures', (state) => {
    const tokens: Token[] = []
    for (const token of state.tokens) {
      const drawing = drawingOf(token, state)
      if (drawing === undefined) tokens.push(token)
      // With the paragraph around it: its beginning is there already, its end follows, and both are empty then.
      else tokens.push(drawing)
    }
    state.tokens = withoutEmptyParagraphs(tokens)
  })
}

function drawingOf(token: Token, { env, Token }: ParserState): Token | undefined {
  const [image, ...rest] = token.children ?? []
  const source = image?.type === 'image' && rest.length === 0 ? (image.attrGet('src') ?? '') : ''
  if (!source.endsWith('.svg')) return undefined
  const drawing = new Token('html_block', '', 0)
  drawing.content = `<div class="picture" tabindex="0" v-pre>\n${inlined(posix.join(posix.dirname(pageOf(env)), source))}\n</div>\n`
  return drawing
}

/** A drawing without what is for standing alone. Empty lines would end the block. */
function inlined(file: string): string {
  return readFileSync(join(root, file), 'utf8')
    .replace(/<style>.*?<\/style>\s*/s, '')
    .replaceAll(/<!--.*?-->\s*/gs, '')
    .replaceAll(/\n\s*\n/g, '\n')
    .trim()
}

function withoutEmptyParagraphs(tokens: readonly Token[]): readonly Token[] {
  const around = (index: number): boolean =>
    (tokens[index]?.type === 'paragraph_open' && tokens[index + 1]?.type === 'html_block') ||
    (tokens[index]?.type === 'paragraph_close' && tokens[index - 1]?.type === 'html_block')
  return tokens.filter((_, index) => !around(index))
}
