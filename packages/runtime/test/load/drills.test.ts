import type { HoldfastConfig } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { join } from 'node:path'
import { configJsonSchema, knownConfigKeys, type JsonSchema } from '../../src/load/json-schema.ts'
import type { LoadConfigOptions } from '../../src/load/load-config.ts'
import type { DrillScriptsForm } from '../../src/load/resolve-drill-code.ts'
import type { ResolvedDrill } from '../../src/load/resolved.ts'
import { files as filesPlugin, load, problemsIn, tree, write } from './support.ts'

/** What an app brings along for scripts; it says which path it was given. */
const drillScripts: DrillScriptsForm = (path) => ({
  check: async () => [],
  expect: async () => Promise.reject(new Error(`expect of ${path}`)),
  cleanup: async () => Promise.reject(new Error(`cleanup of ${path}`)),
  permissions: [{ apiGroup: '', resource: 'pods', verbs: ['get'], scope: 'namespace', why: path }],
})
const withScripts: Partial<LoadConfigOptions> = { drillScripts }

const plans = `plans: { shop: { use: ['@holdfast/plugin-files#files': { path: /data }] } }\n`
const modules = { 'check.ts': `export default () => 'default'\nexport const rows = () => 'rows'\n` }

async function drillsOf(files: Readonly<Record<string, string>>): Promise<readonly ResolvedDrill[]> {
  return (await load(tree({ ...modules, ...files }), withScripts)).config.drills
}

describe('a drill', () => {
  test('says its plan and what it expects; the rest has defaults', async () => {
    const [drill] = await drillsOf({
      'holdfast.yaml': `${plans}drills:\n  weekly: { plan: shop, expect: ./check.ts }\n`,
    })
    expect(drill).toMatchObject({
      name: 'weekly',
      plan: { name: 'shop' },
      schedule: undefined,
      select: 'newest',
      target: undefined,
      // As `holdfast restore --to DIRECTORY` has it: a plugin that would restore elsewhere by default knows no path.
      options: { path: '{directory}' },
      bytes: false,
      cleanup: undefined,
      scratch: undefined,
      budgetMs: 24 * 3_600_000,
      expectMs: 3_600_000,
    })
    expect(drill?.expect.run({} as never)).toBe('default')
    // What was restored is cleaned up whoever has to do it, so it is on record by name.
    expect([...(drill?.participant.undos.values() ?? [])]).toMatchObject([{ name: 'drill-cleanup', deadline: '10m' }])
  })

  const settings = `
    plan: shop
    schedule: { cron: '0 5 * * 0', timeZone: Europe/Berlin, overlap: queue }
    select: random
    target: files
    options: { path: '{directory}/x', port: 3307, verbose: true }
    bytes: true
    expect: ./check.ts#rows
    cleanup: ./cleanup
    scratch: /scratch
    budget: 2h
    timeouts: { expect: 10m, cleanup: 1m }
    permissions: [{ apiGroup: '', resource: pods/exec, verbs: [create], scope: namespace, why: looks inside }]
`
  const complete = {
    name: 'weekly',
    schedule: { cron: '0 5 * * 0', timeZone: 'Europe/Berlin', overlap: 'queue' },
    select: 'random',
    target: 'files',
    options: { path: '{directory}/x', port: 3307, verbose: true },
    bytes: true,
    scratch: '/scratch',
    budgetMs: 7_200_000,
    expectMs: 600_000,
  }

  test.each([
    ['in a map', `drills:\n  weekly:${settings}`],
    ['in a list, whatever form the plans have', `drills:\n  - name: weekly${settings}`],
  ])('can say everything in YAML, %s', async (_, drills) => {
    const cwd = tree({ ...modules, 'holdfast.yaml': plans + drills, 'cleanup/10-drop': '' })
    const [drill] = (await load(cwd, withScripts)).config.drills
    expect(drill).toMatchObject(complete)
    expect(drill?.expect).toMatchObject({ source: join(cwd, 'check.ts') })
    expect(drill?.expect.run({} as never)).toBe('rows')
    await expect(drill?.cleanup?.run({} as never)).rejects.toThrow(`cleanup of ${join(cwd, 'cleanup')}`)
    expect(drill?.participant.undos.get('drill-cleanup')?.deadline).toBe('1m')
    // Its own, and those of its scripts.
    expect(drill?.participant.permissions.map(({ why }) => why)).toEqual(['looks inside', join(cwd, 'cleanup')])
  })

  test('has functions in TypeScript, and a path where it likes', async () => {
    const [drill] = await drillsOf({
      'holdfast.config.ts': `
        import { defineConfig, defineDrill } from '@holdfast/sdk'
        import { files } from '@holdfast/plugin-files'
        import check from './check.ts'
        export default defineConfig({
          plans: [{ name: 'shop', use: [files({ path: '/data' })] }],
          drills: [defineDrill({ name: 'weekly', plan: 'shop', expect: check, cleanup: './drop.sh', options: () => ({ path: 'x' }) })],
        })
      `,
      'drop.sh': '#!/bin/sh\n',
      ...installed,
    })
    expect(drill?.expect.run({} as never)).toBe('default')
    expect(drill?.expect.source).toMatch(/check\.ts$/)
    expect(drill?.options).toBeTypeOf('function')
    await expect(drill?.cleanup?.run({} as never)).rejects.toThrow('drop.sh')
  })

  test('is loaded anew when a module that it names has changed', async () => {
    const cwd = tree({ ...modules, 'holdfast.yaml': `${plans}drills: { weekly: { plan: shop, expect: ./check.ts } }` })
    const first = await load(cwd)
    expect(first.files).toContain(join(cwd, 'check.ts'))
    write(cwd, { 'check.ts': `export default () => 'changed'\n` })
    const [drill] = (await load(cwd)).config.drills
    expect(drill?.expect.run({} as never)).toBe('changed')
  })

  test('may be called like a plan', async () => {
    expect(
      await drillsOf({ 'holdfast.yaml': `${plans}drills: { shop: { plan: shop, expect: ./check.ts } }` }),
    ).toMatchObject([{ name: 'shop', participant: { id: 'drill:shop' } }])
  })

  test('there may be none', async () => {
    expect(await drillsOf({ 'holdfast.yaml': plans })).toEqual([])
    expect(await drillsOf({ 'holdfast.yaml': `${plans}drills: []` })).toEqual([])
  })
})

