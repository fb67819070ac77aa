import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { root } from '../workspaces.ts'
import { describedWorkspaces, documentExports } from './api-models.ts'
import { builtPages } from './pages.ts'

/** Writes the reference of the packages' exports, a page for each, to where the site finds it. Needs a build. */
export function writeApiPages(): void {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-api-pages-'))
  try {
    const pages = documentExports(directory)
    const texts = new Map(
      readdirSync(pages).map(
        (file) => [basename(file, '.md'), readFileSync(join(pages, file), 'utf8').replaceAll('\r\n', '\n')] as const,
      ),
    )
    const to = join(root, builtPages)
    rmSync(to, { recursive: true, force: true })
    mkdirSync(to, { recursive: true })
    writeFileSync(join(to, 'index.md'), indexPage())
    for (const [name, text] of joinMembers(texts)) writeFileSync(join(to, `${name}.md`), text)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function indexPage(): string {
  const rows = describedWorkspaces().map(({ folder, manifest }) => {
    const { description = '' } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
      readonly description?: string
    }
    return `| [\`${manifest.name}\`](./${basename(folder)}.md) | ${description} |`
  })
  return `# Packages, by export\n\nMade from the declarations of each package when the site is built.\n\n| package | |\n| --- | --- |\n${rows.join('\n')}\n`
}

/**
 * Puts the methods of an export onto its page, and leaves the pages of properties out, which its table has.
 *
 * @param texts - pages as api-documenter writes them: `sdk`, `sdk.plan`, `sdk.plan.budget`
 */
export function joinMembers(texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const depth = (name: string): number => name.split('.').length
  const isMethod = (name: string): boolean =>
    /^## .*\(.*\) (?:method|constructor|call signature)/m.test(texts.get(name) ?? '')
  const parentOf = (name: string): string => name.split('.').slice(0, 2).join('.')
  const members = [...texts.keys()].filter((name) => depth(name) > 2)
  const methods = members.filter(isMethod)
  const anchor = (name: string): string => name.split('.').slice(2).join('-')
  const href = (link: string): string | undefined => {
    if (depth(link) <= 2) return texts.has(link) ? `./${link}.md` : undefined
    return methods.includes(link) ? `./${parentOf(link)}.md#${anchor(link)}` : undefined
  }
  const pages = [...texts].filter(([name]) => depth(name) <= 2 && name !== 'index')
  return new Map(
    pages.map(([name, text]) => {
      const own = methods.filter((method) => parentOf(method) === name)
      const sections = own.map((method) => {
        const section = cleaned(texts.get(method) ?? '')
          .replaceAll(/^## (Parameters|Exceptions|Example|Remarks)/gm, '**$1**')
          .replace(/^## .*?\.?(\w+)\(/m, '## $1(')
        return `<a id="${anchor(method)}"></a>\n\n${section}`
      })
      const page = [cleaned(text).replace(/^## /m, '# '), ...sections].join('\n\n')
      return [name, withLinks(page, href)] as const
    }),
  )
}

/** Without what is for a site of its own, and without what Vue would take for an expression. */
function cleaned(text: string): string {
  return text
    .replace(/^<!-- Do not edit.*?-->\n+/, '')
    .replace(/^\[Home\].*\n+/m, '')
    .replaceAll('<!-- -->', '')
    .replaceAll('{{', '{ {')
    .trim()
}

function withLinks(text: string, href: (name: string) => string | undefined): string {
  return text.replaceAll(/\[((?:\\.|[^\]\\])*)\]\(\.\/([\w.-]+)\.md\)/g, (_, words: string, name: string) => {
    const link = href(name)
    return link === undefined ? words : `[${words}](${link})`
  })
}
