// The site: `npm run site`. Pages are those of the repository, where they lie; links between them stay as they are there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { defineConfig } from 'vitepress'
import { anchorOf } from '../../scripts/docs/links.ts'
import { copyLinkedFiles } from '../../scripts/site/files.ts'
import { repositoryLinks } from '../../scripts/site/links.ts'
import { breakLongNames, literalBraces } from '../../scripts/site/markdown.ts'
import { otherPages, sitePages } from '../../scripts/site/pages.ts'
import { inlinePictures } from '../../scripts/site/pictures.ts'
import { sidebarOf, type SidebarItem } from '../../scripts/site/sidebar.ts'
import { root } from '../../scripts/workspaces.ts'

const pages = sitePages()
const linked = new Set<string>()
const titles = new Map(
  [...pages].map(([file, path]) => [path, /^# (.+)$/m.exec(readFileSync(join(root, file), 'utf8'))?.[1] ?? path]),
)

export default defineConfig({
  title: 'Holdfast',
  description: 'Application-consistent backups for Kubernetes, written as typed hooks.',
  lang: 'en-GB',
  base: env['HOLDFAST_SITE_BASE'] ?? '/',
  srcDir: root,
  srcExclude: [...otherPages(pages)],
  rewrites: Object.fromEntries(pages),
  outDir: join(root, 'dist/site'),
  cacheDir: join(root, 'node_modules/.cache/vitepress'),
  // What the checks of the built pages find, too: a file that is linked to is a page of the site or copied into it.
  ignoreDeadLinks: false,
  head: [['link', { rel: 'icon', href: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>' }]],
  markdown: {
    anchor: { slugify: anchorOf },
    // Braces are types here, not attributes of the paragraph.
    attrs: { disable: true },
    config(parser) {
      parser.use(repositoryLinks(pages, linked))
      parser.use(inlinePictures)
      parser.use(literalBraces)
      parser.use(breakLongNames)
    },
  },
  buildEnd: ({ outDir }) => copyLinkedFiles(linked, outDir),
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start/scripts' },
      { text: 'Restore', link: '/restore-at-3am' },
      { text: 'Reference', link: '/reference/configuration' },
    ].filter(({ link }) => titles.has(`${link.slice(1)}.md`)),
    sidebar: sidebarOf(titles) as SidebarItem[] as never,
    outline: [2, 3],
    search: { provider: 'local' },
    footer: { message: 'Apache-2.0. Holdfast is not affiliated with the projects that it replaces.' },
  },
})
