// HTML from templates in which everything is escaped that isn't HTML already: names of plans and targets, and what programs
// have said, come from anybody.
import { printable } from '../../output/printable.ts'

/** Text that is HTML. */
export interface Html {
  readonly html: string
}

/** What a template takes: `undefined` and `false` are nothing. */
export type Content = Html | string | number | undefined | false | readonly Content[]

/**
 * A template of HTML. Attributes must be quoted.
 *
 * @example
 * ```ts
 * html`<td title="${name}">${name}</td>`
 * ```
 */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Html {
  const texts = shortened.get(strings) ?? strings.map((text) => text.replaceAll(/\n\s+/g, '\n'))
  shortened.set(strings, texts)
  return { html: texts.reduce((text, next, index) => text + formatContent(contents[index - 1]) + next) }
}

/** Templates without the indentation that they have in the source. */
const shortened = new WeakMap<TemplateStringsArray, readonly string[]>()

/** Text that anybody may have written, as HTML. */
export function escapeHtml(text: string): string {
  return printable(text)
    .replaceAll(turning, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
    .replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Makes text run the other way, or takes no room: one name could look like another. */
const turning = /[\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g

function formatContent(content: Content): string {
  if (content === undefined || content === false) return ''
  if (typeof content === 'string') return escapeHtml(content)
  if (typeof content === 'number') return String(content)
  if ('html' in content) return content.html
  return content.map(formatContent).join('')
}
