import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { join } from 'node:path'
import { testClock } from '@holdfast/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { fsStorage } from '../../src/artifacts/fs-driver.ts'
import { createArtifactStore, type ArtifactStore } from '../../src/artifacts/store.ts'
import { stepsOf } from './crash.steps.ts'
import { captureLog, collect, readAll, request, says, signal, temporaryDirectory } from './support.ts'

const children: ChildProcess[] = []
// Held, because what the collector closes is not what a killed process leaves.
const abandoned: ((value: unknown) => void)[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function open(path: string, fileSystem?: Parameters<typeof fsStorage>[0]['fileSystem']): ArtifactStore {
  return createArtifactStore({
    driver: fsStorage({ path, fileSystem }),
    instance: 'default',
    clock: testClock({ now: '2026-11-23T03:00:00Z' }),
    log: captureLog(),
  })
}

function files(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name).slice(path.length + 1)] : [],
  )
}

/** Whatever happened before: nothing half is listed, the next run works, and sweeping leaves whole artifacts only. */
async function expectWhole(path: string): Promise<{ readonly survived: number }> {
  const store = open(path)
  const listed = await collect(store.list())
  for (const { id } of listed) await store.verify(id, { signal })
  const next = await store.create(request({ run: 'next', startedAt: new Date('2026-11-24') }), says('the next run'))
  expect((await readAll(store, next.id)).toString()).toBe('the next run')
  await store.sweep({ plan: 'shop', before: new Date('2100-01-01') })
  expect((await collect(store.list())).map(({ id }) => id)).toEqual(expect.arrayContaining([next.id]))
  expect(files(path).filter((file) => !/\.(manifest|verified)\.json$|\.data(\.zst)?$/.test(file))).toEqual([])
  expect(files(path).filter((file) => /\.data/.test(file))).toHaveLength(listed.length + 1)
  return { survived: listed.length }
}

describe('kill -9 of a process that stores an artifact', () => {
  const script = join(import.meta.dirname, 'crash.child.ts')
  test.each([
    ['before anything is written', 'open 1', 0],
    ['in the middle of the data', 'write 2', 0],
    ['before the data has its name', 'rename 1', 0],
    ['between data and manifest', 'open 2', 0],
    ['before the manifest has its name', 'rename 2', 0],
    ['never', 'nothing', 1],
  ])('%s', async (_name, step, survived) => {
    const path = temporaryDirectory()
    const child = spawn(process.execPath, ['--conditions=@holdfast/source', script, path, step], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    expect(said.toString().trim()).toBe(survived === 0 ? `at ${step}` : 'done')
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(await expectWhole(path)).toEqual({ survived })
  })
})

test('fault F15: abandoned before any single step on the file system, old or new, never mixed', async () => {
  const create = (path: string, fileSystem: Parameters<typeof fsStorage>[0]['fileSystem']): Promise<unknown> =>
    open(path, fileSystem).create(
      request({ run: 'killed', encoding: { compression: 'none', recipients: [], identity: undefined } }),
      (sink) => sink.write(Buffer.alloc(2_000_000, 'x')),
    )
  const steps: string[] = []
  await create(
    temporaryDirectory(),
    stepsOf(nodeFs, async (step) => void steps.push(step)),
  )
  expect(steps.length).toBeGreaterThan(10)
  let survived = 0
  for (const wanted of steps) {
    const path = temporaryDirectory()
    const there = Promise.withResolvers<void>()
    const fileSystem = stepsOf(nodeFs, async (step) => {
      if (step !== wanted) return
      there.resolve()
      await new Promise((resolve) => abandoned.push(resolve))
    })
    void create(path, fileSystem)
    await there.promise
    survived += (await expectWhole(path)).survived
  }
  // Only where nothing but the last sync was missing.
  expect(survived).toBe(1)
})

test('abandoned while removing: no manifest without data, at any step', async () => {
  const prepare = async (path: string): Promise<string> => {
    const store = open(path)
    const { id } = await store.create(request(), says('x'))
    await store.verify(id, { signal })
    return id
  }
  for (const wanted of ['unlink 1', 'sync 1', 'unlink 2', 'sync 2', 'unlink 3']) {
    const path = temporaryDirectory()
    const id = await prepare(path)
    const there = Promise.withResolvers<void>()
    const fileSystem = stepsOf(nodeFs, async (step) => {
      if (step !== wanted) return
      there.resolve()
      await new Promise((resolve) => abandoned.push(resolve))
    })
    void open(path, fileSystem).remove(id)
    await there.promise
    expect(await expectWhole(path)).toEqual({ survived: wanted === 'unlink 1' ? 1 : 0 })
  }
})
