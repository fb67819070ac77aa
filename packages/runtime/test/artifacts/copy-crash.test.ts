import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { join } from 'node:path'
import { testClock } from '@holdfast/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { copyArtifact, type CopyOptions } from '../../src/artifacts/copy.ts'
import { fsStorage } from '../../src/artifacts/fs-driver.ts'
import { createArtifactStore, type ArtifactStore } from '../../src/artifacts/store.ts'
import { stepsOf } from './crash.steps.ts'
import { captureLog, collect, request, signal, temporaryDirectory } from './support.ts'

const children: ChildProcess[] = []
// Held, because what the collector closes is not what a killed process leaves.
const abandoned: ((value: unknown) => void)[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const clock = testClock({ now: '2026-11-23T03:00:00Z' })

function open(path: string): ArtifactStore {
  return createArtifactStore({ driver: fsStorage({ path }), instance: 'default', clock, log: captureLog() })
}

/** A store with an artifact that was read back. */
async function primary(size: number): Promise<string> {
  const path = temporaryDirectory()
  const store = open(path)
  const encoding = { compression: 'none', recipients: [], identity: undefined } as const
  const { id } = await store.create(request({ encoding }), (sink) => sink.write(Buffer.alloc(size, 'half of it')))
  await store.verify(id, { signal })
  return path
}

function into(from: string, to: string, fileSystem?: Parameters<typeof fsStorage>[0]['fileSystem']): CopyOptions {
  const log = captureLog()
  return { from: fsStorage({ path: from }), to: fsStorage({ path: to, fileSystem }), instance: 'default', clock, log }
}

function files(path: string): Record<string, string> {
  const found = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    found.map((entry) => {
      const file = join(entry.parentPath, entry.name)
      return [file.slice(path.length + 1), createHash('sha256').update(readFileSync(file)).digest('hex')]
    }),
  )
}

/** Whatever happened: the store is as it was, the copy lists whole artifacts only, and the next copy leaves nothing else. */
async function expectWhole(from: string, before: object, to: string): Promise<{ readonly survived: number }> {
  expect(files(from)).toEqual(before)
  const copy = open(to)
  const listed = await collect(copy.list())
  for (const { id } of listed) await copy.verify(id, { signal })
  const [artifact] = await collect(open(from).list())
  await copy.sweep({ plan: 'shop', before: new Date('2100-01-01') })
  expect(await copyArtifact(into(from, to), artifact!, { isThere: listed.length > 0, signal })).toBe(true)
  const [copied, ...more] = await collect(copy.list())
  expect(more).toEqual([])
  expect(copied).toMatchObject({ id: artifact!.id, state: 'valid', verification: { result: 'verified' } })
  const kept = (of: Record<string, string>): string[] => Object.keys(of).toSorted()
  expect(kept(files(to))).toEqual(kept(files(from)))
  return { survived: listed.length }
}

describe('kill -9 of a process that copies an artifact', () => {
  const script = join(import.meta.dirname, 'copy-crash.child.ts')
  test.each([
    ['before anything is written', 'open 1', 0],
    ['in the middle of the data', 'write 2', 0],
    ['before the data has its name', 'rename 1', 0],
    ['between data and manifest', 'open 2', 0],
    ['before the manifest has its name', 'rename 2', 0],
    ['before the mark that it was read back', 'open 3', 1],
  ])('%s', async (_name, step, survived) => {
    const [from, to] = [await primary(3_000_000), temporaryDirectory()]
    const before = files(from)
    const child = spawn(process.execPath, ['--conditions=@holdfast/source', script, from, to, step], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    expect(said.toString().trim()).toBe(`at ${step}`)
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(await expectWhole(from, before, to)).toEqual({ survived })
  })
})

test('fault F15: abandoned before any single step on the copy’s file system, whole or nothing', async () => {
  const from = await primary(1_100_000)
  const before = files(from)
  const [artifact] = await collect(open(from).list())
  const copy = (to: string, fileSystem: Parameters<typeof fsStorage>[0]['fileSystem']): Promise<unknown> =>
    copyArtifact(into(from, to, fileSystem), artifact!, { isThere: false, signal })
  const steps: string[] = []
  await copy(
    temporaryDirectory(),
    stepsOf(nodeFs, async (step) => void steps.push(step)),
  )
  expect(steps.length).toBeGreaterThan(12)
  const survived: string[] = []
  for (const wanted of steps) {
    const to = temporaryDirectory()
    const there = Promise.withResolvers<void>()
    const fileSystem = stepsOf(nodeFs, async (step) => {
      if (step !== wanted) return
      there.resolve()
      await new Promise((resolve) => abandoned.push(resolve))
    })
    void copy(to, fileSystem)
    await there.promise
    if ((await expectWhole(from, before, to)).survived > 0) survived.push(wanted)
  }
  // From the manifest's name on, which is the second rename.
  expect(survived).toEqual(steps.slice(steps.indexOf('rename 2') + 1))
})
