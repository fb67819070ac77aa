import type { HoldfastConfig } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { join } from 'node:path'
import type { LoadConfigOptions, LoadedConfig } from '../../src/load/load-config.ts'
import { openStorageAddress } from '../../src/load/open-storage.ts'
import { builtins, files as filesPlugin, load, nowhere, problemsIn, tree } from './support.ts'

const recipient = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj'

const hook = `
import { defineHook } from '@holdfast/sdk'
export default defineHook('beforeBackups', { handler: () => {}, order: 'pre', timeout: '30s' })
`
const yamlMap = `
instance: prod
storage: s3://bucket/prefix
encoding: { compression: gzip, recipients: [${recipient}], identity: { env: AGE_KEY } }
metrics: { listen: ':9090' }
plans:
  shop:
    schedule: { cron: '0 3 * * *', timeZone: Europe/Berlin, jitter: 5m }
    use:
      - '@holdfast/plugin-files#files': { path: /data }
      - { '@holdfast/plugin-files#files': { path: /more, mode: thorough }, name: more }
      - ./hooks/quiesce.ts
    concurrency: 2
    budget: 2h
    retry: { attempts: 2, backoff: 10s }
    retention: { latest: 3, days: 14 }
    allowEmpty: true
    encoding: { compression: none }
  nightly:
    use: ['@holdfast/plugin-files#files': { path: /data }]
`
const yamlList = yamlMap.replace('  shop:\n', '  - name: shop\n').replace('  nightly:\n', '  - name: nightly\n')
const typescript = `
import { defineConfig } from '@holdfast/sdk'
import { files } from '@holdfast/plugin-files'
import quiesce from './hooks/quiesce.ts'
import { store } from './store.ts'

export default defineConfig({
  instance: 'prod',
  storage: store,
  encoding: { compression: 'gzip', recipients: ['${recipient}'], identity: { env: 'AGE_KEY' } },
  metrics: { listen: ':9090' },
  plans: [
    {
      name: 'shop',
      schedule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin', jitter: '5m' },
      use: [files({ path: '/data' }), files({ path: '/more', mode: 'thorough' }, { name: 'more' }), quiesce],
      concurrency: 2,
      budget: 7_200_000,
      retry: { attempts: 2, backoff: '10s' },
      retention: { latest: 3, days: 14 },
      allowEmpty: true,
      encoding: { compression: 'none' },
    },
    { name: 'nightly', use: [files({ path: '/data' })] },
  ],
})
`
// The plugin as an installed package would be: its own copy, with a schema of its own.
const installed = {
  'node_modules/@holdfast/plugin-files/package.json': '{ "type": "module", "exports": "./index.js" }',
  'node_modules/@holdfast/plugin-files/index.js': `
    import { definePlugin } from '@holdfast/sdk'
    const validate = (value) => ({ value: { mode: 'fast', ...value } })
    export const files = definePlugin({
      name: 'files', version: '1.2.3', sdk: '^1.0', config: { '~standard': { version: 1, vendor: 'x', validate } },
      hooks: {
        backups: () => undefined,
        verifyBackups: { handler: () => undefined, order: 'post', timeout: '10s', retry: { attempts: 3 } },
      },
    })`,
  'store.ts': `export const store = {
    name: 's3://bucket/prefix', capabilities: {}, put() {}, get() {}, list() {}, delete() {} }`,
}
const config: HoldfastConfig = {
  instance: 'prod',
  storage: nowhere('s3://bucket/prefix'),
  encoding: { compression: 'gzip', recipients: [recipient], identity: { env: 'AGE_KEY' } },
  metrics: { listen: ':9090' },
  plans: [
    {
      name: 'shop',
      schedule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin', jitter: '5m' },
      use: [
        filesPlugin({ path: '/data' }),
        filesPlugin({ path: '/more', mode: 'thorough' }, { name: 'more' }),
        {
          $type: 'holdfast.hook/v1',
          hook: 'beforeBackups',
          name: 'quiesce',
          entry: { handler: () => undefined, order: 'pre', timeout: '30s' },
        },
      ],
      concurrency: 2,
      budget: '2h',
      retry: { attempts: 2, backoff: 10_000 },
      retention: { latest: 3, days: 14 },
      allowEmpty: true,
      encoding: { compression: 'none' },
    },
    { name: 'nightly', use: [filesPlugin({ path: '/data' })] },
  ],
}

/** What two loads of the same content have in common: everything but where it came from. */
function content({ config: loaded, metrics }: LoadedConfig): unknown {
  const text = JSON.stringify(
    { ...loaded, storage: loaded.storage?.name, source: '', metrics },
    (key, value: unknown) => {
      if (key === 'source') return undefined
      if (value instanceof Map) return [...value.keys()]
      return typeof value === 'function' ? 'function' : value
    },
  )
  return JSON.parse(text)
}

