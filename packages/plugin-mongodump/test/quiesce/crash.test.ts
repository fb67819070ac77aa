// fault F3, fault F15: a run that holds fsyncLock is killed with SIGKILL at each thing that it asks of the server, before it is
// done and after. The next start gives the lock back, ends the run as aborted, and the next run succeeds.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createTestRun, fakeExec, replies } from '@holdfast/testing'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { mongodump } from '../../src/index.ts'
import { startFakeMongo, type FakeMongo } from '../support/fake-mongo.ts'

const long = process.env['HOLDFAST_TEST_LONG'] === '1'
const child = join(import.meta.dirname, '../support/crash-child.ts')
// Compiled once, by the first that comes to its end.
const cache = mkdtempSync(join(tmpdir(), 'holdfast-compiled-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

function start(state: string, uri: string): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ['--conditions=@holdfast/source', child, state, uri], {
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

interface Died {
  /** What it asked for, in order: `before fsync`, `after fsync`. */
  readonly steps: readonly string[]
  readonly signal: NodeJS.Signals | null
  readonly said: string
}

/** Runs the process, and kills it at a step; none for a number beyond the last. */
async function runAndDie(mongo: FakeMongo, state: string, dieAt: number): Promise<Died> {
  const steps: string[] = []
  const running = start(state, mongo.uri)
  let said = ''
  running.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  running.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise<NodeJS.Signals | null>((resolve) => running.on('close', (_, signal) => resolve(signal)))
  const step = async (name: string): Promise<void> => {
    if (steps.push(name) - 1 !== dieAt) return
    running.kill('SIGKILL')
    await ended
  }
  mongo.onCommand = (name) => step(`before ${name}`)
  mongo.onDone = (name) => step(`after ${name}`)
  const signal = await ended
  // What the server was asked for in the end, it does.
  await new Promise((resolve) => setTimeout(resolve, 20))
  mongo.onCommand = undefined
  mongo.onDone = undefined
  return { steps, signal, said }
}

async function startPlace(): Promise<{ readonly mongo: FakeMongo; readonly state: string }> {
  const mongo = await startFakeMongo()
  const state = mkdtempSync(join(tmpdir(), 'holdfast-mongodb-'))
  onTestFinished(async () => {
    await mongo[Symbol.asyncDispose]()
    rmSync(state, { recursive: true, force: true })
  })
  mongo.collections.set('shop.orders', { documents: 10 })
  return { mongo, state }
}

/** What must hold after the next start, wherever it died. */
async function recoverAndCheck(mongo: FakeMongo, state: string, where: string): Promise<void> {
  const run = await createTestRun({
    use: [mongodump({ uri: { env: 'MONGODB_URI' }, quiesce: 'fsyncLock' })],
    exec: fakeExec({ mongodump: replies(), mongorestore: replies() }),
    env: { ...process.env, MONGODB_URI: mongo.uri },
    stateDirectory: state,
  })
  try {
    const { undos, interrupted } = await run.engine.recover()
    expect(
      undos.filter(({ result }) => result !== 'done'),
      where,
    ).toEqual([])
    expect(mongo.locks, `${where}: no lock stays`).toBe(0)
    expect(run.engine.journal.pendingUndos(), where).toEqual([])
    expect(interrupted, where).toHaveLength(1)
    expect(run.engine.journal.runs(), where).toMatchObject([{ status: 'aborted' }])
  } finally {
    await run.close()
  }
}

test('fault F3: killed at each step of a run under fsyncLock', async () => {
  const whole = await startPlace()
  const { steps, said } = await runAndDie(whole.mongo, whole.state, Infinity)
  expect(said).toBe('succeeded')
  expect(whole.mongo.locks).toBe(0)
  const around = /(currentOp|fsync|fsyncUnlock|dumpBegins|dumpEnds)$/
  expect(steps.filter((step) => around.test(step))).toEqual([
    'before currentOp',
    'after currentOp',
    'before fsync',
    'after fsync',
    'before dumpBegins',
    'after dumpBegins',
    'before dumpEnds',
    'after dumpEnds',
    'before currentOp',
    'after currentOp',
    'before fsyncUnlock',
    'after fsyncUnlock',
  ])
  const points = steps.flatMap((step, index) =>
    long || /(after currentOp|fsync|fsyncUnlock|after dumpBegins)$/.test(step) ? index : [],
  )
  // Two at a time: there are two cores.
  const sweep = async (half: readonly number[]): Promise<void> => {
    for (const point of half) {
      const { mongo, state } = await startPlace()
      const where = `killed ${steps[point]}`
      const died = await runAndDie(mongo, state, point)
      expect(died, where).toMatchObject({ signal: 'SIGKILL' })
      // What a server was asked for it does, whether or not anybody waits for the answer.
      const isHeld = point >= steps.indexOf('before fsync') && point < steps.indexOf('before fsyncUnlock')
      expect(mongo.locks, where).toBe(isHeld ? 1 : 0)
      await recoverAndCheck(mongo, state, where)
    }
  }
  await Promise.all([0, 1].map((half) => sweep(points.filter((_, index) => index % 2 === half))))
})

test('a lock that the server is still about to take when the process is killed is waited for, and given back', async () => {
  const { mongo, state } = await startPlace()
  const running = start(state, mongo.uri)
  const ended = new Promise((resolve) => running.on('close', resolve))
  const asked = Promise.withResolvers<void>()
  const granted = Promise.withResolvers<void>()
  mongo.onCommand = async (name) => {
    if (name !== 'fsync') return
    asked.resolve()
    await granted.promise
  }
  await asked.promise
  running.kill('SIGKILL')
  await ended
  let looks = 0
  const locking = mongo.onCommand
  mongo.onCommand = (name) => {
    if (name !== 'currentOp') return locking(name, '')
    // The third look finds it locked.
    if (++looks === 3) granted.resolve()
  }
  const run = await createTestRun({
    use: [mongodump({ uri: { env: 'MONGODB_URI' }, quiesce: 'fsyncLock' })],
    env: { ...process.env, MONGODB_URI: mongo.uri },
    stateDirectory: state,
  })
  onTestFinished(() => run.close())
  const end = run.engine.recover()
  let settled = false
  void end.finally(() => (settled = true))
  while (!settled) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    await run.clock.advance('100ms')
  }
  expect((await end).undos).toMatchObject([{ result: 'done' }])
  expect(looks).toBeGreaterThanOrEqual(3)
  expect(mongo.locks).toBe(0)
})
