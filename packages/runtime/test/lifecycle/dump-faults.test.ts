// Dumps and stores that go wrong, on the real runner and with real processes: the run says so, nothing is committed that
// can't be restored, and nothing good is let go, although the retention would.
import { advanceUntil, memoryStorage, type MemoryStorage, type TestRun } from '@holdfast/testing'
import { definePlugin, HoldfastError, type Plugin, type TargetContext } from '@holdfast/sdk'
import { beforeEach, describe, expect, test } from 'vitest'
import type { RunResult, StoredArtifact } from '@holdfast/runtime'
import { anything } from './hooks.ts'
import { expectNothingLost, listed } from './lost-nothing.ts'
import { testRun } from './test-run.ts'

type Dump = (ctx: TargetContext<object>) => Promise<unknown>

let today: Dump

const definition = { name: 'database', version: '1.0.0', sdk: '^1.0', config: anything<object>() } as const
/** Dumps as a test wants it today. */
const database: Plugin = definePlugin({
  ...definition,
  hooks: { backups: { timeout: '5m', handler: (ctx) => today(ctx) } },
})({})

/** Streams what a shell prints into the store. */
const shell =
  (script: string): Dump =>
  (ctx) =>
    ctx.createArtifact('dump', (stdout) => ctx.exec.local({ command: ['bash', '-c', script], stdout }))

const rows = (count: number): string => `seq 1 ${count}`
const table = Buffer.from(Array.from({ length: 60_000 }, (_, row) => `${row + 1}\n`).join(''))

/** All that is well: the same rows, and no process. */
const whole: Dump = (ctx) => ctx.createArtifact('dump', (sink) => sink.write(table))

/** A plan that keeps one backup, and has two good ones already: the older one goes with the next good run, not before. */
async function withTwoGood(): Promise<{ run: TestRun; memory: MemoryStorage; good: readonly StoredArtifact[] }> {
  const memory = memoryStorage()
  const run = await testRun([database], { config: { storage: memory } })
  for (let count = 0; count < 2; count++) {
    today = whole
    expect((await run.run()).outcome.status).toBe('succeeded')
    await run.clock.advance('1d')
  }
  const good = await listed(run)
  expect(good).toHaveLength(2)
  const next = await testRun([database], {
    config: { storage: memory },
    plan: { retention: { latest: 1 } },
    now: run.clock.now(),
  })
  return { run: next, memory, good }
}

/** Runs once more, and once after that, when all is well again. */
async function expectSurvived(
  { run, good, memory }: Awaited<ReturnType<typeof withTwoGood>>,
  says: string,
  result?: RunResult,
): Promise<void> {
  const { outcome } = result ?? (await run.run())
  await expectNothingLost(run, good, outcome, says)
  expect(run.journal.filter((line) => line.startsWith('pruned'))).toEqual([])
  memory.fail({})
  today = whole
  await run.clock.advance('1d')
  const { outcome: next } = await run.run()
  expect(next.error).toBeUndefined()
  expect(next.status).toBe('succeeded')
  // What was not committed is swept, and what is not wanted any more is let go now.
  const left = await listed(run)
  expect(left).toHaveLength(1)
  expect([...memory.objects.keys()].filter((key) => key.includes('.data'))).toHaveLength(1)
}

let given: Awaited<ReturnType<typeof withTwoGood>>
beforeEach(async () => {
  given = await withTwoGood()
})

describe('fault F46: a dump', () => {
  test.each([
    [
      'exits with 1 after partial output',
      `${rows(40_000)}; echo lost connection >&2; exit 1`,
      'EXEC_FAILED',
      'lost connection',
    ],
    ['is killed after partial output', `${rows(40_000)}; kill -9 $$`, 'EXEC_SIGNAL', 'SIGKILL'],
    ['exits with 0 after 0 bytes', 'exit 0', 'ARTIFACT_TOO_SMALL', '0 bytes'],
    ['is a program that is not there', 'exec nodump', 'EXEC_FAILED', '127'],
  ])('that %s', async (_name, script, code, message) => {
    today = shell(script)
    const result = await given.run.run()
    expect(result.outcome.error?.message).toContain(message)
    expect(result.outcome.status).toBe('failed')
    await expectSurvived(given, code, result)
  })

  test('that never ends is ended with the time of its hook, and not stored', async () => {
    today = shell(`${rows(40_000)}; sleep 1000`)
    const going = given.run.run()
    while (!given.run.journal.some((line) => line.startsWith('backups')))
      await new Promise((resolve) => setTimeout(resolve, 5))
    const result = await advanceUntil(given.run.clock, going)
    await expectSurvived(given, 'HOOK_TIMEOUT', result)
  })
})

