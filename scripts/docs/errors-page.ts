import type { Catalogue, CatalogueEntry } from './catalogues.ts'

/** `docs/errors.md`: every code of every catalogue, each with the anchor that errors link to. */
export function renderErrors(catalogues: readonly Catalogue[]): string {
  return `# Errors

<!-- Generated from the errors.ts of each package by \`npm run docs\`: edit there. -->

Every failure has a permanent code. A message says what happened; the hint says what it means for the backups and what
to do. Parameters stand in angle brackets. *Worth a retry* means that trying again can help.

${catalogues.map(renderCatalogue).join('\n')}`
}

function renderCatalogue({ name, entries }: Catalogue): string {
  const sorted = entries.toSorted((a, b) => (a.code < b.code ? -1 : 1))
  return `## ${name}\n\n${sorted.map(renderEntry).join('\n')}`
}

function renderEntry({ code, message, hint, retryable }: CatalogueEntry): string {
  return `### ${code}\n\n${quote(message)}\n\n${escape(hint)}${retryable ? ' *Worth a retry.*' : ''}\n`
}

function quote(message: string): string {
  return message.includes('`') ? `\`\` ${message} \`\`` : `\`${message}\``
}

// What Markdown would read as HTML or emphasis; code spans are left alone, and placeholders become some.
function escape(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : escapePlain(part)))
    .join('')
}

// A placeholder that ends in a space of its own stands directly before a word.
function escapePlain(text: string): string {
  return text
    .replaceAll('*', String.raw`\*`)
    .replaceAll(/<\w+>(?=\w)/g, '`$&` ')
    .replaceAll(/(?<!`)<\w+>(?!`)/g, '`$&`')
}
