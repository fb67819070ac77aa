// fault F50: whatever runs, stores and clocks do, and whatever the retention says: the backup that was made last and read
// back is there, all that is listed as good can be restored, and what is not ours is not touched.
import fc from 'fast-check'
import { createTestRun, memoryStorage, type TestRun } from '@holdfast/testing'
import { definePlugin, type Retention } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { anything } from './hooks.ts'
import { isReadable, listed } from './lost-nothing.ts'

type Step = {
  /** What becomes of the run. */
  readonly run: 'good' | 'fails' | 'fails half-way' | 'is empty' | 'is small' | 'store fails' | 'none'
  /** Hours until then. */
  readonly hours: number
  /** Days by which the clock is set, before the run. */
  readonly jump: number
  /** Rots one of the artifacts that are there. */
  readonly rots?: number | undefined
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record(
    {
      run: fc.constantFrom<Step['run'][]>(
        'good',
        'good',
        'good',
        'fails',
        'fails half-way',
        'is empty',
        'is small',
        'store fails',
        'none',
      ),
      hours: fc.constantFrom(1, 12, 24, 24 * 40),
      jump: fc.constantFrom(0, 0, 0, 0, -1, -800, 1, 800),
      rots: fc.option(fc.nat(20), { nil: undefined, freq: 6 }),
    },
    { requiredKeys: ['run', 'hours', 'jump'] },
  ),
  { minLength: 3, maxLength: 9 },
)
const retentions: fc.Arbitrary<Retention> = fc
  .record(
    {
      latest: fc.integer({ min: 1, max: 3 }),
      days: fc.integer({ min: 1, max: 40 }),
      hours: fc.integer({ min: 1, max: 10 }),
    },
    { requiredKeys: [] },
  )
  .filter((rules) => Object.keys(rules).length > 0)

const isLong = process.env['HOLDFAST_TEST_LONG'] === '1'
const day = 24 * 3_600_000
const foreign = [
  'notes.txt',
  'default/other/t/20200101T000000.000Z-x/dump.data',
  'somebody/test/database/x/dump.data',
  'default/test/unparsable',
]

test(
  'fault F50: the newest good backup stays, whatever happens, and what is not ours, too',
  () =>
    fc.assert(
      fc.asyncProperty(steps, retentions, async (todo, retention) => {
        const memory = memoryStorage()
        const { signal } = new AbortController()
        for (const key of foreign) await memory.put(key, [Buffer.from('theirs')] as never, { signal })
        let today: Step['run'] = 'good'
        let number = 0
        const database = definePlugin({
          name: 'database',
          version: '1.0.0',
          sdk: '^1.0',
          config: anything<object>(),
          hooks: {
            backups: (ctx) =>
              ctx.createArtifact('dump', async (sink) => {
                if (today === 'fails') throw new Error('no route to host')
                if (today !== 'is empty')
                  await sink.write(Buffer.alloc(today === 'is small' ? 20 : 1000, `${number++} `))
                if (today === 'fails half-way') throw new Error('lost connection')
              }),
          },
        })({})
        const made = await createTestRun({
          use: [database],
          config: { storage: memory },
          plan: { retention },
          now: '2026-06-01T00:00:00Z',
        })
        try {
          await play(made)
        } finally {
          await made.close()
        }

        async function play(run: TestRun): Promise<void> {
          const rotten = new Set<string>()
          let newest: string | undefined
          for (const step of todo) {
            await run.clock.advance(step.hours * 3_600_000)
            if (step.jump !== 0) run.clock.jump(step.jump * day)
            if (step.rots !== undefined) rot(step.rots)
            if (step.run === 'none') continue
            today = step.run
            memory.fail(step.run === 'store fails' ? { failPut: { number: 2 + (number % 3) } } : {})
            const { outcome } = await run.run()
            memory.fail({})
            const [target] = outcome.targets
            const [point] = target?.points ?? []
            if (target?.verification === 'verified' && point?.state === 'valid') newest = point.id
            const now = await listed(run)
            for (const artifact of now) {
              if (rotten.has(artifact.id)) continue
              expect(await isReadable(run, artifact), `${step.run}: ${artifact.id} is whole`).toBe(true)
            }
            if (newest !== undefined)
              expect(
                now.map(({ id }) => id),
                `after: ${step.run}`,
              ).toContain(newest)
            if (step.run === 'good') expect(outcome.error).toBeUndefined()
          }
          for (const key of foreign) expect(Buffer.from(memory.objects.get(key) ?? []).toString()).toBe('theirs')
          /** Of what is there, one is not what it was any more. */
          function rot(which: number): void {
            const keys = [...memory.objects.keys()].filter(
              (key) => key.startsWith('default/test/database/') && key.includes('.data'),
            )
            const key = keys[which % Math.max(1, keys.length)]
            if (key === undefined) return
            ;(memory.objects as Map<string, Uint8Array>).set(key, Buffer.from('rotten'))
            rotten.add(key.replace(/^default\//, '').replace(/\.data.*$/, ''))
          }
        }
      }),
      { numRuns: isLong ? 1000 : 15 },
    ),
  isLong ? 600_000 : undefined,
)
