// A copy that hangs or crawls: the run ends all the same.
import type { StorageDriver } from '@holdfast/sdk'
import { advanceUntil, memoryStorage } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { artifactsIn, dumps, keysIn, stage, warningOf } from './copies.ts'
import { testRun } from './test-run.ts'

describe('a copy that hangs', () => {
  /** Whatever it is asked, it never answers, and listens to no signal. */
  function hung(inner: StorageDriver, at: RegExp): StorageDriver {
    const never = new Promise<never>(() => {})
    const stop = async (operation: string): Promise<void> => {
      if (at.test(operation)) await never
    }
    return {
      ...inner,
      name: 'hung',
      async put(key, body, options) {
        await stop(`put ${key}`)
        await inner.put(key, body, options)
      },
      async *get(key, options) {
        await stop(`get ${key}`)
        yield* inner.get(key, options)
      },
      async *list(prefix, options) {
        await stop(`list ${prefix}`)
        yield* inner.list(prefix, options)
      },
      async delete(key, options) {
        await stop(`delete ${key}`)
        await inner.delete(key, options)
      },
    }
  }

  test.each([
    ['from the start', /./],
    ['at its list', /^list default\/test\/$/],
    ['at the data', /^(put|delete) .*\.data/],
    ['when it is read back', /^get .*\.data/],
    ['at the manifest', /^put .*\.manifest/],
    ['when its owner lets it go, too', /^put .*\.owner|^list .*\.data/],
  ])('%s: the run ends long before its budget, partial', async (_name, at) => {
    const copy = memoryStorage()
    const good = memoryStorage()
    const run = await testRun([dumps()], { config: { copies: [hung(copy, at), good] } })
    const began = run.clock.monotonic()
    const { outcome } = await advanceUntil(run.clock, run.run(), '5s')
    expect(outcome).toMatchObject({ status: 'partial', targets: [{ status: 'succeeded', verification: 'verified' }] })
    expect(warningOf(outcome).code).toBe('COPY_INCOMPLETE')
    expect((run.clock.monotonic() - began) / 3_600_000).toBeLessThan(4)
    expect(await artifactsIn(good, run)).toHaveLength(1)
    expect(await artifactsIn(copy, run)).toEqual([])
  })

  test('fault F1: a shutdown does not wait for it', async () => {
    const copy = memoryStorage()
    const run = await testRun([dumps()], { config: { copies: [hung(copy, /^put .*\.data|^delete/)] } })
    const done = run.run()
    while (!run.journal.includes('artifact t data') || !run.events.some(({ type }) => type === 'copy-started'))
      await new Promise((resolve) => setTimeout(resolve, 1))
    const shutdown = run.engine.shutdown(25_000)
    const { outcome } = await advanceUntil(run.clock, done)
    await advanceUntil(run.clock, shutdown)
    expect(outcome).toMatchObject({ status: 'aborted', error: { code: 'RUN_ABORTED' } })
    expect(run.clock.monotonic()).toBeLessThan(25_000)
    expect(keysIn(copy)).toEqual([])
    expect(await artifactsIn(run.storage, run)).toHaveLength(1)
  })

  test('one that is slow takes no more than its part of the budget, and the run is not failed by it', async () => {
    const copy = memoryStorage()
    const stay = await stage(0, { budget: '10h', encoding: { compression: 'none' } }, [
      dumps({ content: () => 'x'.repeat(200 * 65_536) }),
    ])
    const { run, primary } = stay
    const slow: StorageDriver = {
      ...copy,
      name: 'slow',
      put: (key, body, options) => copy.put(key, slowly(body), options),
    }
    async function* slowly(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of body) {
        if (chunk.length > 60_000) await run.clock.sleep('5m')
        yield chunk
      }
    }
    // In memory a get gives all at once: here as a disk would.
    const get = primary.get.bind(primary)
    Object.assign(primary, {
      async *get(...args: Parameters<typeof get>) {
        for await (const chunk of get(...args))
          for (let at = 0; at < chunk.length; at += 70_000) yield chunk.subarray(at, at + 70_000)
      },
    })
    const config = run.engine.config()
    run.engine.reconfigure({
      ...config,
      plans: config.plans.map((plan) => ({ ...plan, copies: [{ name: 'slow', driver: slow }] })),
    })
    const { outcome } = await advanceUntil(run.clock, run.run(), '1m')
    expect(outcome).toMatchObject({ status: 'partial', reason: 'copies' })
    expect(warningOf(outcome)).toMatchObject({ details: { because: 'COPY_SLOW' } })
    expect(warningOf(outcome).message).toContain('within 9h')
    expect(await artifactsIn(copy, run)).toEqual([])
  })
})
