import { join } from 'node:path'
import { memoryStorage } from '@holdfast/testing'
import { expect, test } from 'vitest'
import { openStorage } from '../../src/artifacts/storage-url.ts'
import { failure, temporaryDirectory } from './support.ts'

test('file:///path is a directory', async () => {
  const path = join(temporaryDirectory(), 'with space')
  const driver = await openStorage(`file://${encodeURI(path)}`)
  expect(driver.name).toBe('fs')
  expect(driver.localDirectory).toBe(path)
})

test('another scheme is the package of that name', async () => {
  const opened: unknown[] = []
  const driver = memoryStorage()
  const load = async (specifier: string): Promise<unknown> => {
    opened.push(specifier)
    return { openStorage: (url: URL) => (opened.push(url.href), driver) }
  }
  expect(await openStorage('s3://bucket/prefix?region=x', { import: load })).toBe(driver)
  expect(opened).toEqual(['@holdfast/storage-s3', 's3://bucket/prefix?region=x'])
})

test('module#export:{json} is an export that takes options', async () => {
  const driver = memoryStorage()
  const calls: unknown[] = []
  const load = async (specifier: string): Promise<unknown> => ({
    makeStorage: async (options: unknown) => (calls.push([specifier, options]), driver),
  })
  expect(await openStorage('@scope/pkg#makeStorage:{"bucket":"b#1"}', { import: load })).toBe(driver)
  expect(await openStorage('./local.js#makeStorage', { import: load })).toBe(driver)
  expect(calls).toEqual([
    ['@scope/pkg', { bucket: 'b#1' }],
    ['./local.js', {}],
  ])
})

test('a driver that is not installed is named, with what to install', async () => {
  const error = await failure(openStorage('gopher://hole/x'))
  expect(error.code).toBe('STORAGE_UNKNOWN')
  expect(error.message).toBe('no storage driver for "gopher://hole/x": @holdfast/storage-gopher is not installed')
  expect(error.hint).toContain('Install @holdfast/storage-gopher')
})

test('a driver whose module fails says how', async () => {
  const load = async (): Promise<unknown> => {
    throw new Error("Cannot find module 'left-pad'")
  }
  const error = await failure(openStorage('s3://b', { import: load }))
  expect(error.message).toContain("could not be loaded: Cannot find module 'left-pad'")
  const without = await failure(openStorage('s3://b', { import: async () => ({}) }))
  expect(without.message).toContain('exports no function "openStorage"')
})

test.each([
  ['/backup', 'write file:///backup'],
  ['backup', 'it is not a URL'],
  ['', 'it is not a URL'],
  ['file://server/backup', 'must be'],
  ['file:///backup?x=1', 'no ? or #'],
  ['pkg#make:{', 'not JSON'],
])('%j is no address', async (address, reason) => {
  const error = await failure(openStorage(address, { import: async () => ({ make: () => memoryStorage() }) }))
  expect(error.code).toBe('STORAGE_URL_INVALID')
  expect(error.message).toContain(reason)
})

test('what an address opens must be a driver', async () => {
  const error = await failure(openStorage('pkg#make', { import: async () => ({ make: () => ({ put() {} }) }) }))
  expect(error.message).toContain('not a storage driver')
})

test('secrets in an address are not repeated', async () => {
  for (const address of [
    's3://key:hunter2@bucket/x',
    // Keys of AWS have slashes.
    's3://key:a/hunter2@bucket/x',
    's3://key:a/b@hunter2@bucket/x',
    's3://key:a?b/hunter2@bucket/x',
    's3://bucket/x?secret=hunter2',
    'pkg#make:{"secret":"hunter2"}',
    'pkg#make:hunter2',
  ]) {
    const error = await failure(openStorage(address, { import: async () => ({ make: () => undefined }) }))
    expect(`${error.message}${JSON.stringify(error.details)}`).not.toContain('hunter2')
  }
})
