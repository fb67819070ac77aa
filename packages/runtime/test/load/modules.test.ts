import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { join } from 'node:path'
import { load, problemsIn, tree, write } from './support.ts'

const freeze = `
import { defineHook } from '@holdfast/sdk'
import { name } from './lib.js'
export default defineHook('backups', (): string => name)
`
const enumHook = `
import { defineHook } from '@holdfast/sdk'
import { name } from './lib'
enum Mode { Fast = 'fast' }
export default defineHook('backups', (): string => name + Mode.Fast)
`
const config = (hooks: string): string => `
import { defineConfig } from '@holdfast/sdk'
import hook from './hooks/${hooks}'
export default defineConfig({ plans: [{ name: 'shop', use: [hook] }] })
`
const yaml = (hooks: string): string => `plans: { shop: { use: [./hooks/${hooks}] } }\n`

async function callHook(directory: string): Promise<unknown> {
  const { config: loaded } = await load(directory)
  return loaded.plans[0]?.participants[0]?.hooks.backups?.handler(undefined as never)
}

describe.each([
  ['holdfast.config.ts', config],
  ['holdfast.yaml', yaml],
])('a hook module named by %s', (name, write1) => {
  test('is loaded where there is no node_modules, with imports that say .js', async () => {
    const directory = tree({
      [name]: write1('freeze.ts'),
      'hooks/freeze.ts': freeze,
      'hooks/lib.ts': `export const name = 'a'`,
    })
    const { config: loaded, files } = await load(directory)
    expect(loaded.plans[0]?.participants).toMatchObject([
      { kind: 'hook', id: 'freeze', source: join(directory, 'hooks/freeze.ts') },
    ])
    expect(files).toEqual([name, 'hooks/freeze.ts', 'hooks/lib.ts'].map((file) => join(directory, file)).toSorted())
    expect(await callHook(directory)).toBe('a')
  })

  test('is a module also where package.json says commonjs, as `npm init` writes it', async () => {
    const directory = tree({
      'package.json': '{ "name": "x", "type": "commonjs" }',
      [name]: write1('freeze.ts'),
      'hooks/freeze.ts': freeze,
      'hooks/lib.ts': `export const name = 'a'`,
    })
    expect(await callHook(directory)).toBe('a')
  })

  test('is compiled when it has an enum, which Node alone refuses', async () => {
    const directory = tree({
      [name]: write1('freeze.ts'),
      'hooks/freeze.ts': enumHook,
      'hooks/lib.ts': `export const name = 'a'`,
    })
    const { config: loaded, files } = await load(directory)
    expect(loaded.plans[0]?.participants).toMatchObject([
      { kind: 'hook', id: 'freeze', source: join(directory, 'hooks/freeze.ts') },
    ])
    expect(files).toEqual([name, 'hooks/freeze.ts', 'hooks/lib.ts'].map((file) => join(directory, file)).toSorted())
    expect(await callHook(directory)).toBe('afast')
  })

  test.each([
    ['as it is', freeze],
    ['compiled', enumHook],
  ])('is new code after a change, and so is what it imports (%s)', async (_, hook) => {
    const directory = tree({
      [name]: write1('freeze.ts'),
      'hooks/freeze.ts': hook,
      'hooks/lib.ts': `export const name = 'a'`,
    })
    const before = await callHook(directory)
    write(directory, { 'hooks/lib.ts': `export const name = 'b'` })
    const between = await callHook(directory)
    write(directory, { 'hooks/freeze.ts': hook.replace('string => name', `string => 'c' + name`) })
    const after = await callHook(directory)
    expect([before, between, after].map((text) => String(text).replace('fast', ''))).toEqual(['a', 'b', 'cb'])
  })
})

test('a changed configuration is new code', async () => {
  const directory = tree({
    'holdfast.config.ts': config('freeze.ts'),
    'hooks/freeze.ts': freeze,
    'hooks/lib.ts': `export const name = ''`,
  })
  expect((await load(directory)).config.plans[0]?.name).toBe('shop')
  write(directory, { 'holdfast.config.ts': config('freeze.ts').replace('shop', 'market') })
  expect((await load(directory)).config.plans[0]?.name).toBe('market')
})

test('CommonJS is loaded, and loaded anew', async () => {
  const text = (name: string): string => `
    const { name } = require('./name.js')
    const { defineHook } = require('@holdfast/sdk')
    module.exports = { plans: [{ name: name + '${name}', use: [defineHook('backups', () => {}, { name: 'x' })] }] }`
  const directory = tree({ 'holdfast.config.js': text('a'), 'name.js': `exports.name = 'a'` })
  expect((await load(directory)).config.plans[0]?.name).toBe('aa')
  write(directory, { 'name.js': `exports.name = 'b'` })
  expect((await load(directory)).config.plans[0]?.name).toBe('ba')
  write(directory, { 'holdfast.config.js': text('c') })
  expect((await load(directory)).config.plans[0]?.name).toBe('bc')
})

