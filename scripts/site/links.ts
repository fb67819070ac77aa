import { existsSync, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { root } from '../workspaces.ts'
import { pageOf, type Parser, type Token } from './markdown.ts'

/** Where the files are served that pages link to and that are no pages. */
export const filesFolder = 'files'

/**
 * Turns links between files of the repository, as they also work where the code is, into links of the site: to another
 * page, or to a copy of the file that is linked to.
 *
 * @param pages - file in the repository → path in the site
 * @param files - gets the files that are linked to
 */
export function repositoryLinks(pages: ReadonlyMap<string, string>, files: Set<string>): (parser: Parser) => void {
  return (parser) => {
    parser.core.ruler.push('repository_links', ({ tokens, env }) => {
      const page = pageOf(env)
      for (const token of tokens) visit(token, page)
    })
  }

  function visit(token: Token, page: string): void {
    for (const child of token.children ?? []) visit(child, page)
    if (token.type !== 'link_open') return
    const href = token.attrGet('href') ?? ''
    const target = targetOf(page, href)
    if (target !== undefined) token.attrSet('href', siteLink(target.file, target.heading) ?? href)
  }

  function siteLink(file: string, heading: string): string | undefined {
    const page = pages.get(file) ?? pages.get(posix.join(file, 'README.md'))
    if (page !== undefined) return `/${page.replace(/(^|\/)index\.md$/, '$1')}${heading}`
    if (!existsSync(join(root, file)) || !statSync(join(root, file)).isFile()) return undefined
    files.add(file)
    return `/${filesFolder}/${file}.txt`
  }
}

function targetOf(page: string, href: string): { readonly file: string; readonly heading: string } | undefined {
  const [, path = '', heading = ''] = /^([^#]*)(#.*)?$/.exec(href) ?? []
  if (path === '' || /^[a-z]+:/.test(path)) return undefined
  return { file: posix.join(dirname(page), decodeURIComponent(path)), heading }
}
