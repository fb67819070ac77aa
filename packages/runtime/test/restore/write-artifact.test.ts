import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArmedUndo } from '@holdfast/sdk'
import { afterEach, expect, test } from 'vitest'
import { findPartials, partialName } from '../../src/restore/partial.ts'
import { fileAt, fileNameOf } from '../../src/restore/place.ts'
import { createSpaceCheck } from '../../src/restore/space.ts'
import type { UnfinishedRestore } from '../../src/restore/unfinished.ts'
import { createArtifactWriter, type CreateArtifactWriterOptions } from '../../src/restore/write-artifact.ts'

const made: string[] = []
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
})

const orders = { id: 'shop/db/1/orders.sql', name: 'orders.sql', size: 9 }

function here(given: Partial<CreateArtifactWriterOptions> = {}) {
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-write-')))
  made.push(cwd)
  const warnings: string[] = []
  const writer = createArtifactWriter({
    open: async function* () {
      yield Buffer.from('rows ')
      yield Buffer.from('rows')
    },
    force: false,
    cwd,
    several: false,
    space: createSpaceCheck(),
    log: { warn: (message) => void warnings.push(message) },
    ...given,
  })
  return { cwd, writer, warnings, at: (name: string) => join(cwd, name) }
}

async function* failing() {
  yield Buffer.from('rows ')
  await Promise.reject(new Error('the store is gone'))
}

/** What a process that is gone has left of a restore to a place. */
function leftBehind(path: string, bytes = 'half'): string {
  const name = partialName(path).replace(/\.\d+-\d+-/, '.999999999-1-')
  writeFileSync(name, bytes)
  return name
}

test('a check changes nothing, and says which file it would be', async () => {
  const { cwd, writer } = here()
  expect(await writer.check(orders, 'new/directory/')).toBe(join(cwd, 'new/directory/orders.sql'))
  expect(await writer.check(orders, 'new.sql')).toBe(join(cwd, 'new.sql'))
  expect(readdirSync(cwd)).toEqual([])
})

test('a check throws what is in the way: a file, no room, a place that is none', async () => {
  const { writer, at } = here({ space: createSpaceCheck({ freeAt: async () => 8 }) })
  await expect(writer.check(orders, 'new.sql')).rejects.toMatchObject({ code: 'RESTORE_SPACE' })
  writeFileSync(at('there.sql'), 'mine')
  await expect(writer.check(orders, 'there.sql')).rejects.toMatchObject({ code: 'RESTORE_EXISTS' })
  await expect(writer.check(orders, 'there.sql/below')).rejects.toMatchObject({ code: 'RESTORE_UNWRITABLE' })
  const forced = here({ force: true })
  mkdirSync(forced.at('there.sql/orders.sql'), { recursive: true })
  await expect(forced.writer.check(orders, 'there.sql')).rejects.toMatchObject({ code: 'RESTORE_UNWRITABLE' })
})

test('a file has its name when it is whole, and only for those who may read it', async () => {
  const { writer, at, cwd } = here()
  expect(await writer.write(orders, 'orders.sql')).toBe(at('orders.sql'))
  expect(readFileSync(at('orders.sql'), 'utf8')).toBe('rows rows')
  expect(readdirSync(cwd)).toEqual(['orders.sql'])
})

test('bytes that fail leave nothing: no file, no partial one, no directory that was made for it', async () => {
  const { writer, cwd } = here({ open: failing })
  await expect(writer.write(orders, 'a/b/')).rejects.toThrow('the store is gone')
  expect(readdirSync(cwd)).toEqual([])
})

test('with force, bytes that fail leave the file that was there', async () => {
  const { writer, at, cwd } = here({ open: failing, force: true })
  writeFileSync(at('orders.sql'), 'mine')
  await expect(writer.write(orders, 'orders.sql')).rejects.toThrow('the store is gone')
  expect(readFileSync(at('orders.sql'), 'utf8')).toBe('mine')
  expect(readdirSync(cwd)).toEqual(['orders.sql'])
})

test('somebody else who makes the file meanwhile keeps it', async () => {
  const { writer, at, cwd } = here({
    open: async function* () {
      yield Buffer.from('rows')
      await Promise.resolve(writeFileSync(at('orders.sql'), 'theirs'))
    },
  })
  await expect(writer.write(orders, 'orders.sql')).rejects.toMatchObject({ code: 'RESTORE_EXISTS' })
  expect(readFileSync(at('orders.sql'), 'utf8')).toBe('theirs')
  expect(readdirSync(cwd)).toEqual(['orders.sql'])
})