test('two hook modules of one load share what both import', async () => {
  const hook = (kind: string): string => `
    import { defineHook } from '@holdfast/sdk'
    import { seen } from './shared.ts'
    export default defineHook('${kind}', () => seen.push('${kind}') && seen)`
  const directory = tree({
    'holdfast.yaml': 'plans: { shop: { use: [./a.ts, ./b.ts] } }',
    'a.ts': hook('beforeBackups'),
    'b.ts': hook('backups'),
    'shared.ts': 'export const seen: string[] = []',
  })
  const [plan] = (await load(directory)).config.plans
  plan?.participants[0]?.hooks.beforeBackups?.handler(undefined as never)
  expect(plan?.participants[1]?.hooks.backups?.handler(undefined as never)).toEqual(['beforeBackups', 'backups'])
})

test('a hook module made by another copy of the SDK is one', async () => {
  // A copy that a user installed beside the configuration comes first.
  const directory = tree({
    'holdfast.yaml': 'plans: { shop: { use: [./a.ts] } }',
    'a.ts': `
      import { copy, defineHook } from '@holdfast/sdk'
      export default defineHook('backups', () => copy)`,
    'node_modules/@holdfast/sdk/package.json': '{ "type": "module", "exports": "./index.js" }',
    'node_modules/@holdfast/sdk/index.js': `
      export const copy = 'other'
      export const defineHook = (hook, entry) => ({ $type: 'holdfast.hook/v1', hook, entry })`,
  })
  const [plan] = (await load(directory)).config.plans
  expect(plan?.participants[0]?.hooks.backups?.handler(undefined as never)).toBe('other')
})

test('a plugin that is installed beside the configuration is found, and so is a plugin of one’s own', async () => {
  const plugin = (name: string): string => `
    import { definePlugin } from '@holdfast/sdk'
    export const plugin = definePlugin({
      name: '${name}', version: '1.0.0', sdk: '^1.0',
      config: { '~standard': { version: 1, vendor: 'x', validate: (value) => ({ value }) } },
      hooks: { backups: () => {} },
    })`
  const directory = tree({
    'holdfast.yaml': `plans: { shop: { use: ['holdfast-plugin-x#plugin', { ./own.ts#plugin: { a: 1 }, name: mine }] } }`,
    'own.ts': plugin('own'),
    'node_modules/holdfast-plugin-x/package.json': '{ "type": "module", "exports": { "import": "./index.js" } }',
    'node_modules/holdfast-plugin-x/index.js': plugin('x'),
  })
  const { config: loaded, files } = await load(directory)
  expect(loaded.plans[0]?.participants).toMatchObject([
    { id: 'x', name: 'x', source: 'holdfast-plugin-x#plugin', config: {} },
    { id: 'mine', name: 'own', source: join(directory, 'own.ts'), config: { a: 1 } },
  ])
  expect(files).toEqual([join(directory, 'holdfast.yaml'), join(directory, 'own.ts')])
})

describe('a module that fails', () => {
  const broken = 'export default {\n  plans: [{ name: "x" use: [] }],\n}\n'
  const throwing =
    'interface A { x: string }\n\nfunction fail(): never {\n  throw new TypeError("no: " + 1)\n}\nfail()\n'
  test.each<[name: string, files: Record<string, string>, problem: object]>([
    [
      'TypeScript syntax',
      { 'holdfast.config.ts': broken },
      { code: 'CONFIG_SYNTAX', file: 'holdfast.config.ts', line: 2, column: 23 },
    ],
    [
      'JavaScript syntax',
      { 'holdfast.config.mjs': broken },
      { code: 'CONFIG_SYNTAX', file: 'holdfast.config.mjs', line: 2, column: 23 },
    ],
    [
      'syntax beside an enum',
      { 'holdfast.config.ts': `enum A { B }\n${broken}` },
      { code: 'CONFIG_SYNTAX', line: 3, column: 23 },
    ],
    [
      'syntax of an import',
      { 'holdfast.config.ts': `import './lib.ts'\nexport default {}`, 'lib.ts': broken },
      { code: 'CONFIG_SYNTAX', file: 'lib.ts', line: 2, column: 23 },
    ],
    [
      'a throw',
      { 'holdfast.config.ts': throwing },
      {
        code: 'MODULE_FAILED',
        message: 'loading holdfast.config.ts failed: TypeError: no: 1',
        file: 'holdfast.config.ts',
        line: 4,
        column: 9,
      },
    ],
    [
      'a throw beside an enum',
      { 'holdfast.config.ts': `enum E { F }\n${throwing}` },
      { code: 'MODULE_FAILED', line: 5, column: 9 },
    ],
    [
      'a throw that is no error',
      { 'holdfast.config.ts': `throw 'oh'` },
      { code: 'MODULE_FAILED', message: 'loading holdfast.config.ts failed: oh', file: 'holdfast.config.ts' },
    ],
    [
      'a file that isn’t there',
      { 'holdfast.config.ts': `import a from 'node:fs'\nimport b from './no/where.ts'\nexport default { a, b }` },
      {
        code: 'MODULE_FAILED',
        message: 'loading holdfast.config.ts failed: "./no/where.ts", which it imports, was not found',
        file: 'holdfast.config.ts',
        line: 2,
        column: 15,
      },
    ],
    [
      'a package that isn’t there, beside an enum',
      { 'holdfast.config.ts': `enum A { B }\nimport b from 'no-such-package'\nexport default { b }` },
      { code: 'MODULE_FAILED', file: 'holdfast.config.ts', line: 2, column: 15 },
    ],
    [
      'an export that isn’t there',
      { 'holdfast.config.ts': `import { nope } from './lib.ts'\nexport default nope`, 'lib.ts': 'export const a = 1' },
      { code: 'MODULE_FAILED', file: 'holdfast.config.ts', line: 1, column: 10 },
    ],
  ])('says where: %s', async (_, files, problem) => {
    const problems = await problemsIn(tree(files))
    expect(problems).toMatchObject([problem])
    expect(problems[0]?.message).not.toMatch(/\n| at |node:internal|holdfast=/)
  })

  test('that never finishes loading is given up, by the clock', async () => {
    const directory = tree({ 'holdfast.config.ts': 'await new Promise(() => {})\nexport default {}' })
    const waits: number[] = []
    const clock = {
      setTimer(ms: number, callback: () => void): () => void {
        waits.push(ms)
        queueMicrotask(callback)
        return () => undefined
      },
    }
    expect(await problemsIn(directory, { clock })).toMatchObject([
      { code: 'MODULE_FAILED', message: expect.stringContaining('did not finish loading within 30 s') },
    ])
    expect(waits).toEqual([30_000])
  })
})

