import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join, posix, sep } from 'node:path'

/**
 * What is wrong with a site that was built: links within it that lead nowhere, headings included, and anything that a
 * browser would have to get from elsewhere.
 *
 * @param directory - where it was built
 * @param base - the path that it is served at, such as `/holdfast/`
 * @returns a line each: `start/scripts.html: /gone.html`
 */
export function findSiteProblems(directory: string, base = '/'): readonly string[] {
  const list = (pattern: string): readonly string[] =>
    globSync(pattern, { cwd: directory }).map((file) => file.split(sep).join('/'))
  const read = (file: string): string => readFileSync(join(directory, file), 'utf8')
  const anchors = new Map<string, ReadonlySet<string>>()
  const anchorsOf = (file: string): ReadonlySet<string> => {
    const known = anchors.get(file) ?? new Set([...read(file).matchAll(/\sid="([^"]*)"/g)].map(([, id = '']) => id))
    anchors.set(file, known)
    return known
  }
  const leads = (page: string, link: string): boolean => {
    const [path = '', heading = ''] = link.split('#', 2)
    const file = path === '' ? page : fileOf(directory, base, page, path)
    if (file === undefined) return false
    return heading === '' || !file.endsWith('.html') || anchorsOf(file).has(decodeURIComponent(heading))
  }
  const pages = list('**/*.html').toSorted()
  if (!pages.includes('index.html')) return [`there is no site in ${directory}`]
  return [
    ...pages.flatMap((page) => {
      const links = linksOf(read(page))
      return [
        ...links.assets.filter(isElsewhere).map((link) => `${page}: loads ${link}`),
        ...[...links.assets, ...links.links]
          .filter((link) => !isElsewhere(link) && !/^[a-z]+:/.test(link) && !leads(page, link))
          .map((link) => `${page}: ${link}`),
      ]
    }),
    ...list('**/*.css').flatMap((file) =>
      [...read(file).matchAll(/(?:url\(|@import\s)\s*["']?([^"')\s]+)/g)]
        .map(([, link = '']) => link)
        .filter(isElsewhere)
        .map((link) => `${file}: loads ${link}`),
    ),
  ]
}

function linksOf(html: string): { readonly links: readonly string[]; readonly assets: readonly string[] } {
  const found = [...html.matchAll(/<(\w+)\b[^>]*?\s(?:href|src)="([^"]*)"/g)].map(([, tag = '', link = '']) => ({
    tag,
    link: link.replaceAll('&amp;', '&'),
  }))
  return {
    links: found.filter(({ tag }) => tag === 'a').map(({ link }) => link),
    assets: found.filter(({ tag }) => tag !== 'a').map(({ link }) => link),
  }
}

function isElsewhere(link: string): boolean {
  return /^(https?:)?\/\//.test(link)
}

/** The file that a web server answers with, relative to the site. */
function fileOf(directory: string, base: string, page: string, link: string): string | undefined {
  const whole = link.startsWith('/') ? link : posix.join(base, posix.dirname(page), link)
  if (!`${whole}/`.startsWith(base)) return undefined
  const path = decodeURIComponent(whole.slice(base.length))
  const file = path === '' || path.endsWith('/') ? `${path}index.html` : path
  return existsSync(join(directory, file)) && statSync(join(directory, file)).isFile() ? file : undefined
}
