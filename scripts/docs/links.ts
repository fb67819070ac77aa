import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The pages of a repository. */
export function listPages(from: string): readonly string[] {
  const patterns = [
    '*.md',
    '{.changeset,docs,e2e,bench}/**/*.md',
    '{apps,charts,packages,examples}/*/*.md',
    'examples/*/*/*.md',
  ]
  return globSync(patterns, { cwd: from, exclude: ['**/node_modules/**', '**/dist/**'] }).toSorted()
}

/**
 * Links to files that are not there, and to headings that no page has.
 *
 * @returns a line each: `docs/page.md: ../gone.md`
 */
export function findBrokenLinks(from: string, pages: readonly string[] = listPages(from)): readonly string[] {
  return pages.flatMap((page) =>
    linksOf(readFileSync(join(from, page), 'utf8'))
      .filter((link) => !isWhole(from, page, link))
      .map((link) => `${page}: ${link}`),
  )
}

/** Relative links; those to other places can't be asked for. */
function linksOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
}

function isWhole(from: string, page: string, link: string): boolean {
  const [path = '', heading] = link.split('#', 2)
  const file = path === '' ? join(from, page) : join(from, dirname(page), decodeURIComponent(path))
  if (!existsSync(file)) return false
  if (heading === undefined) return true
  return statSync(file).isFile() && anchorsOf(readFileSync(file, 'utf8')).has(heading)
}

/** The anchor of a heading, as GitHub makes it: letters, digits, `-` and `_` in lower case. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\-_ ]/gu, '')
    .replaceAll(' ', '-')
}

/** Of a page; the second of the same name gets `-1`. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  const seen = new Map<string, number>()
  for (const [, heading = ''] of withoutBlocks(text).matchAll(/^#{1,6} +(.*?) *$/gm)) {
    const anchor = anchorOf(heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'))
    const times = seen.get(anchor) ?? 0
    seen.set(anchor, times + 1)
    anchors.add(times === 0 ? anchor : `${anchor}-${times}`)
  }
  return anchors
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^( *)```.*?^\1```/gms, '')
}

function withoutCode(text: string): string {
  return withoutBlocks(text).replaceAll(/`[^`\n]*`/g, 'code')
}