const base = { 'hooks/quiesce.ts': hook }
const expected = {
  instance: 'prod',
  storage: 's3://bucket/prefix',
  metrics: { listen: ':9090' },
  plans: [
    {
      name: 'shop',
      schedule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin', jitter: '5m' },
      concurrency: 2,
      budgetMs: 7_200_000,
      retry: { attempts: 2, backoffMs: 10_000 },
      retention: { latest: 3, days: 14 },
      allowEmpty: true,
      encoding: { compression: 'none', recipients: [recipient], identity: { env: 'AGE_KEY' } },
      maintenance: false,
      participants: [
        {
          kind: 'plugin',
          id: 'files',
          name: 'files',
          config: { path: '/data', mode: 'fast' },
          permissions: [],
          undos: [],
          hooks: {
            backups: { handler: 'function', order: 'normal', retry: { attempts: 1, backoffMs: 60_000 } },
            verifyBackups: {
              handler: 'function',
              order: 'post',
              timeoutMs: 10_000,
              retry: { attempts: 3, backoffMs: 60_000 },
            },
          },
        },
        { id: 'more', name: 'files', config: { path: '/more', mode: 'thorough' } },
        {
          kind: 'hook',
          id: 'quiesce',
          name: 'quiesce',
          hooks: {
            beforeBackups: {
              handler: 'function',
              order: 'pre',
              timeoutMs: 30_000,
              retry: { attempts: 1, backoffMs: 60_000 },
            },
          },
        },
      ],
    },
    {
      name: 'nightly',
      concurrency: 1,
      budgetMs: 86_400_000,
      retry: { attempts: 1, backoffMs: 60_000 },
      allowEmpty: false,
      encoding: { compression: 'gzip', recipients: [recipient], identity: { env: 'AGE_KEY' } },
      maintenance: false,
      participants: [{ id: 'files', config: { path: '/data', mode: 'fast' } }],
    },
  ],
}

describe('every form means the same', () => {
  test.each<[form: string, files: Record<string, string>, options: Partial<LoadConfigOptions>]>([
    ['YAML, plans by name', { 'holdfast.yaml': yamlMap }, {}],
    ['YAML, a list of plans', { 'holdfast.yaml': yamlList }, {}],
    ['TypeScript', { 'holdfast.config.ts': typescript, ...installed }, {}],
    ['JavaScript', { 'holdfast.config.mjs': typescript, ...installed }, {}],
    ['a crontab', { crontab: '0 3 * * * root anything\n' }, { crontabForm: () => config }],
    ['the environment', {}, { environmentForm: async () => config }],
  ])('%s', async (_, files, options) => {
    const loaded = await load(tree({ ...base, ...files }), options)
    expect(content(loaded)).toMatchObject(expected)
    expect(content(loaded)).toEqual(content(await load(tree({ ...base, 'holdfast.yaml': yamlMap }))))
    expect(loaded.warnings.filter(({ code }) => code !== 'CRONTAB_WARNING')).toEqual([])
  })
})

test('a crontab’s problems and warnings are the configuration’s, each at its line', async () => {
  const crontabForm: LoadConfigOptions['crontabForm'] = ({ entries }) => ({
    plans: entries.map(({ planName }) => ({ name: planName, use: [filesPlugin({ pth: '/' } as never)] })),
  })
  const broken = tree({ crontab: 'MAILTO=me\n0 3 * * *  root x\n0 25 * * * root y\n0 3 31 2 * root z\n' })
  expect(await problemsIn(broken, { crontabForm })).toMatchObject([
    { code: 'CRONTAB_INVALID', file: 'crontab', line: 3 },
    { code: 'CRONTAB_INVALID', file: 'crontab', line: 4 },
  ])
  const plans = tree({ crontab: 'MAILTO=me\n0 3 * * *  root x\n# holdfast: name=y\n0 4 * * * root y\n' })
  expect(await problemsIn(plans, { crontabForm })).toMatchObject([
    { code: 'PLUGIN_OPTIONS_INVALID', file: 'crontab', line: 2 },
    { code: 'PLUGIN_OPTIONS_INVALID', file: 'crontab', line: 2 },
    { code: 'PLUGIN_OPTIONS_INVALID', file: 'crontab', line: 4 },
    { code: 'PLUGIN_OPTIONS_INVALID', file: 'crontab', line: 4 },
  ])
  const { warnings } = await load(plans, { crontabForm: () => config })
  expect(warnings).toMatchObject([{ code: 'CRONTAB_WARNING', message: expect.stringContaining('MAILTO') }])
})

test('what was left out has a default', async () => {
  const { config: loaded } = await load(
    tree({ 'holdfast.yaml': `plans: { a: { use: ['@holdfast/plugin-files#files': { path: / }] } }` }),
  )
  expect(loaded).toMatchObject({
    instance: 'default',
    storage: undefined,
    plans: [
      {
        encoding: { compression: 'zstd', recipients: [], identity: undefined },
        schedule: undefined,
        retention: undefined,
      },
    ],
  })
})

