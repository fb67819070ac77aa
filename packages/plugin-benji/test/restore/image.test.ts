import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { restoreOptions } from '../../src/restore/options.ts'
import { restoreRun, type RestoreRun } from '../support/restore-run.ts'

const contents = { 0: 'first', 2: 'third' }

/** Without Kubernetes: images and files need none. */
async function withVersion(): Promise<RestoreRun> {
  const run = await restoreRun({ alone: true })
  run.benji.add({ volume: 'rbd/one', contents, labels: { 'benji-backup.me/instance': 'benji-east' } })
  return run
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-restore-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function written({ benji }: RestoreRun): readonly string[] {
  return benji.calls.filter((call) => call.startsWith('restore'))
}

test('an image that isn’t there is made, and zeros need not be written', async () => {
  const run = await withVersion()
  expect(await run.restore('u-1', { image: 'rbd/tenant/new' })).toEqual({ image: 'rbd/tenant/new' })
  expect(run.ceph.image('rbd/tenant/new').size).toBe(16 * 2 ** 20)
  expect(Object.fromEntries(run.ceph.image('rbd/tenant/new').contents)).toEqual(contents)
  expect(written(run)).toEqual(['restore --sparse -- u-1 rbd:rbd/tenant/new'])
  expect(run.benji.version('u-1').protected).toBe(false)
  expect(run.server.requests).toEqual([])
})

test('an image that is there is overwritten with force only, zeros included', async () => {
  const run = await withVersion()
  run.ceph.create('rbd/old', { size: 32 * 2 ** 20, contents: { 1: 'old', 7: 'beyond' } })
  const error = await run.failure('u-1', { image: 'rbd/old' })
  expect(error).toMatchObject({ code: 'VOLUME_THERE', message: 'the image rbd/old is there already' })
  await run.restore('u-1', { image: 'rbd/old' }, true)
  expect(Object.fromEntries(run.ceph.image('rbd/old').contents)).toEqual({ ...contents, 7: 'beyond' })
  expect(written(run)).toEqual(['restore --force -- u-1 rbd:rbd/old'])
  expect(run.said('warn')).toEqual([expect.stringContaining('what lies beyond is left as it is')])
})

test('K32: an image that is too small is refused, force or not', async () => {
  const run = await withVersion()
  run.ceph.create('rbd/old', { size: 12 * 2 ** 20 })
  expect(await run.failure('u-1', { image: 'rbd/old' }, true)).toMatchObject({ code: 'VOLUME_TOO_SMALL' })
  expect(written(run)).toEqual([])
})

test('K31: an image that somebody has open is said, and overwritten with force', async () => {
  const run = await withVersion()
  run.ceph.create('rbd/old', { size: 32 * 2 ** 20 }).watchers.push('10.0.0.7:0/1', '10.0.0.8:0/2')
  expect(await run.failure('u-1', { image: 'rbd/old' })).toMatchObject({ code: 'VOLUME_THERE' })
  await run.restore('u-1', { image: 'rbd/old' }, true)
  expect(run.said('warn')).toContain(
    'the image rbd/old is in use by clients at 10.0.0.7:0/1, 10.0.0.8:0/2, and is overwritten all the same',
  )
})

test('a failure says what is left, and keeps Benji’s own words', async () => {
  const run = await withVersion()
  run.benji.badDays.next('restore', { at: 'written', exit: 74 })
  const error = await run.failure('u-1', { image: 'rbd/new' })
  expect(error).toMatchObject({ code: 'VOLUME_RESTORE_FAILED' })
  expect(error.message).toContain('a bad day (74)')
  expect(error.hint).toContain('the image rbd/new may hold a part of it')
  run.benji.badDays.next('restore', { at: 'written', exit: 74 })
  expect((await run.failure('u-1', { image: 'rbd/new' }, true)).hint).toContain('may hold old and new data mixed')
})

test('a version that another Benji works on is Benji’s error: nothing was written', async () => {
  const run = await withVersion()
  run.benji.locks.add('Version u-1')
  expect(await run.failure('u-1', { image: 'rbd/new' })).toMatchObject({ code: 'BENJI_LOCKED' })
  expect(run.ceph.has('rbd/new')).toBe(false)
  expect(run.benji.version('u-1').protected).toBe(false)
})

test('a file is made; one that is there is overwritten with force only', async () => {
  const run = await withVersion()
  const file = join(directory(), 'one.img')
  expect(await run.restore('u-1', { file })).toEqual({ file })
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ size: 16 * 2 ** 20, contents })
  expect(written(run)).toEqual([`restore --sparse -- u-1 file:${file}`])
  expect(await run.failure('u-1', { file })).toMatchObject({ code: 'VOLUME_THERE' })
  expect(await run.failure('u-1', { file }, true)).toMatchObject({ code: 'VOLUME_TOO_SMALL' })
  writeFileSync(file, Buffer.alloc(16 * 2 ** 20))
  await run.restore('u-1', { file }, true)
  expect(written(run)).toEqual([`restore --sparse -- u-1 file:${file}`, `restore --force -- u-1 file:${file}`])
})

test('a file that can’t be one is refused before anything is done', async () => {
  const run = await withVersion()
  const where = directory()
  mkdirSync(join(where, 'sub'))
  const isDirectory = await run.failure('u-1', { file: join(where, 'sub') }, true)
  expect(isDirectory.message).toContain('it is a directory')
  const nowhere = await run.failure('u-1', { file: join(where, 'none/one.img') })
  expect(nowhere.message).toContain(`there is no directory ${join(where, 'none')}`)
  expect(run.benji.calls.filter((call) => call.startsWith('protect'))).toEqual([])
})

test.for([
  [{}, 'say where to: pvc=[namespace/]name, image=pool/image or file=/path, one of them'],
  [{ pvc: 'a', image: 'rbd/one' }, 'one of them'],
  [{ image: 'rbd/one', size: '1Gi' }, 'storageClass, size and wait are for claims'],
  [{ image: 'one' }, 'use pool/image or pool/namespace/image'],
  [{ pvc: 'a/b/c' }, 'use [namespace/]name'],
  [{ pvc: 'a', size: 'big' }, 'use a size such as 20Gi'],
  [{ pvc: 'a', wait: 'long' }, 'use a duration such as 10m'],
  [{ file: '/a?b' }, 'Benji takes no path with a question mark'],
  [{ file: '/a\tb' }, 'control characters: it would write elsewhere'],
  [{ path: '/a' }, 'Unrecognized key'],
  [{ pvc: 'a', 'dry-run': 'yes' }, 'Invalid option'],
] as const)('what somebody says wrongly is told: %o', ([options, message]) => {
  const { error } = restoreOptions.safeParse(options)
  expect(error?.issues.map((issue) => issue.message).join('; ')).toContain(message)
})
