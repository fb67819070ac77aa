import type { Item, Model, Token } from './api-models.ts'
import { renderComment, summaryOf } from './api-comments.ts'

// api-documenter makes a page for each property, 900 of them, in HTML tables; these are two hundred that can be read.

/** The pages by their names without `.md`: `index`, `sdk`, `sdk.plan`. */
export function renderApi(models: readonly Model[]): ReadonlyMap<string, string> {
  const names = new Map(
    models.flatMap((model) =>
      model.exports.map(({ name = '' }) => [`${model.name}!${name}`, pageOf(model.name, name)] as const),
    ),
  )
  const rows = models.map(({ name, about }) => `| [\`${name}\`](./${shortName(name)}.md) | ${about} |`)
  const index = `# Packages, by export\n\nMade from the declarations of each package when the site is built.\n\n| package | |\n| --- | --- |\n${rows.join('\n')}\n`
  return new Map([
    ['index', index],
    ...models.map((model) => [shortName(model.name), packagePage(model)] as const),
    ...models.flatMap((model) => exportPages(model, names)),
  ])
}

function pageOf(packageName: string, name: string): string {
  return `${shortName(packageName)}.${name.toLowerCase()}`
}

const kinds: Readonly<Record<string, string>> = {
  Function: 'Functions',
  Class: 'Classes',
  Interface: 'Interfaces',
  TypeAlias: 'Types',
  Variable: 'Values',
}

function packagePage({ name, about, exports }: Model): string {
  const parts = Object.entries(kinds).flatMap(([kind, title]) => {
    const some = byName(exports.filter((each) => each.kind === kind))
    const rows = [...some].map(([each, [item]]) => {
      const summary = summaryOf(item?.docComment ?? '')
      return `| [\`${each}\`](./${pageOf(name, each)}.md) | ${inTable(summary)} |`
    })
    return rows.length === 0 ? [] : [`## ${title}\n\n| | |\n| --- | --- |\n${rows.join('\n')}`]
  })
  return `# ${name}\n\n${about}\n\n${parts.join('\n\n')}\n`
}

/** What has the same name is on one page: a function in several forms, a type and a value. */
function exportPages(
  { name: packageName, exports }: Model,
  names: ReadonlyMap<string, string>,
): readonly (readonly [string, string])[] {
  return [...byName(exports)].map(([name, items]) => {
    const parts = items.map((item) => renderItem(item, names))
    const from = `From [\`${packageName}\`](./${shortName(packageName)}.md).`
    return [pageOf(packageName, name), `# ${name}\n\n${from}\n\n${parts.join('\n\n')}\n`]
  })
}

function byName(items: readonly Item[]): ReadonlyMap<string, readonly Item[]> {
  const found = new Map<string, readonly Item[]>()
  for (const item of items) found.set(item.name ?? '', [...(found.get(item.name ?? '') ?? []), item])
  return found
}

function renderItem(item: Item, names: ReadonlyMap<string, string>): string {
  const members = item.members ?? []
  const properties = members.filter((member) => member.propertyTypeTokenRange !== undefined)
  const others = members.filter((member) => member.propertyTypeTokenRange === undefined)
  const rows = properties.map((property) => {
    const { name = '', isOptional = false, docComment = '', excerptTokens = [], propertyTypeTokenRange } = property
    const type = excerptTokens.slice(propertyTypeTokenRange?.startIndex, propertyTypeTokenRange?.endIndex)
    return `| \`${name}${isOptional ? '?' : ''}\` | ${linked(type, names)} | ${inTable(renderComment(docComment))} |`
  })
  return [
    renderComment(item.docComment ?? ''),
    code(item),
    ...(rows.length > 0 ? [`## Properties\n\n| | type | |\n| --- | --- | --- |\n${rows.join('\n')}`] : []),
    ...others.map((member) => `## ${titleOf(member)}\n\n${renderComment(member.docComment ?? '')}\n\n${code(member)}`),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function titleOf({ kind, name = '' }: Item): string {
  if (kind === 'Constructor') return 'new'
  if (kind === 'CallSignature') return 'called'
  // As code where it would be a link: `[Symbol.asyncDispose]()`.
  return kind === 'IndexSignature' ? 'any key' : name.startsWith('[') ? `\`${name}()\`` : `${name}()`
}

function code({ excerptTokens = [] }: Item): string {
  const text = excerptTokens.map((token) => token.text).join('')
  return `\`\`\`ts\n${text.replace(/^export declare |^export /, '').replace(/;?\s*$/, '')}\n\`\`\``
}

/** A type in a table, with links to what else is exported. */
function linked(tokens: readonly Token[], names: ReadonlyMap<string, string>): string {
  const parts = tokens.map(({ text, canonicalReference = '' }) => {
    const page = names.get(canonicalReference.replace(/:.*$/, ''))
    return page === undefined ? escaped(text) : `[${escaped(text)}](./${page}.md)`
  })
  return `<code>${parts.join('')}</code>`
}

function escaped(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[&<>|*_[\]{}`\\]/g, (character) => `&#${character.codePointAt(0)};`)
}

function inTable(text: string): string {
  return text
    .replaceAll(/\n+/g, ' ')
    .replaceAll(/(?<!\\)\|/g, String.raw`\|`)
    .trim()
}

/** `sdk`, of `@holdfast/sdk`. */
export function shortName(name: string): string {
  return name.replace(/^.*\//, '')
}