describe('fault F47: in a pipeline', () => {
  const pipeline =
    (...stages: readonly string[]): Dump =>
    (ctx) =>
      ctx.createArtifact('dump', (stdout) => {
        const requests = stages.map((stage) => ({ command: ['sh', '-c', stage] as const }))
        const last = { ...requests.at(-1)!, stdout }
        return ctx.exec.pipeline([...requests.slice(0, -1), last] as unknown as Parameters<typeof ctx.exec.pipeline>[0])
      })

  test.each([
    ['the first', [`${rows(40_000)}; exit 3`, 'gzip'], 'stage 1 of 2'],
    ['the one in the middle', [rows(40_000), 'cat; exit 3', 'gzip'], 'stage 2 of 3'],
    ['the last', [rows(40_000), 'gzip; exit 3'], 'stage 2 of 2'],
  ])('%s stage fails after its output, and the others end well', async (_name, stages, message) => {
    today = pipeline(...stages)
    const result = await given.run.run()
    expect(result.outcome.error?.message).toContain(message)
    await expectSurvived(given, 'EXEC_FAILED', result)
  })

  test('of a shell the first stage counts with `set -o pipefail`, and only then', async () => {
    today = shell(`set -o pipefail; (${rows(40_000)}; exit 3) | cat`)
    await expectSurvived(given, 'EXEC_FAILED')
    // Without it no exit code says anything: what the shell hides nobody can find, which is why scripts are warned.
    today = shell(`(${rows(58_000)}; exit 3) | cat`)
    expect((await given.run.run()).outcome.status).toBe('succeeded')
  })
})

describe('fault F48: a store', () => {
  /** Fails a put after so many parts of it. @returns how many puts have failed */
  function failing(memory: MemoryStorage, suffix: string, afterParts: number, partSize: number): { count: number } {
    const put = memory.put.bind(memory)
    const failed = { count: 0 }
    memory.put = (key, body, options) => {
      if (!key.includes(suffix)) return put(key, body, options)
      return put(key, inParts(body, partSize, afterParts), options).catch((error: unknown) => {
        failed.count++
        memory.put = put
        throw error
      })
    }
    return failed
  }

  test('that fails at part N of an upload, for every N: nothing is committed, and each run says so', async () => {
    const { run, memory, good } = given
    const parts = 12
    for (let part = 0; part <= parts; part++) {
      today = whole
      const failed = failing(memory, '.data', part, Math.floor((good[0]?.storedSize ?? 0) / parts))
      const { outcome } = await run.run()
      expect(failed.count, `part ${part}`).toBe(1)
      await expectNothingLost(run, good, outcome, 'STORAGE_IO')
      await run.clock.advance('1d')
    }
    today = shell(`${rows(40_000)}; exit 1`)
    await expectSurvived(given, 'EXEC_FAILED')
  })

  test('that is full', async () => {
    const used = [...given.memory.objects.values()].reduce((sum, { length }) => sum + length, 0)
    given.memory.fail({ capacity: used + 20_000 })
    today = whole
    await expectSurvived(given, 'STORAGE_FULL')
  })

  test('that takes the data and fails with the manifest', async () => {
    today = whole
    const failed = failing(given.memory, '.manifest.json', 0, 1)
    const result = await given.run.run()
    expect(failed.count).toBe(1)
    await expectSurvived(given, 'STORAGE_IO', result)
  })

  test('that stores other bytes than it was given: the run is partial, the artifact damaged, and nothing is let go', async () => {
    const { run, memory, good } = given
    const put = memory.put.bind(memory)
    memory.put = (key, body, options) => put(key, key.includes('.data') ? flipped(body) : body, options)
    today = whole
    const { outcome } = await run.run()
    memory.put = put
    expect(outcome).toMatchObject({ status: 'partial', error: { code: 'ARTIFACT_DIGEST' } })
    expect(outcome.targets[0]).toMatchObject({ verification: 'unverified' })
    expect(run.journal.filter((line) => line.startsWith('pruned'))).toEqual([])
    const now = await listed(run)
    // It is listed as what it is: nobody takes it for a backup.
    expect(now.map(({ state }) => state)).toEqual(['invalid', 'valid', 'valid'])
    expect(now.slice(1).map(({ id }) => id)).toEqual(good.map(({ id }) => id))
  })

  test('that hangs in the middle of an upload is left with the time of the hook, and nothing is committed', async () => {
    const { memory, run, good } = given
    const put = memory.put.bind(memory)
    let isWaiting = false
    memory.put = (key, body, options) => {
      if (!key.includes('.data')) return put(key, body, options)
      isWaiting = true
      return put(key, stuck(body), options)
    }
    today = whole
    const going = run.run()
    while (!isWaiting) await new Promise((resolve) => setTimeout(resolve, 1))
    const result = await advanceUntil(run.clock, going)
    memory.put = put
    expect(good).toHaveLength(2)
    await expectSurvived(given, 'HOOK_TIMEOUT', result)
  })

  test('that fails once: a retry of the hook dumps from the beginning, and what is stored is whole', async () => {
    const { memory, good } = given
    const retrying = await testRun(
      [
        definePlugin({
          ...definition,
          hooks: {
            backups: { retry: { attempts: 2, backoff: 0 }, handler: (ctx: TargetContext<object>) => today(ctx) },
          },
        })({}),
      ],
      { config: { storage: memory }, now: given.run.clock.now() },
    )
    let calls = 0
    today = (ctx) => {
      calls++
      return whole(ctx)
    }
    const failed = failing(memory, '.data', 1, 20_000)
    expect((await advanceUntil(retrying.clock, retrying.run())).outcome.status).toBe('succeeded')
    expect([calls, failed.count]).toEqual([2, 1])
    const now = await listed(retrying)
    expect(now).toHaveLength(3)
    expect(now[0]?.sha256).toBe(good[0]?.sha256)
  })
})

