import { definePlugin } from '@holdfast/sdk'
import { createTestRun, fakeExec } from '@holdfast/testing'
import { expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { createBenji } from '../../src/benji/create-benji.ts'
import { unprotect } from '../../src/undo/unprotect.ts'
import { createFakeBenji, type FakeBenji } from '../support/fake-benji.ts'
import { createFakeCeph } from '../support/fake-ceph.ts'

/** Protects versions and ends; what happens in between is `meanwhile`. */
async function protectFor(
  benji: FakeBenji,
  uids: readonly string[],
  meanwhile: () => void = () => {},
): Promise<string> {
  const plugin = definePlugin({
    name: 'benji',
    version: '1.0.0',
    sdk: '^1.0',
    config: z.strictObject({}),
    undos: [unprotect],
    hooks: {
      async maintain(ctx) {
        await ctx.undo.arm(unprotect, { uids: [...uids], engine: { logLevel: 'WARNING' } })
        await createBenji(ctx, undefined).protect(uids)
        meanwhile()
      },
    },
  })
  const run = await createTestRun({ use: [plugin({})], exec: fakeExec({ benji: benji.command }) })
  onTestFinished(() => run.close())
  return (await run.run()).outcome.status
}

function benjiWith(...uids: readonly string[]): FakeBenji {
  const benji = createFakeBenji({ ceph: createFakeCeph() })
  for (const uid of uids) benji.add({ uid, volume: 'web/data' })
  return benji
}

test('K35: what was protected for a while is let go, in one call', async () => {
  const benji = benjiWith('a', 'b', 'c')
  expect(await protectFor(benji, ['a', 'b'])).toBe('succeeded')
  expect(benji.versions.map(({ protected: safe }) => safe)).toEqual([false, false, false])
  expect(benji.calls.filter((call) => call.startsWith('unprotect'))).toEqual(['unprotect -- a b'])
})

test('K35, C7: a version that was removed or let go meanwhile is no obstacle, and one that others protect stays', async () => {
  const benji = benjiWith('removed', 'free', 'held', 'theirs')
  benji.version('theirs').protected = true
  const status = await protectFor(benji, ['removed', 'free', 'held'], () => {
    benji.versions.splice(0, 1)
    benji.version('free').protected = false
  })
  expect(status).toBe('succeeded')
  expect(benji.versions.map(({ uid, protected: safe }) => `${uid} ${safe}`)).toEqual([
    'free false',
    'held false',
    'theirs true',
  ])
  expect(benji.calls.filter((call) => call.startsWith('unprotect'))).toEqual(['unprotect -- held'])
})
