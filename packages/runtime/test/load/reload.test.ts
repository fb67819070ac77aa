import { HoldfastError, type Logger } from '@holdfast/sdk'
import { expect, onTestFinished, test } from 'vitest'
import { join } from 'node:path'
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { watchConfig, type WatchConfigOptions } from '../../src/load/reload.ts'
import { problemsOf } from '../../src/load/problems.ts'
import type { LoadedConfig } from '../../src/load/load-config.ts'
import { load, tree, write } from './support.ts'

const plan = (name: string): string => `plans: { ${name}: { use: ['@holdfast/plugin-files#files': { path: / }] } }\n`

/** A watch whose time the test owns, and what came of it. */
function watched(
  first: LoadedConfig,
  loading: () => Promise<LoadedConfig>,
  more: Partial<WatchConfigOptions<LoadedConfig>> = {},
) {
  let timer: (() => void) | undefined
  const events: string[] = []
  const log: Logger = {
    debug: () => {},
    info: (text) => events.push(text),
    warn: () => {},
    error: (text) => events.push(text),
  }
  const watch = watchConfig({
    files: first.files,
    fingerprint: first.fingerprint,
    load: loading,
    log,
    clock: {
      setTimer(ms, callback) {
        expect(ms).toBe(5_000)
        timer = callback
        return () => {
          timer = undefined
        }
      },
    },
    onChange: ({ config }) => events.push(`plan ${config.plans[0]?.name}`),
    onInvalid: (error) => events.push(`invalid ${problemsOf(error)[0]?.code}`),
    ...more,
  })
  onTestFinished(() => watch.stop())
  return {
    watch,
    /** What happened since the last time. */
    events: () => events.splice(0),
    /** Lets the time between two looks pass, and the look finish. */
    async look(times = 1): Promise<void> {
      for (let time = 0; time < times; time += 1) {
        const due = timer
        timer = undefined
        due?.()
        while (timer === undefined) await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

async function start(files: Record<string, string>) {
  const directory = tree(files)
  const first = await load(directory)
  return { directory, ...watched(first, () => load(directory)) }
}

test('a changed file is taken over once it has stopped changing', async () => {
  const { directory, look, events } = await start({ 'holdfast.yaml': plan('a') })
  await look(2)
  expect(events()).toEqual([])
  write(directory, { 'holdfast.yaml': plan('half-written') })
  await look()
  write(directory, { 'holdfast.yaml': plan('written-to-the-end') })
  await look()
  expect(events()).toEqual([])
  await look()
  expect(events()).toEqual(['plan written-to-the-end'])
  await look(3)
  expect(events()).toEqual([])
})

test('the same content is no change, however new the file', async () => {
  const { directory, look, events, watch } = await start({ 'holdfast.yaml': plan('a') })
  utimesSync(join(directory, 'holdfast.yaml'), 1, 1)
  write(directory, { 'other.yaml': plan('a') })
  renameSync(join(directory, 'other.yaml'), join(directory, 'holdfast.yaml'))
  await look(3)
  expect(events()).toEqual([])
  await watch.reload()
  expect(events()).toEqual(['the configuration has not changed'])
})

test('an invalid configuration is reported once, the old one stays, and the fix is taken over', async () => {
  const { directory, look, events } = await start({ 'holdfast.yaml': plan('a') })
  write(directory, { 'holdfast.yaml': `${plan('b')}x: 1\n` })
  await look(5)
  expect(events()).toEqual(['invalid CONFIG_UNKNOWN_KEY'])
  write(directory, { 'holdfast.yaml': plan('a') })
  await look(2)
  expect(events()).toEqual(['plan a'])
})

test('a ConfigMap that swaps its directory is a change', async () => {
  const directory = tree({ '..1/holdfast.yaml': plan('a'), '..2/holdfast.yaml': plan('b') })
  symlinkSync('..1', join(directory, '..data'))
  symlinkSync('..data/holdfast.yaml', join(directory, 'holdfast.yaml'))
  const loading = (): Promise<LoadedConfig> => load(directory)
  const { look, events } = watched(await loading(), loading)
  symlinkSync('..2', join(directory, '..tmp'))
  renameSync(join(directory, '..tmp'), join(directory, '..data'))
  rmSync(join(directory, '..1'), { recursive: true })
  await look(2)
  expect(events()).toEqual(['plan b'])
})

test('hook modules, and what they import, are part of the configuration', async () => {
  const { directory, look, events } = await start({
    'holdfast.yaml': 'plans: { a: { use: [./hook.ts] } }',
    'hook.ts': `import { defineHook } from '@holdfast/sdk'\nimport './lib.ts'\nexport default defineHook('backups', () => {})`,
    'lib.ts': 'export const a = 1',
  })
  write(directory, { 'lib.ts': 'export const a = 2' })
  await look(2)
  expect(events()).toEqual(['plan a'])
  write(directory, { 'lib.ts': 'export const a =' })
  await look(2)
  expect(events()).toEqual(['invalid MODULE_FAILED'])
  write(directory, { 'lib.ts': 'export const a = 3' })
  await look(2)
  expect(events()).toEqual(['plan a'])
})

test('a file that was missing is waited for', async () => {
  const { directory, look, events } = await start({ 'holdfast.yaml': plan('a') })
  write(directory, { 'holdfast.yaml': 'plans: { b: { use: [./hook.ts] } }' })
  await look(2)
  expect(events()).toEqual(['invalid MODULE_NOT_FOUND'])
  write(directory, {
    'hook.ts': `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('backups', () => {})`,
  })
  await look(2)
  expect(events()).toEqual(['plan b'])
})

test('a configuration that disappears leaves the old one in force', async () => {
  const { directory, look, events } = await start({ 'holdfast.yaml': plan('a') })
  rmSync(join(directory, 'holdfast.yaml'))
  await look(2)
  expect(events()).toEqual(['invalid CONFIG_NOT_FOUND'])
  write(directory, { 'holdfast.yaml': plan('a') })
  await look(2)
  expect(events()).toEqual(['plan a'])
})

test('SIGHUP takes a change over at once, and tries again what failed', async () => {
  const directory = tree({ 'holdfast.yaml': plan('a') })
  let broken: HoldfastError | undefined
  const { watch, events } = watched(await load(directory), () => (broken ? Promise.reject(broken) : load(directory)))
  await watch.reload()
  expect(events()).toEqual(['the configuration has not changed'])
  broken = new HoldfastError({ code: 'STORAGE_INVALID', message: 'the store is away' })
  write(directory, { 'holdfast.yaml': plan('b') })
  await watch.reload()
  expect(events()).toEqual(['invalid undefined'])
  broken = undefined
  await watch.reload()
  expect(events()).toEqual(['plan b'])
})

test('what changes while it is loaded is loaded again', async () => {
  const directory = tree({ 'holdfast.yaml': plan('a') })
  let meanwhile: string | undefined = plan('c')
  const { look, events } = watched(await load(directory), async () => {
    const loaded = await load(directory)
    if (meanwhile !== undefined) write(directory, { 'holdfast.yaml': meanwhile })
    meanwhile = undefined
    return loaded
  })
  write(directory, { 'holdfast.yaml': plan('b') })
  await look(2)
  expect(events()).toEqual(['plan b'])
  await look(2)
  expect(events()).toEqual(['plan c'])
  await look(3)
  expect(events()).toEqual([])
})

test('after stop nothing is looked at or handed over', async () => {
  const directory = tree({ 'holdfast.yaml': plan('a') })
  mkdirSync(join(directory, 'etc'))
  const { watch, events } = watched(await load(directory), async () => {
    watch.stop()
    return load(directory)
  })
  write(directory, { 'holdfast.yaml': plan('b') })
  await watch.reload()
  expect(events()).toEqual([])
})

test('a fault in the engine itself is logged, and looking goes on', async () => {
  const directory = tree({ 'holdfast.yaml': plan('a') })
  let faulty = true
  const { look, events } = watched(await load(directory), () => {
    if (faulty) throw new RangeError('out of range')
    return load(directory)
  })
  write(directory, { 'holdfast.yaml': plan('b') })
  await look(2)
  expect(events()).toEqual(['looking for a changed configuration failed: out of range'])
  faulty = false
  write(directory, { 'holdfast.yaml': plan('c') })
  await look(2)
  expect(events()).toEqual(['plan c'])
})