describe('fault F49: a dump that is a tenth of its size', () => {
  test('is kept but suspect, the run partial, and nothing older goes until somebody says that it is right', async () => {
    const { run, good } = given
    today = shell(rows(6_000))
    const { outcome } = await run.run()
    expect(outcome.status).toBe('partial')
    expect(outcome.targets[0]?.points).toMatchObject([{ state: 'suspect' }])
    expect(run.journal.filter((line) => line.startsWith('pruned'))).toEqual([])
    const [suspect, ...older] = await listed(run)
    expect(older.map(({ id }) => id)).toEqual(good.map(({ id }) => id))
    expect(suspect?.reason).toContain('below 50 % of the')
    await run.engine.store().accept(suspect?.id ?? '')
    await run.clock.advance('1d')
    expect((await run.run()).outcome.status).toBe('succeeded')
    expect(await listed(run)).toHaveLength(1)
  })

  test('is not taken for the new size because the run was tried again, and again', async () => {
    const { memory, good } = given
    const run = await testRun([database], {
      config: { storage: memory },
      plan: { retention: { latest: 1 }, retry: { attempts: 3, backoff: '1m' } },
      now: given.run.clock.now(),
    })
    today = shell(rows(6_000))
    for (let day = 1; day <= 2; day++) {
      const { outcome } = await advanceUntil(run.clock, run.run())
      await expectNothingLost(run, good, outcome, 'TARGET_SUSPECT')
      expect(run.journal.filter((line) => line.startsWith('pruned'))).toEqual([])
      expect((await listed(run)).filter(({ state }) => state === 'suspect')).toHaveLength(day * 3)
      await run.clock.advance('1d')
    }
    // The third day in a row is another matter: the data did shrink.
    expect((await advanceUntil(run.clock, run.run())).outcome.status).toBe('succeeded')
  })
})

async function* flipped(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true
  for await (const chunk of body) {
    const copy = Uint8Array.from(chunk)
    if (isFirst) copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1
    isFirst = false
    yield copy
  }
}

async function* inParts(body: AsyncIterable<Uint8Array>, size: number, parts: number): AsyncGenerator<Uint8Array> {
  let part = 0
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += size) {
      if (part++ >= parts)
        throw new HoldfastError({ code: 'STORAGE_IO', message: `part ${part} failed`, hint: 'A test.' })
      yield chunk.subarray(at, at + size)
    }
  }
}

async function* stuck(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    yield chunk.subarray(0, 1000)
    await new Promise(() => {})
  }
}
