import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findBoundaryViolations } from './check-boundaries.ts'
import { listWorkspaces, root } from './workspaces.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'boundaries-'))
  write(
    'package.json',
    JSON.stringify({ name: 'root', version: '0.0.0', workspaces: ['packages/*', 'apps/*', 'bench'] }),
  )
  for (const path of ['packages/sdk', 'packages/runtime', 'packages/plugin-x', 'packages/testing', 'apps/sidecar']) {
    const name = `@holdfast/${path.split('/')[1] ?? ''}`
    const exports = path === 'packages/sdk' ? { '.': './src/index.ts', './internal': './src/internal.ts' } : { '.': '' }
    write(`${path}/package.json`, JSON.stringify({ name, version: '1.0.0', exports }))
  }
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

test('the arrows of the architecture are allowed', () => {
  write('packages/sdk/src/a.ts', `import type { S } from '@standard-schema/spec'\nimport './b.ts'`)
  write('packages/runtime/src/a.ts', `import '@holdfast/sdk'\nimport '@holdfast/sdk/internal'\nimport 'node:fs'`)
  write('packages/plugin-x/src/a.ts', `import '@holdfast/sdk'`)
  write('packages/plugin-x/test/a.test.ts', `import '@holdfast/testing'\nimport '../src/a.ts'`)
  write('packages/plugin-x/test/b.test.ts', `import '../../../scripts/a.ts'`)
  write('packages/testing/src/a.ts', `import '@holdfast/runtime'`)
  write('bench/package.json', JSON.stringify({ name: '@holdfast/bench', version: '0.0.0' }))
  write('bench/a.ts', `import '../packages/runtime/src/a.ts'`)
  write('apps/sidecar/src/a.ts', `const plugin = await import('@holdfast/plugin-x')\nimport '@holdfast/runtime'`)
  expect(findBoundaryViolations(folder)).toEqual([])
})

test.for([
  ['packages/sdk/src/a.ts', `import { z } from 'zod'`, 'packages/sdk may import only @standard-schema/spec'],
  ['packages/sdk/src/a.ts', `import 'node:fs'`, 'packages/sdk may import only @standard-schema/spec'],
  ['packages/sdk/src/a.ts', `import '@holdfast/runtime'`, 'packages/sdk may not depend on packages/runtime'],
  ['packages/runtime/src/a.ts', `import '@holdfast/plugin-x'`, 'packages/runtime may not depend on packages/plugin-x'],
  ['packages/runtime/src/a.ts', `await import('@holdfast/testing')`, 'packages/runtime may not depend on'],
  ['packages/runtime/test/a.test.ts', `import '@holdfast/plugin-x'`, 'packages/runtime may not depend on'],
  ['packages/plugin-x/src/a.ts', `export * from '@holdfast/runtime'`, 'packages/plugin-x may not depend on'],
  ['packages/plugin-x/src/a.ts', `import type { R } from '@holdfast/runtime'`, 'packages/plugin-x may not depend on'],
  ['packages/plugin-x/src/a.ts', `type R = import('@holdfast/runtime').R`, 'packages/plugin-x may not depend on'],
  ['packages/plugin-x/src/a.ts', `import '@holdfast/testing'`, 'packages/plugin-x may not depend on packages/testing'],
  ['packages/plugin-x/src/a.ts', `import '@holdfast/sdk/internal'`, 'it is for the engine alone'],
  ['packages/plugin-x/src/a.ts', `import '../../sdk/src/a.ts'`, 'a relative path leaves its package'],
  ['packages/plugin-x/src/a.ts', `import '../../../scripts/a.ts'`, 'a relative path leaves its package'],
  ['packages/plugin-x/test/a.test.ts', `import '../../sdk/src/a.ts'`, 'a relative path leaves its package'],
  ['packages/testing/src/a.ts', `import '@holdfast/sidecar'`, 'packages/testing may not depend on apps/sidecar'],
  ['apps/sidecar/src/a.ts', `import '@holdfast/runtime/src/a.ts'`, '@holdfast/runtime does not export ./src/a.ts'],
] as const)('%s with %s is refused', ([file, text, problem]) => {
  write(file, text)
  const violations = findBoundaryViolations(folder)
  expect(violations).toHaveLength(1)
  expect(violations[0]).toContain(`${file}: imports`)
  expect(violations[0]).toContain(problem)
})

test('a source text inside a string is no import', () => {
  write('packages/plugin-x/src/a.ts', 'export const text = `import { a } from "@holdfast/runtime"`')
  expect(findBoundaryViolations(folder)).toEqual([])
})

test('a new kind of workspace needs a boundary of its own', () => {
  write('packages/other/package.json', JSON.stringify({ name: '@holdfast/other', version: '1.0.0' }))
  expect(findBoundaryViolations(folder)).toEqual(['packages/other: no boundary is defined for this folder'])
})

test('every example is a workspace: what it imports is declared, and checked', () => {
  const examples = readdirSync(join(root, 'examples')).map((name) => `examples/${name}`)
  expect(listWorkspaces().map((each) => each.folder)).toEqual(expect.arrayContaining(examples))
})
