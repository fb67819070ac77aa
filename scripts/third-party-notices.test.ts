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

test('a package without a licence, and a bundle without source maps, are refused', () => {
  write('app/dist/a.js.map', '{ "sources": ["../../node_modules/b/x.js"] }')
  write('node_modules/b/package.json', '{ "name": "b", "version": "1.0.0" }')
  expect(() => listBundled(join(folder, 'app/dist'))).toThrow('must be looked up by hand')
  expect(() => listBundled(join(folder, 'node_modules'))).toThrow('npm run build')
})
