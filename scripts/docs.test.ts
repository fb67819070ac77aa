import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readCatalogues, readSources } from './docs/catalogues.ts'
import { findUndeclaredCodes, findUnusedCodes } from './docs/codes.ts'
import { findBrokenLinks, listPages } from './docs/links.ts'
import { readMetrics } from './docs/metrics.ts'
import { renderDocs } from './generate-docs.ts'
import { listWorkspaces, root } from './workspaces.ts'

const catalogues = await readCatalogues()

test.for([...(await renderDocs())])('%s is up to date: `npm run docs`', ([path, text]) => {
  const file = join(root, path)
  // No diff of whole pages: the command above mends it.
  expect(existsSync(file) && readFileSync(file, 'utf8') === text).toBe(true)
})

describe('links between pages', () => {
  test('each leads somewhere', () => {
    expect(listPages(root)).toEqual(
      expect.arrayContaining(['README.md', 'docs/kubernetes.md', 'apps/sidecar/README.md']),
    )
    expect(findBrokenLinks(root)).toEqual([])
  })

  test('one to a file or a heading that is not there is found', () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-links-'))
    writeFileSync(join(directory, 'other.md'), '# `generate`: Forms & more\n\n```\n# no heading\n```\n')
    const good = '[a](other.md) [b](other.md#generate-forms--more) [c](#here) [d](https://example.org/x) `[e](gone.md)`'
    writeFileSync(join(directory, 'page.md'), `## Here\n\n${good}\n[f](gone.md) [g](other.md#no-heading) [h](#there)\n`)
    expect(findBrokenLinks(directory)).toEqual(['page.md: gone.md', 'page.md: other.md#no-heading', 'page.md: #there'])
    rmSync(directory, { recursive: true })
  })
})

test('every metric that the code registers is explained, as what it is: in docs/metrics.md, or on the page of its plugin', async () => {
  const explained = ['docs/metrics.md', 'docs/benji.md'].flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/^\| `(holdfast_\w+)` +\| (\w+) +\| ([^|]*) \|/gm)].map(
      ([, name = '', kind = '', labels = '']) => `${name} ${kind} ${labels.replaceAll(/[`, ]+/g, ' ').trim()}`,
    ),
  )
  const { daemon, cluster, benji } = await readMetrics()
  const registered = [...daemon, ...cluster, ...benji].map(({ name, kind, labels }) =>
    `${name} ${kind} ${labels.join(' ')}`.trim(),
  )
  expect(new Set(explained.map((each) => each.trim()))).toEqual(new Set(registered))
})

describe('error codes', () => {
  test.for(catalogues)('$name: every declared code is used', (catalogue) => {
    expect(findUnusedCodes(catalogue, readSources(catalogue.folder))).toEqual([])
  })

  test('every code that is thrown is declared', () => {
    const sources = new Map(listWorkspaces().flatMap(({ folder }) => [...readSources(folder)]))
    expect(findUndeclaredCodes(catalogues, sources)).toEqual([])
  })

  test('a code belongs to one catalogue and is upper snake case', () => {
    const codes = catalogues.flatMap(({ entries }) => entries.map(({ code }) => code))
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
    expect(codes.filter((code) => !/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(code))).toEqual([])
  })

  test.for(catalogues)('$name: every error has a one-line message and a hint', ({ entries }) => {
    const bad = entries.filter(({ message, hint }) => message === '' || message.includes('\n') || hint === '')
    expect(bad).toEqual([])
  })
})

describe('the checks of error codes', () => {
  const entry = { message: 'm', hint: 'h', retryable: false }
  const catalogue = {
    name: 'a',
    folder: 'packages/a',
    entries: [
      { ...entry, code: 'USED' },
      { ...entry, code: 'IDLE' },
    ],
  }

  test('a code that only a comment mentions is unused', () => {
    const sources = new Map([['a.ts', '// IDLE\n * IDLE\nthrow errors.USED({})']])
    expect(findUnusedCodes(catalogue, sources)).toEqual(['IDLE'])
  })

  test('a code outside the catalogues is found', () => {
    const sources = new Map([['a.ts', `throw new HoldfastError({\n  message: 'm',\n  code: 'LOOSE',\n})`]])
    expect(findUndeclaredCodes([catalogue], sources)).toEqual(['a.ts: LOOSE'])
    expect(findUndeclaredCodes([catalogue], new Map([['a.ts', `new HoldfastError({ code: 'USED' })`]]))).toEqual([])
  })
})
