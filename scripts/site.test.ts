import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findSiteProblems } from './site/check-site.ts'
import { sitePages } from './site/pages.ts'
import { sidebarOf, type SidebarItem } from './site/sidebar.ts'
import { root } from './workspaces.ts'

function site(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-site-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    writeFileSync(join(directory, file), text)
  }
  return directory
}

test('a site whose links lead somewhere has no problems', () => {
  const index = '<a href="/docs/start/a.html#one">a</a><a href="https://example.org/">b</a><img src="/docs/x.svg">'
  const page = '<h2 id="one">One</h2><a href="#one">1</a><a href="../">home</a><a href="/docs/files/x.ts.txt">f</a>'
  const files = {
    'index.html': index,
    'start/a.html': page,
    'x.svg': '',
    'files/x.ts.txt': '',
    'a.css': 'url(./x.svg)',
  }
  expect(findSiteProblems(site(files), '/docs/')).toEqual([])
})

test('links to nowhere and what is loaded from elsewhere are found', () => {
  const index =
    '<a href="/gone.html">a</a><a href="#gone">b</a><a href="/a.html#gone">c</a><script src="//x.test/a.js"></script>'
  const files = {
    'index.html': index,
    'a.html': '<link rel="x" href="/docs/a.css">',
    'a.css': 'url("https://x.test/a")',
  }
  expect(findSiteProblems(site(files))).toEqual([
    'a.html: /docs/a.css',
    'index.html: loads //x.test/a.js',
    'index.html: /gone.html',
    'index.html: #gone',
    'index.html: /a.html#gone',
    'a.css: loads https://x.test/a',
  ])
})

test('a folder without a site is none that is right', () => {
  expect(findSiteProblems(site({}))).toEqual([expect.stringContaining('there is no site in ')])
})

test('every page is in the navigation', () => {
  const pages = sitePages()
  const titles = new Map([...pages].map(([file, path]) => [path, readFileSync(join(root, file), 'utf8')]))
  const linksOf = ({ link, items }: SidebarItem): readonly (string | undefined)[] => [
    link,
    ...(items ?? []).flatMap(linksOf),
  ]
  const linked = new Set(sidebarOf(titles).flatMap(linksOf))
  // Found from the pages that they belong to.
  const below = /^(examples|e2e|reference\/api)\//
  const lost = [...pages.values()]
    .filter((path) => path !== 'index.md' && !below.test(path))
    .filter((path) => !linked.has(`/${path.replace(/(index)?\.md$/, '')}`))
  expect(lost).toEqual([])
})