describe('what is wrong with a drill is found, placed and put right', () => {
  const drill = (text: string): string => `${plans}drills:\n  weekly:\n    ${text.replaceAll('\n', '\n    ')}\n`
  test.each<[what: string, yaml: string, problem: object]>([
    [
      'an unknown key',
      drill('plan: shop\nexpct: ./check.ts\nexpect: ./check.ts'),
      {
        code: 'CONFIG_UNKNOWN_KEY',
        message: 'unknown key "expct" in drills.weekly',
        hint: expect.stringContaining('Did you mean "expect"?'),
        file: 'holdfast.yaml',
        line: 5,
        column: 5,
        path: 'drills.weekly.expct',
      },
    ],
    [
      'an unknown key of a drill in a list',
      `${plans}drills: [{ name: a, plan: shop, expect: ./check.ts, timeouts: { expects: 1m } }]\n`,
      { code: 'CONFIG_UNKNOWN_KEY', hint: expect.stringContaining('"expect"'), path: 'drills[0].timeouts.expects' },
    ],
    [
      'a plan that is not there',
      drill('plan: shpo\nexpect: ./check.ts'),
      {
        code: 'CONFIG_VALUE',
        message: 'drills.weekly.plan is "shpo", and there is no such plan',
        hint: expect.stringContaining('Did you mean "shop"?'),
        line: 4,
        column: 11,
      },
    ],
    ['no plan', drill('expect: ./check.ts'), { message: 'drills.weekly.plan is missing' }],
    ['nothing that is expected', drill('plan: shop'), { message: 'drills.weekly.expect is missing', line: 4 }],
    [
      'a number that is expected',
      drill('plan: shop\nexpect: 5'),
      { message: expect.stringContaining('drills.weekly.expect must be a function, or the path of'), line: 5 },
    ],
    [
      'a wrong selection',
      drill('plan: shop\nexpect: ./check.ts\nselect: newset'),
      { message: 'drills.weekly.select must be one of "newest", "random"', hint: expect.stringContaining('"newest"') },
    ],
    [
      'a placeholder that stands for nothing',
      drill(`plan: shop\nexpect: ./check.ts\noptions: { path: 'x-{sufix}' }`),
      {
        message: 'drills.weekly.options.path contains {sufix}, which stands for nothing',
        hint: expect.stringMatching(/^Did you mean "suffix"\? There are \{directory\} and \{suffix\}/),
        line: 6,
        column: 22,
      },
    ],
    [
      'options that are no texts',
      drill('plan: shop\nexpect: ./check.ts\noptions: { path: [a] }'),
      { message: expect.stringContaining('drills.weekly.options must be a map of texts'), line: 6 },
    ],
    [
      'a schedule that never fires',
      drill(`plan: shop\nexpect: ./check.ts\nschedule: { cron: '0 3 31 2 *' }`),
      { code: 'CRON_NEVER', line: 6 },
    ],
    [
      'a relative scratch directory',
      drill('plan: shop\nexpect: ./check.ts\nscratch: tmp'),
      { message: expect.stringContaining('must be an absolute path') },
    ],
    [
      'a budget of nothing',
      drill('plan: shop\nexpect: ./check.ts\nbudget: 0s'),
      { code: 'CONFIG_VALUE', path: 'drills.weekly.budget' },
    ],
    [
      'a name that can be no label',
      `${plans}drills: { 'every week': { plan: shop, expect: ./check.ts } }`,
      {
        code: 'NAME_INVALID',
        message: `a drill can't be called "every week"`,
        hint: expect.stringContaining('"every-week"'),
      },
    ],
    [
      'two of one name',
      `${plans}drills: [{ name: a, plan: shop, expect: ./check.ts }, { name: A, plan: shop, expect: ./check.ts }]`,
      { code: 'DRILL_DUPLICATE', path: 'drills[1].name' },
    ],
    [
      'a module that is not there',
      drill('plan: shop\nexpect: ./chekc.ts'),
      { code: 'MODULE_NOT_FOUND', line: 5, column: 13 },
    ],
    [
      'a directory that is not there',
      drill('plan: shop\nexpect: ./checks'),
      { code: 'DRILL_CODE_INVALID', message: expect.stringContaining('it is not there'), line: 5 },
    ],
    [
      'a path that does not look like one',
      drill('plan: shop\nexpect: scripts'),
      { code: 'DRILL_CODE_INVALID', hint: expect.stringContaining('Did you mean "./scripts"?') },
    ],
    [
      'a module that exports no function',
      drill('plan: shop\nexpect: ./hook.ts'),
      { code: 'DRILL_CODE_INVALID', message: expect.stringContaining('it exports a hook, not a function') },
    ],
    [
      'an export that is not there',
      drill('plan: shop\nexpect: ./check.ts#row'),
      { code: 'EXPORT_MISSING', hint: expect.stringContaining('"rows"') },
    ],
    [
      'a cleanup that fails to load',
      drill('plan: shop\nexpect: ./check.ts\ncleanup: ./broken.ts'),
      { code: 'MODULE_FAILED', file: 'broken.ts' },
    ],
  ])('%s', async (_, yaml, problem) => {
    const files = {
      'hook.ts': `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('onFinish', () => {})\n`,
      'broken.ts': `throw new Error('no')\n`,
      'scripts/10': '',
    }
    const cwd = tree({ ...modules, ...files, 'holdfast.yaml': yaml })
    expect(await problemsIn(cwd, withScripts)).toEqual([expect.objectContaining(problem)])
  })

  test('a plan that backs nothing up', async () => {
    const cwd = tree({
      ...modules,
      'holdfast.yaml': `${plans.replace(' }\n', `, tidy: { use: [./tidy.ts] } }\n`)}drills: { a: { plan: tidy, expect: ./check.ts } }\n`,
      'tidy.ts': `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('maintain', () => {})\n`,
    })
    expect(await problemsIn(cwd)).toMatchObject([
      { code: 'CONFIG_VALUE', message: 'drills.a.plan is "tidy", which backs nothing up' },
    ])
  })

  test('a plan with a problem of its own is not said to be missing', async () => {
    const cwd = tree({
      ...modules,
      'holdfast.yaml': `plans: { shop: { use: [./nowhere.ts] } }\ndrills: { a: { plan: shop, expect: ./check.ts } }\n`,
    })
    expect(await problemsIn(cwd)).toMatchObject([{ code: 'MODULE_NOT_FOUND' }])
  })

  test('scripts, where nobody knows what they are', async () => {
    const yaml = `${plans}drills: { a: { plan: shop, expect: ./scripts } }`
    expect(await problemsIn(tree({ 'holdfast.yaml': yaml, 'scripts/10': '' }))).toMatchObject([
      { code: 'DRILL_CODE_INVALID' },
    ])
  })
})