test('a store is a URL, module#export, or one with its options', async () => {
  const plans = `plans: { a: { use: ['@holdfast/plugin-files#files': { path: / }] } }`
  const name = async (storage: string): Promise<string | undefined> =>
    (await load(tree({ 'holdfast.yaml': `storage: ${storage}\n${plans}` }))).config.storage?.name
  expect(await name('file:///backups')).toBe('file:///backups')
  expect(await name(`'@holdfast/storage-nowhere#nowhere'`)).toBe('nowhere')
  expect(await name(`'@holdfast/storage-nowhere#nowhere:{"name":"json"}'`)).toBe('json')
  expect(await name(`{ '@holdfast/storage-nowhere#nowhere': { name: map } }`)).toBe('map')
})

test('the crontab’s lines and name reach the app, and the variables do', async () => {
  const directory = tree({ 'shop.crontab': 'A=1\n0 3 * * * root x\n' })
  const seen: unknown[] = []
  await load(directory, {
    path: 'shop.crontab',
    crontabForm: ({ entries }, file) => (seen.push(entries[0]?.command, file), config),
  })
  await load(tree({}), { env: { CRON_BACKUP_SCHEDULE: '@daily' }, environmentForm: (env) => (seen.push(env), config) })
  expect(seen).toEqual(['x', join(directory, 'shop.crontab'), { CRON_BACKUP_SCHEDULE: '@daily' }])
})

test('plugins that the app brings along are found from a configuration without node_modules, in TypeScript too', async () => {
  const directory = tree({
    'holdfast.config.ts': `
      import { files } from '@holdfast/plugin-files'
      export default { plans: [{ name: 'a', use: [files({ path: '/' })] }] }`,
    'plugin.mjs': installed['node_modules/@holdfast/plugin-files/index.js'],
  })
  const { config: loaded, files } = await load(directory, {
    modules: {
      '@holdfast/sdk': import.meta.resolve('@holdfast/sdk'),
      '@holdfast/plugin-files': new URL(`file://${directory}/plugin.mjs`).href,
    },
    builtins,
  })
  expect(loaded.plans[0]?.participants[0]).toMatchObject({ id: 'files', source: join(directory, 'holdfast.config.ts') })
  expect(files).toEqual([join(directory, 'holdfast.config.ts')])
})

describe('what has no effect is a warning', () => {
  const hookOf = (name: string): string => `
    import { defineHook } from '@holdfast/sdk'
    export default defineHook('${name}', () => {})`
  test('in a maintenance plan', async () => {
    const directory = tree({
      'holdfast.yaml': `plans: { tidy: { use: [./maintain.ts, ./freeze.ts], retention: { days: 3 }, concurrency: 2 } }`,
      'maintain.ts': hookOf('maintain'),
      'freeze.ts': hookOf('beforeBackups'),
    })
    const { config: loaded, warnings } = await load(directory)
    expect(loaded.plans[0]?.maintenance).toBe(true)
    expect(warnings).toMatchObject([
      { code: 'SETTING_UNUSED', message: expect.stringContaining('"concurrency" of plan "tidy"') },
      { code: 'SETTING_UNUSED', message: expect.stringContaining('"retention"'), details: { line: 1, column: 53 } },
      { code: 'HOOK_NEVER_RUNS', message: expect.stringContaining('beforeBackups of hook "freeze" of plan "tidy"') },
    ])
  })

  test('pruning by a hook module, which has no targets', async () => {
    const directory = tree({
      'holdfast.yaml': `plans: { a: { use: [./dump.ts, ./prune.ts] } }`,
      'dump.ts': hookOf('backups'),
      'prune.ts': hookOf('pruneBackups'),
    })
    expect((await load(directory)).warnings).toMatchObject([
      { code: 'HOOK_NEVER_RUNS', message: expect.stringContaining('a hook module has no targets of its own') },
    ])
  })

  test('${…} in a plugin’s options, where it may be meant', async () => {
    const yaml = `plans: { a: { use: ['@holdfast/plugin-files#files': { path: '\${HOME}/x' }] } }`
    const { config: loaded, warnings } = await load(tree({ 'holdfast.yaml': yaml }))
    expect(loaded.plans[0]?.participants[0]?.config).toMatchObject({ path: '${HOME}/x' })
    expect(warnings).toMatchObject([{ code: 'CONFIG_INTERPOLATION', details: { line: 1 } }])
  })
})

test('a store that the command line names is a URL or module#export', async () => {
  const options = { cwd: tree({}), builtins, openStorage: async (url: string) => nowhere(url) }
  expect((await openStorageAddress('s3://bucket', options)).name).toBe('s3://bucket')
  expect((await openStorageAddress('@holdfast/storage-nowhere#nowhere:{"name":"x"}', options)).name).toBe('x')
  await expect(openStorageAddress('@holdfast/storage-nowhere#nowher', options)).rejects.toMatchObject({
    code: 'EXPORT_MISSING',
    hint: expect.stringContaining('Did you mean "nowhere"?'),
  })
})
