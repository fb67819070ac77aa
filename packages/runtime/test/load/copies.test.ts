// Copies in each form of configuration: written like the store, inherited from the top level, named for people.
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { memoryStorage } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { fsStorage } from '../../src/artifacts/fs-driver.ts'
import { openStorage } from '../../src/artifacts/storage-url.ts'
import { findCopyOfStore } from '../../src/load/resolve-copies.ts'
import type { LoadedConfig, LoadConfigOptions } from '../../src/load/load-config.ts'
import { files, load, problemsIn, tree } from './support.ts'

const use = `use: [{ '@holdfast/plugin-files#files': { path: /data } }]`
const plan = `plans: { shop: { ${use} } }\n`

function names({ config }: LoadedConfig): Record<string, readonly string[]> {
  return Object.fromEntries(config.plans.map(({ name, copies }) => [name, copies.map((copy) => copy.name)]))
}

const real: Partial<LoadConfigOptions> = { openStorage: (url) => openStorage(url) }

test('in YAML each is written as the store is, and a plan that has its own does not inherit', async () => {
  const here = tree({
    'holdfast.yaml': `
storage: file:///srv/backups
copies:
  - file:///mnt/nas/backups
  - '@holdfast/storage-nowhere#nowhere': { name: elsewhere }
  - '@holdfast/storage-nowhere#nowhere:{"name":"elsewhere"}'
plans:
  shop: { ${use} }
  mail: { ${use}, copies: ['file:///mnt/usb'] }
  logs: { ${use}, copies: [] }
`,
  })
  expect(names(await load(here, real))).toEqual({
    shop: ['file:///mnt/nas/backups', 'elsewhere', 'elsewhere (2)'],
    mail: ['file:///mnt/usb'],
    logs: [],
  })
})

test('in TypeScript they are drivers', async () => {
  const here = tree({})
  const copy = memoryStorage()
  const config = {
    copies: [copy, fsStorage({ path: '/mnt/a b' })],
    plans: [{ name: 'shop', use: [files({ path: '/data' })] }],
  }
  const loaded = await load(here, { environmentForm: () => config })
  expect(names(loaded)).toEqual({ shop: ['memory', 'file:///mnt/a%20b'] })
  expect(loaded.config.plans[0]?.copies[0]?.driver).toBe(copy)
})

describe('copies that a variable names', () => {
  const defaultCopies = { addresses: ['file:///mnt/nas', 'file:///mnt/usb'], variable: 'HOLDFAST_COPIES' }

  test('are those of configurations that name none', async () => {
    const none = tree({ 'holdfast.yaml': plan })
    expect(names(await load(none, { ...real, defaultCopies }))).toEqual({
      shop: ['file:///mnt/nas', 'file:///mnt/usb'],
    })
    for (const copies of ['[]', '[file:///mnt/own]']) {
      const some = tree({ 'holdfast.yaml': `copies: ${copies}\n${plan}` })
      expect(names(await load(some, { ...real, defaultCopies }))['shop']).not.toContain('file:///mnt/nas')
    }
    const environmentForm = (): object => ({ plans: [{ name: 'shop', use: [files({ path: '/data' })] }] })
    const loaded = await load(tree({}), {
      ...real,
      defaultCopies,
      environmentForm: environmentForm as never,
    })
    expect(names(loaded)['shop']).toHaveLength(2)
  })

  test('are said to be wrong by their variable', async () => {
    const here = tree({ 'holdfast.yaml': plan })
    const wrong = { addresses: ['file:///mnt/nas', '/mnt/usb'], variable: 'HOLDFAST_COPIES' }
    expect(await problemsIn(here, { ...real, defaultCopies: wrong })).toMatchObject([
      { code: 'STORAGE_INVALID', path: 'HOLDFAST_COPIES[1]' },
    ])
  })
})

describe('what can be no copy', () => {
  test.each([
    [
      'the store itself',
      `storage: file:///srv/backups\ncopies: [file:///srv/backups/]\n${plan}`,
      { code: 'COPY_SAME_STORE', path: 'copies[0]', line: 2 },
    ],
    [
      'a copy twice, in a plan',
      `plans: { shop: { ${use}, copies: ['file:///a', 'file:///a'] } }`,
      { code: 'COPY_SAME_STORE', path: 'plans.shop.copies[1]', message: 'the copy file:///a is another copy' },
    ],
    ['no list', `copies: file:///a\n${plan}`, { code: 'CONFIG_VALUE', path: 'copies' }],
    ['no store', `copies: [5]\n${plan}`, { code: 'STORAGE_INVALID', path: 'copies[0]' }],
    [
      'a module that is not there',
      `copies: [{ '@holdfast/storage-nowher#nowhere': {} }]\n${plan}`,
      { code: 'MODULE_NOT_FOUND', path: 'copies[0]' },
    ],
  ])('%s', async (_name, yaml, problem) => {
    expect(await problemsIn(tree({ 'holdfast.yaml': yaml }), real)).toMatchObject([problem])
  })

  test('the store itself by another path', async () => {
    const here = tree({})
    mkdirSync(join(here, 'store'))
    symlinkSync('store', join(here, 'link'))
    const storage = fsStorage({ path: join(here, 'store') })
    const copies = [fsStorage({ path: join(here, 'link') })]
    const plans = [{ name: 'shop', use: [files({ path: '/data' })] }]
    expect(await problemsIn(here, { environmentForm: () => ({ storage, copies, plans }) })).toMatchObject([
      { code: 'COPY_SAME_STORE' },
    ])
    const loaded = await load(here, { environmentForm: () => ({ copies, plans }) })
    expect(findCopyOfStore(loaded.config)).toBeUndefined()
    // The command line may name the store later.
    expect(findCopyOfStore({ ...loaded.config, storage })?.code).toBe('COPY_SAME_STORE')
  })

  test('of a plan that backs nothing up: a warning', async () => {
    const here = tree({
      'tidy.ts': `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('maintain', () => {})\n`,
      'holdfast.yaml': `copies: [file:///a]\nplans: { tidy: { use: [./tidy.ts], copies: [file:///b] } }`,
    })
    const { warnings } = await load(here, real)
    expect(warnings.map(({ code, details }) => [code, details['path']])).toEqual([
      ['SETTING_UNUSED', 'plans.tidy.copies'],
    ])
  })
})