test('a configuration without a file has drills as code', async () => {
  const environmentForm = (): HoldfastConfig => ({
    plans: [{ name: 'shop', use: [filesPlugin({ path: '/data' })] }],
    drills: [{ name: 'weekly', plan: 'shop', expect: () => true }],
  })
  expect((await load(tree({}), { environmentForm })).config.drills).toMatchObject([{ name: 'weekly' }])
})

test('the schema for editors knows drills as YAML can write them', async () => {
  const schema = (await configJsonSchema()) as { readonly properties: Readonly<Record<string, JsonSchema>> }
  const [map, list] = (schema.properties['drills']?.['anyOf'] ?? []) as readonly JsonSchema[]
  const drill = map?.['additionalProperties'] as JsonSchema
  expect(drill).toMatchObject({ additionalProperties: false, required: ['plan', 'expect'] })
  expect(drill['properties']).toMatchObject({
    expect: { type: 'string', description: expect.stringContaining('scripts') },
    options: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
    select: { enum: ['newest', 'random'] },
  })
  expect(list).toMatchObject({ type: 'array', items: { required: ['name', 'plan', 'expect'] } })
  expect(await knownConfigKeys(['drills', 'weekly', 'timeouts'], 'list')).toEqual(['expect', 'cleanup'])
  expect(await knownConfigKeys([], 'map')).toContain('drills')
})

/** As a package that is installed beside the configuration. */
const installed = {
  'node_modules/@holdfast/plugin-files/package.json': '{ "type": "module", "exports": "./index.js" }',
  'node_modules/@holdfast/plugin-files/index.js': `
    import { definePlugin } from '@holdfast/sdk'
    const validate = (value) => ({ value })
    export const files = definePlugin({
      name: 'files', version: '1.2.3', sdk: '^1.0', config: { '~standard': { version: 1, vendor: 'x', validate } },
      hooks: { backups: () => undefined },
    })
  `,
}
