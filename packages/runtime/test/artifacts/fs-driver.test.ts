import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fsStorage } from '../../src/artifacts/fs-driver.ts'
import { keyOfName, pathOfKey } from '../../src/artifacts/fs-paths.ts'
import type { StorageDriver } from '@holdfast/sdk'
import { collect, errno, failure, faultyFileSystem, signal, temporaryDirectory, type Faults } from './support.ts'

async function* bytesOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

const put = (driver: StorageDriver, key: string, ...chunks: (string | Uint8Array)[]): Promise<void> =>
  driver.put(key, bytesOf(...chunks), { signal })
const keys = async (driver: StorageDriver, prefix = ''): Promise<string[]> =>
  (await collect(driver.list(prefix, { signal }))).map(({ key }) => key)
const read = async (driver: StorageDriver, key: string): Promise<string> =>
  Buffer.concat(await collect(driver.get(key, { signal }))).toString()

/** Every file below a directory. */
function files(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function faulty(faults: Faults): { driver: StorageDriver; path: string; healthy: StorageDriver } {
  const path = temporaryDirectory()
  return { path, driver: fsStorage({ path, fileSystem: faultyFileSystem(faults) }), healthy: fsStorage({ path }) }
}

describe('fault F12', () => {
  test.each([
    ['ENOSPC', 'STORAGE_FULL'],
    ['EDQUOT', 'STORAGE_FULL'],
    ['EROFS', 'STORAGE_READ_ONLY'],
    ['EACCES', 'STORAGE_READ_ONLY'],
    ['EPERM', 'STORAGE_READ_ONLY'],
    ['EIO', 'STORAGE_IO'],
  ])('%s in any step of a put is %s, and nothing is left', async (code, expected) => {
    const steps: Record<string, Faults> = {
      mkdir: { mkdir: () => errno(code, 'mkdir') },
      open: { open: (_path, flags) => (flags === 'wx' ? errno(code, 'open') : undefined) },
      write: { write: (total) => (total > 5 ? errno(code, 'write') : undefined) },
      sync: { sync: (path) => (path.includes('tmp-') ? errno(code, 'fsync') : undefined) },
      rename: { rename: () => errno(code, 'rename') },
      'sync of the directory': { sync: (path) => (path.endsWith('/a') ? errno(code, 'fsync') : undefined) },
    }
    for (const [step, faults] of Object.entries(steps)) {
      const { driver, path, healthy } = faulty(faults)
      const error = await failure(put(driver, 'a/b', 'hello', ' world'))
      expect(error.code, step).toBe(expected)
      expect(error.message, step).toContain('a/b')
      expect(error.hint).toBeTruthy()
      expect(files(path), step).toEqual([])
      expect(await keys(healthy)).toEqual([])
    }
  })

  test('a full disk leaves the object that was there', async () => {
    let isFull = false
    const { driver } = faulty({ write: () => (isFull ? errno('ENOSPC', 'write') : undefined) })
    await put(driver, 'a/b', 'old')
    isFull = true
    expect((await failure(put(driver, 'a/b', 'new'))).code).toBe('STORAGE_FULL')
    expect(await read(driver, 'a/b')).toBe('old')
  })

  test('a delete that fails says so', async () => {
    const { driver } = faulty({ unlink: () => errno('EROFS', 'unlink') })
    await put(driver, 'a/b', 'x')
    expect((await failure(driver.delete('a/b', { signal }))).code).toBe('STORAGE_READ_ONLY')
    expect(await keys(driver)).toEqual(['a/b'])
  })
})

describe('fault F48', () => {
  test('full at byte N, for many N: the put fails and nothing is left', async () => {
    const chunks = [Buffer.alloc(1000, 'a'), Buffer.alloc(1, 'b'), Buffer.alloc(4000, 'c')]
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 5000 }), async (room) => {
        const { driver, path } = faulty({ write: (total) => (total > room ? errno('ENOSPC', 'write') : undefined) })
        expect((await failure(put(driver, 'a/b', ...chunks))).code).toBe('STORAGE_FULL')
        expect(files(path)).toEqual([])
      }),
      { numRuns: 25 },
    )
  })

  test('an error of the disk that only syncing shows is an error of the put', async () => {
    let syncs = 0
    const { driver, path } = faulty({ sync: () => (++syncs === 3 ? errno('EIO', 'fdatasync') : undefined) })
    const chunks = Array.from({ length: 140 }, () => Buffer.alloc(1024 * 1024))
    const error = await failure(put(driver, 'a', ...chunks))
    expect(error.code).toBe('STORAGE_IO')
    expect(error.retryable).toBe(true)
    expect(files(path)).toEqual([])
  })

  test('a disk that takes nothing and reports nothing does not hang', async () => {
    const path = temporaryDirectory()
    const fileSystem = faultyFileSystem({})
    const open = (async (...args: Parameters<typeof fileSystem.open>) =>
      new Proxy(await fileSystem.open(...args), {
        get(target, property) {
          if (property === 'write') return async () => ({ bytesWritten: 0, buffer: Buffer.alloc(0) })
          const value: unknown = Reflect.get(target, property)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        },
      })) as typeof fileSystem.open
    const driver = fsStorage({ path, fileSystem: { ...fileSystem, open } })
    expect((await failure(put(driver, 'a', 'x'))).code).toBe('STORAGE_IO')
  })
})

