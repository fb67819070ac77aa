import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createSpaceCheck, nearestDirectory, noSpaceCheck } from '../../src/restore/space.ts'

const made: string[] = []
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
})

function directory(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-space-')))
  made.push(path)
  return path
}

const free = (bytes: number | undefined) => createSpaceCheck({ freeAt: async () => bytes })

test('what fits exactly fits, and one byte more does not', async () => {
  await free(1000).require(1000, directory())
  await expect(free(1000).require(1001, directory())).rejects.toMatchObject({
    code: 'RESTORE_SPACE',
    message: expect.stringMatching(/1000 B are free, and 1001 B are needed/) as string,
  })
})

test('what is asked for on one file system adds up, wherever on it', async () => {
  const path = directory()
  const space = free(1000)
  await space.require(600, path)
  await expect(space.require(600, join(path, 'not', 'there', 'yet'))).rejects.toMatchObject({
    code: 'RESTORE_SPACE',
    details: { free: 1000, needed: 1200 },
  })
})

test('a file system that does not know its own size keeps nobody from restoring', async () => {
  await free(undefined).require(2 ** 60, directory())
  await noSpaceCheck.require(2 ** 60, directory())
})

test('a real file system is asked', async () => {
  const path = directory()
  await createSpaceCheck().require(1, path)
  await expect(createSpaceCheck().require(2 ** 60, path)).rejects.toMatchObject({ code: 'RESTORE_SPACE' })
})

test('a directory that is not there is on the file system of the nearest one that is', async () => {
  const path = directory()
  expect(await nearestDirectory(join(path, 'a/b/c'))).toBe(path)
  expect(await nearestDirectory('/')).toBe('/')
})
