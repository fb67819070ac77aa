import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { generalAlerts } from '../apps/sidecar/src/generate/alerts/general-alerts.ts'
import { runbooks } from '../apps/sidecar/src/generate/alerts/alert.ts'
import { anchorOf } from './docs/links.ts'
import { renderApi } from './site/api-render.ts'
import { findSiteProblems } from './site/check-site.ts'
import { breakLongNames } from './site/markdown.ts'
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

test('what an alert names as its runbook is a page of the site, with a heading for it', () => {
  const [page] = [...sitePages()].find(([, path]) => `/${path}` === `${new URL(runbooks).pathname}.md`) ?? []
  const headings = [...readFileSync(join(root, page ?? ''), 'utf8').matchAll(/^## (.+)$/gm)].map(
    ([, text = '']) => text,
  )
  const anchors = new Set(headings.map(anchorOf))
  expect(generalAlerts.filter(({ name }) => !anchors.has(name.toLowerCase()))).toEqual([])
})

test('a long name in a sentence or a table may be broken, and nothing else changes', () => {
  const code = (text: string): string => {
    const rules = { code_inline: () => `<code>${text}</code>` }
    breakLongNames({ core: { ruler: { push: () => {} } }, renderer: { rules } })
    return rules.code_inline()
  }
  expect(code('holdfast_run_last_success')).toBe('<code>holdfast_<wbr>run_<wbr>last_<wbr>success</code>')
  for (const text of ['save_artifact', 'HOLDFAST_STATE_DIR', '/api/v1', '__meta'])
    expect(code(text)).toBe(`<code>${text}</code>`)
})

test('drawings have a title, and colours of the page as well as their own', () => {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8')
  const drawings = globSync('docs/pictures/*.svg', { cwd: root }).map(read)
  expect(drawings.length).toBeGreaterThan(3)
  expect(drawings.filter((drawing) => !/<title id="[\w-]+">[^<]{40,}<\/title>/.test(drawing))).toEqual([])
  expect(new Set(drawings.map((drawing) => /<style>.*<\/style>/s.exec(drawing)?.[0])).size).toBe(1)
  const page = read('docs/.vitepress/theme/pictures.css')
  const classes = drawings.flatMap((drawing) =>
    [...drawing.matchAll(/class="([^"]+)"/g)].flatMap(([, list = '']) => list.split(' ')),
  )
  expect([...new Set(classes)].filter((name) => !page.includes(`.picture .${name} {`))).toEqual([])
})

test('exports have a page each: their comment, their declaration, properties in a table, methods below', () => {
  const content = (text: string): { readonly kind: 'Content'; readonly text: string } => ({ kind: 'Content', text })
  const arm = {
    kind: 'MethodSignature',
    name: 'arm',
    docComment: '/**\n * Arms {@link Undo}.\n *\n * @param name - which\n * @throws when <it> is not durable\n */\n',
    excerptTokens: [content('arm(name: string): void;')],
  }
  const name = {
    kind: 'PropertySignature',
    name: 'name',
    isOptional: true,
    docComment: '/**\n * One | two.\n */',
    excerptTokens: [
      content('readonly name?: '),
      { kind: 'Reference', text: 'Name', canonicalReference: '@h/sdk!Name:type' } as const,
      content(' | {};'),
    ],
    propertyTypeTokenRange: { startIndex: 1, endIndex: 3 },
  }
  const exports = [
    {
      kind: 'Interface',
      name: 'Undos',
      docComment: '/** All of\n * them. */',
      excerptTokens: [content('export interface Undos ')],
      members: [name, arm],
    },
    { kind: 'TypeAlias', name: 'Name', excerptTokens: [content('export type Name = string;')] },
  ]
  const pages = renderApi([{ name: '@h/sdk', folder: 'packages/sdk', about: 'A kit.', exports }])
  expect([...pages.keys()]).toEqual(['index', 'sdk', 'sdk.undos', 'sdk.name'])
  expect(pages.get('sdk')).toContain(
    '## Interfaces\n\n| | |\n| --- | --- |\n| [`Undos`](./sdk.undos.md) | All of them. |',
  )
  const page = pages.get('sdk.undos') ?? ''
  expect(page).toContain('# Undos\n\nFrom [`@h/sdk`](./sdk.md).\n\nAll of\nthem.\n\n```ts\ninterface Undos\n```\n')
  expect(page).toContain('| `name?` | <code>[Name](./sdk.name.md) &#124; &#123;&#125;;</code> | One \\| two. |')
  expect(page).toContain(
    '## arm()\n\nArms `Undo`.\n\n**Parameter** `name`: which\n\n**Throws** when &lt;it> is not durable',
  )
  expect(page).toContain('```ts\narm(name: string): void\n```')
})
