import { globSync } from 'node:fs'
import { basename, dirname, posix, sep } from 'node:path'
import { listPages } from '../docs/links.ts'
import { root } from '../workspaces.ts'

/** Where pages that are made when the site is built lie: the reference of the packages' exports. */
export const builtPages = 'site-pages'

/** Pages of the repository that are no pages of the site: lists for lawyers and machines, and the site's own repository. */
const left = /(^|\/)(CHANGELOG|THIRD_PARTY_NOTICES)\.md$|^\.changeset\//

/** Names that would meet another page, or say nothing beside the others. */
const renamed: Readonly<Record<string, string>> = {
  'README.md': 'about.md',
  'SECURITY.md': 'security-policy.md',
  'ARCHITECTURE.md': 'architecture.md',
  'CONTRIBUTING.md': 'contributing.md',
}

/** The pages of the site: file in the repository → path in the site, both relative and with `.md`. */
export function sitePages(): ReadonlyMap<string, string> {
  const built = globSync(`${builtPages}/**/*.md`, { cwd: root }).map((file) => file.split(sep).join('/'))
  const files = [...listPages(root).filter((file) => !left.test(file)), ...built]
  return new Map(files.map((file) => [file, pathOf(file)]))
}

/** Every Markdown file that is none of them. */
export function otherPages(pages: ReadonlyMap<string, string>): readonly string[] {
  const found = globSync('**/*.md', { cwd: root, exclude: (path) => basename(path) === 'node_modules' })
  return found.map((file) => file.split(sep).join('/')).filter((file) => !pages.has(file))
}

function pathOf(file: string): string {
  const path = renamed[file] ?? file.replace(/^docs\//, '').replace(`${builtPages}/`, 'reference/api/')
  return basename(path) === 'README.md' ? posix.join(dirname(path), 'index.md') : path
}