test('the undo is armed before there is a partial file, and given up when the file has its name', async () => {
  const seen: (UnfinishedRestore | string)[] = []
  let found: readonly string[] = []
  const { writer, cwd } = here({
    async arm(unfinished) {
      seen.push(unfinished)
      found = readdirSync(cwd)
      const disarm = async (): Promise<void> => void seen.push('disarmed')
      return { disarm, fire: disarm, [Symbol.asyncDispose]: disarm } satisfies ArmedUndo
    },
  })
  await writer.write(orders, 'orders.sql')
  expect(found).toEqual([])
  expect(seen).toEqual([
    {
      artifact: orders.id,
      file: join(cwd, 'orders.sql'),
      partial: expect.stringMatching(/\.orders\.sql\..*restoring$/),
    },
    'disarmed',
  ])
})

test('two artifacts never become one file, with force neither', async () => {
  const long = 'x'.repeat(201)
  for (const [one, other] of [
    ['a/b', 'a%2Fb'],
    [`${long}1`, `${long}2`],
    ['dump', 'dump'],
  ] as const) {
    const { writer, cwd } = here({ several: true, force: true })
    await writer.check({ ...orders, id: 'first', name: one }, 'out')
    await expect(writer.check({ ...orders, id: 'second', name: other }, 'out')).rejects.toMatchObject({
      code: 'RESTORE_TWICE',
    })
    await writer.write({ ...orders, id: 'first', name: one }, 'out')
    await expect(writer.write({ ...orders, id: 'second', name: other }, 'out')).rejects.toMatchObject({
      code: 'RESTORE_TWICE',
    })
    expect(readdirSync(join(cwd, 'out'))).toHaveLength(1)
  }
})

test('what could not be armed is not begun', async () => {
  const { writer, cwd } = here({ arm: () => Promise.reject(new Error('read-only')) })
  await expect(writer.write(orders, 'a/')).rejects.toThrow('read-only')
  expect(readdirSync(cwd)).toEqual([])
})

test('what a dead process has left of this very place is said, removed, and counts as room', async () => {
  const { writer, at, cwd, warnings } = here({ space: createSpaceCheck({ freeAt: async () => 5 }) })
  const left = leftBehind(at('orders.sql'))
  const other = leftBehind(at('orders.sql.old'))
  await writer.check(orders, 'orders.sql')
  expect(existsSync(left)).toBe(true)
  await writer.write(orders, 'orders.sql')
  expect(warnings).toEqual([
    expect.stringContaining(`${at('orders.sql')} was half restored by a process that is gone: its 4 B, in ${left}`),
  ])
  expect(readdirSync(cwd).toSorted()).toEqual([other.slice(cwd.length + 1), 'orders.sql'])
})

test('what a living process is writing is left alone', async () => {
  const { writer, at, warnings } = here()
  const theirs = partialName(at('orders.sql'))
  writeFileSync(theirs, 'half')
  expect(await findPartials(at('orders.sql'))).toMatchObject([{ path: theirs, size: 4, isAlive: true }])
  await writer.write(orders, 'orders.sql')
  expect(existsSync(theirs)).toBe(true)
  expect(warnings).toEqual([expect.stringContaining('another restore')])
})

test('files of others are never taken for partial ones', async () => {
  const { at } = here()
  for (const name of [
    '.orders.sql.restoring',
    '.orders.sql.1-1-nothex00.restoring',
    '.orders.sql.swp',
    '.x.1-1-00000000.restoring',
  ]) {
    writeFileSync(at(name), '')
  }
  expect(await findPartials(at('orders.sql'))).toEqual([])
})

test('a place is a directory when it says so, is one, or takes several', () => {
  const { cwd } = here()
  const one = { cwd, several: false }
  expect(fileAt('x', 'a', one)).toBe(join(cwd, 'x'))
  expect(fileAt('x/', 'a', one)).toBe(join(cwd, 'x/a'))
  expect(fileAt('.', 'a', one)).toBe(join(cwd, 'a'))
  expect(fileAt('x', 'a', { cwd, several: true })).toBe(join(cwd, 'x/a'))
  expect(['../x', '..', 'a\0b', 'ok name'].map(fileNameOf)).toEqual(['%2E%2E%2Fx', '%2E%2E', 'a%00b', 'ok name'])
})