test('a file that is CommonJS by its name is loaded, by the names that it exports, and requires another', async () => {
  const directory = tree({
    'holdfast.yaml': `plans: { shop: { use: [./hook.cjs, './own.cjs#own': { path: /x }] } }`,
    'hook.cjs': `module.exports = require('@holdfast/sdk').defineHook('onFinish', () => {})`,
    'own.cjs': `
      const { definePlugin } = require('@holdfast/sdk')
      const { hooks } = require('./hooks.cjs')
      const config = { '~standard': { version: 1, vendor: 'x', validate: (value) => ({ value }) } }
      exports.own = definePlugin({ name: 'own', version: '1.0.0', sdk: '^1.0', config, hooks })`,
    'hooks.cjs': `exports.hooks = { backups() {} }`,
  })
  const { config: loaded, files } = await load(directory)
  expect(loaded.plans[0]?.participants).toMatchObject([{ id: 'hook' }, { id: 'own' }])
  expect(files).toContain(join(directory, 'hooks.cjs'))
})

test('the default export of CommonJS that was compiled from ES modules is what its author exported', async () => {
  const directory = tree({
    'holdfast.yaml': `plans: { shop: { use: ['holdfast-plugin-old#default': { path: /x }, 'holdfast-plugin-old#hook'] } }`,
    'node_modules/holdfast-plugin-old/package.json': '{ "name": "holdfast-plugin-old", "main": "index.js" }',
    'node_modules/holdfast-plugin-old/index.js': `
      "use strict"
      Object.defineProperty(exports, "__esModule", { value: true })
      const { definePlugin, defineHook } = require('@holdfast/sdk')
      const config = { '~standard': { version: 1, vendor: 'x', validate: (value) => ({ value }) } }
      exports.default = definePlugin({ name: 'old', version: '1.0.0', sdk: '^1.0', config, hooks: { backups() {} } })
      // Not seen by who only reads the source, as Node does.
      Object.assign(exports, { ['ho' + 'ok']: defineHook('onFinish', () => {}) })`,
  })
  const { config: loaded } = await load(directory)
  expect(loaded.plans[0]?.participants).toMatchObject([{ id: 'old' }, { id: 'hook' }])
})

test('in a process of its own, loading prints nothing, also where package.json says nothing of modules', async () => {
  const directory = tree({
    'package.json': '{ "name": "x" }',
    'holdfast.config.ts': config('freeze'),
    'hooks/freeze.ts': enumHook,
    'hooks/lib.ts': `export const name = 'a'`,
  })
  const program = `
    import { loadConfig } from ${JSON.stringify(import.meta.resolve('../../src/load/load-config.ts'))}
    const modules = { '@holdfast/sdk': ${JSON.stringify(import.meta.resolve('@holdfast/sdk'))} }
    const { config } = await loadConfig({ cwd: ${JSON.stringify(directory)}, env: {}, modules })
    process.stdout.write(config.plans[0].participants[0].id)`
  const argv = ['--conditions=@holdfast/source', '--input-type=module', '--eval', program]
  const cwd = new URL('../..', import.meta.url)
  const { stdout, stderr } = await promisify(execFile)(process.execPath, argv, { cwd })
  expect([stdout, stderr]).toEqual(['freeze', ''])
})
