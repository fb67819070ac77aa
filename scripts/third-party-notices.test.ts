import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listBundled, renderNotices } from './third-party-notices.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'notices-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

test('what the source maps name is listed once, with version and licence text', () => {
  write('app/dist/a.js.map', '{ "sources": ["../src/a.ts", "../../node_modules/b/x.js", "../../node_modules/b/y.js"] }')
  write('app/dist/deep/c.js.map', '{ "sources": ["../../../node_modules/b/node_modules/@s/c/lib/z.js"] }')
  write('node_modules/b/package.json', '{ "name": "b", "version": "1.0.0", "license": "MIT" }')
  write('node_modules/b/LICENSE.md', 'Free for all.\n')
  write('node_modules/b/node_modules/@s/c/package.json', '{ "name": "@s/c", "version": "2.0.0", "license": "ISC" }')
  const bundled = listBundled(join(folder, 'app/dist'))
  expect(bundled).toEqual([
    { name: '@s/c', version: '2.0.0', license: 'ISC', text: '' },
    { name: 'b', version: '1.0.0', license: 'MIT', text: 'Free for all.' },
  ])
  expect(renderNotices(bundled)).toContain('## b 1.0.0\n\nMIT\n\n~~~text\nFree for all.\n~~~')
})

test('a text that several have is there once, and a missing one is no text', () => {
  const license = 'MIT'
  const page = renderNotices([
    { name: 'a', version: '1.0.0', license, text: 'Free for all.' },
    { name: 'b', version: '2.0.0', license, text: '' },
    { name: 'c', version: '3.0.0', license, text: 'Free for all.' },
    { name: 'd', version: '4.0.0', license, text: '' },
  ])
  expect(page.match(/Free for all\./g)).toHaveLength(1)
  expect(page).toContain('## c 3.0.0\n\nMIT\n\nThe text is that of a 1.0.0 above.')
  expect(page.match(/contains no licence text/g)).toHaveLength(2)
})

test('a package without a licence, and a bundle without source maps, are refused', () => {
  write('app/dist/a.js.map', '{ "sources": ["../../node_modules/b/x.js"] }')
  write('node_modules/b/package.json', '{ "name": "b", "version": "1.0.0" }')
  expect(() => listBundled(join(folder, 'app/dist'))).toThrow('must be looked up by hand')
  expect(() => listBundled(join(folder, 'node_modules'))).toThrow('npm run build')
})