test('fault F15: what an interrupted put left is not listed, not read, and swept when it is old', async () => {
  const path = temporaryDirectory()
  const driver = fsStorage({ path })
  await put(driver, 'plan/t/data', 'whole')
  const left = [
    join(path, 'plan/t/%tmp-1'),
    join(path, 'plan/%tmp-2'),
    join(path, '%tmp-3'),
    join(path, 'other/%tmp-4'),
  ]
  mkdirSync(join(path, 'other'))
  for (const [n, file] of left.entries()) {
    writeFileSync(file, 'half')
    utimesSync(file, new Date(), new Date(Date.UTC(2026, 0, n + 1)))
  }
  expect(await keys(driver)).toEqual(['plan/t/data'])
  await driver.sweep?.(new Date(Date.UTC(2026, 0, 2)), { signal })
  expect(files(path).filter((file) => file.includes('tmp-'))).toHaveLength(3)
  const scope = { signal, prefix: 'plan/' }
  await driver.sweep?.(new Date(Date.UTC(2027, 0, 1)), scope)
  expect(files(path).filter((file) => file.includes('tmp-'))).toEqual(expect.arrayContaining([left[2], left[3]]))
  await driver.sweep?.(new Date(Date.UTC(2027, 0, 1)), { signal })
  expect(files(path)).toEqual([join(path, 'plan/t/data')])
})

test('fault F50: files that are not ours are neither listed nor removed', async () => {
  const path = temporaryDirectory()
  const driver = fsStorage({ path })
  await put(driver, 'p/a', 'x')
  mkdirSync(join(path, 'lost+found'))
  for (const name of ['lost+found/1', 'notes (copy).txt', 'p/ä', 'p/%zz', 'p/x%'])
    writeFileSync(join(path, name), 'theirs')
  const outside = temporaryDirectory()
  writeFileSync(join(outside, 'b'), 'theirs')
  writeFileSync(join(outside, '%tmp-old'), 'theirs')
  symlinkSync(outside, join(path, 'p', 'linked'))
  symlinkSync(join(outside, 'b'), join(path, 'p', 'b'))
  expect(await keys(driver)).toEqual(['p/a'])
  await driver.sweep?.(new Date(Date.UTC(2100, 0, 1)), { signal })
  await driver.delete('p/a', { signal })
  expect(readdirSync(path)).toEqual(['lost+found', 'notes (copy).txt', 'p'])
  expect(readdirSync(join(path, 'p'))).toEqual(['%zz', 'b', 'linked', 'x%', 'ä'])
  expect(readdirSync(outside)).toEqual(['%tmp-old', 'b'])
})

test('keys never leave the directory', async () => {
  const path = temporaryDirectory()
  const driver = fsStorage({ path: join(path, 'store') })
  for (const key of [
    '',
    '/',
    '/etc/passwd',
    '..',
    '../x',
    'a/../../x',
    'a//b',
    'a/',
    './a',
    'a/.',
    'a\0b',
    'a b',
    'ü',
    'a%2',
    '%tmp-x',
  ])
    for (const call of [
      () => put(driver, key, 'x'),
      () => collect(driver.get(key, { signal })),
      () => driver.delete(key, { signal }),
    ])
      expect((await failure(call())).code, JSON.stringify(key)).toBe('STORAGE_KEY_INVALID')
  for (const prefix of ['../', '/', 'a/../'])
    expect((await failure(collect(driver.list(prefix, { signal })))).code).toBe('STORAGE_KEY_INVALID')
  expect(readdirSync(path)).toEqual([])
})

test('every key has a path of its own, and every path says its key', () => {
  const part = fc
    .stringMatching(/^(?:[\w.~-]|%[0-9A-F]{2}){1,40}$/)
    .chain((text) => fc.constantFrom(text, text.repeat(8), text.repeat(30)))
    .filter((text) => text !== '.' && text !== '..')
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
      const names = pathOfKey('/', parts.join('/')).split('/').slice(1)
      expect(names.every((name) => Buffer.byteLength(name) <= 255)).toBe(true)
      const key = names.reduce<string | undefined>(
        (parent, name, at) => keyOfName(parent ?? '', name, at === names.length - 1 ? 'file' : 'directory'),
        '',
      )
      expect(key).toBe(parts.join('/'))
    }),
  )
})

test('empty directories go, those of others stay, and the store itself too', async () => {
  const path = temporaryDirectory()
  const driver = fsStorage({ path })
  await put(driver, 'a/b/c', 'x')
  await put(driver, 'a/d', 'x')
  await driver.delete('a/b/c', { signal })
  expect(readdirSync(join(path, 'a'))).toEqual(['d'])
  await driver.delete('a/d', { signal })
  expect(readdirSync(path)).toEqual([])
})

test('many puts and deletes at once in directories that come and go', async () => {
  const path = temporaryDirectory()
  const driver = fsStorage({ path })
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        await put(driver, `a/b/c/${n}`, 'x')
        await driver.delete(`a/b/c/${n}`, { signal })
      }),
    )
  }
  expect(readdirSync(path)).toEqual([])
})

test('a store that does not exist yet is empty, and reading does not make it', async () => {
  const path = join(temporaryDirectory(), 'deep', 'store')
  const driver = fsStorage({ path })
  expect(await keys(driver, 'a/')).toEqual([])
  expect((await failure(read(driver, 'a'))).code).toBe('STORAGE_NOT_FOUND')
  await driver.delete('a', { signal })
  await driver.sweep?.(new Date(), { signal })
  expect(() => statSync(path)).toThrow(/ENOENT/)
  await put(driver, 'a', 'x')
  expect(readFileSync(join(path, 'a'), 'utf8')).toBe('x')
  expect(statSync(join(path, 'a')).mode & 0o777).toBe(0o640)
  expect(driver.localDirectory).toBe(path)
})
