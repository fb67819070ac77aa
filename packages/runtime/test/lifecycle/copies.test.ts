// Copies on the real runner: what goes wrong with one touches neither the store itself nor another copy, and is made
// good by the next run.
import { existsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineHook } from '@holdfast/sdk'
import { advanceUntil, memoryStorage, type MemoryStorage } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { fsStorage } from '../../src/artifacts/fs-driver.ts'
import { claimStore } from '../../src/artifacts/owner.ts'
import { exitCodes } from '../../src/lifecycle/outcome.ts'
import { captureLog, readAll, signal } from '../artifacts/support.ts'
import {
  artifactsIn,
  dumps,
  failData,
  isData,
  keysIn,
  mend,
  nextRun,
  refuse,
  single,
  stage,
  storeIn,
  warningOf,
} from './copies.ts'
import { effects } from './hooks.ts'
import { testRun } from './test-run.ts'

function textOf(store: MemoryStorage, key: string): string {
  return Buffer.from(store.objects.get(key) ?? []).toString('latin1')
}

test('every artifact is in every copy, byte for byte, read back there, after everything was given back', async () => {
  const { undo } = effects()
  const puts: string[] = []
  const { run, primary, copies } = await stage(2, {}, [
    dumps({ targets: ['a', 'b'] }),
    defineHook('beforeBackups', async (ctx) => void (await ctx.undo.arm(undo, 'held')), { undos: [undo] }),
  ])
  const [first] = copies as [MemoryStorage]
  const put = first.put.bind(first)
  Object.assign(first, {
    put: async (...args: Parameters<typeof put>) => {
      puts.push(args[0].replace(/^.*\.(data|manifest|verified).*$/, '$1'))
      await put(...args)
    },
  })
  const { outcome } = await run.run()
  expect(outcome).toMatchObject({ status: 'succeeded', warnings: [] })
  for (const copy of copies) {
    expect(keysIn(copy)).toEqual(keysIn(primary))
    for (const key of keysIn(copy).filter((each) => !each.endsWith('.verified.json')))
      expect(textOf(copy, key)).toBe(textOf(primary, key))
    const artifacts = await artifactsIn(copy, run)
    expect(artifacts).toHaveLength(2)
    for (const artifact of artifacts) {
      expect(artifact).toMatchObject({ state: 'valid', verification: { result: 'verified', checked: 'decoded' } })
      expect((await readAll(storeIn(copy, run), artifact.id)).toString()).toBe('content')
    }
  }
  expect(puts.filter((kind) => !kind.includes('owner'))).toEqual([
    'data',
    'manifest',
    'verified',
    'data',
    'manifest',
    'verified',
  ])
  const steps = run.journal.filter((step) => /^(release|copied|verifyBackups)/.test(step))
  expect(steps.indexOf('release done')).toBeLessThan(steps.findIndex((step) => step.startsWith('copied')))
  expect(run.journal.filter((step) => step.startsWith('copied'))).toHaveLength(4)
})

describe('a copy that fails', () => {
  test('at any 5 % of its data: the run is partial, the store and the other copy are good, nothing half is left', async () => {
    const size = 400_000
    const content = { bytes: '' }
    const stay = await stage(2, { encoding: { compression: 'none' } }, [dumps({ content: () => content.bytes })])
    const { run, primary, copies } = stay
    const [bad, good] = copies as [MemoryStorage, MemoryStorage]
    for (let percent = 0; percent <= 100; percent += 5) {
      content.bytes = Buffer.alloc(size, `${percent} of it `).toString()
      failData(bad, Math.floor((size * percent) / 100))
      const outcome = await nextRun(stay)
      expect([percent, outcome.status, outcome.reason]).toEqual([percent, 'partial', 'copies'])
      expect(exitCodes[outcome.status]).toBe(4)
      expect(outcome.error?.code).toBe('COPIES_INCOMPLETE')
      expect(outcome.targets).toMatchObject([{ status: 'succeeded', verification: 'verified', error: undefined }])
      const all = await artifactsIn(primary, run)
      const [newest] = all
      const warning = warningOf(outcome)
      expect(warning).toMatchObject({ code: 'COPY_INCOMPLETE', details: { lacks: all.map(({ id }) => id) } })
      expect(warning.message).toContain(
        `lacks ${all.length} ${all.length === 1 ? 'artifact' : 'artifacts'} (${newest?.id}`,
      )
      expect(warning.hint).toContain('The store itself has all of it')
      expect(warning.hint).toContain('The next run copies what is missing')
      expect(keysIn(bad)).toEqual([])
      expect(keysIn(good)).toEqual(keysIn(primary))
      expect((await readAll(storeIn(primary, run), newest?.id ?? '')).toString()).toBe(content.bytes)
    }
    mend(bad)
    expect(await nextRun(stay)).toMatchObject({ status: 'succeeded', warnings: [] })
    expect(keysIn(bad)).toEqual(keysIn(primary))
    for (const { id } of await artifactsIn(bad, run)) await storeIn(bad, run).verify(id, { signal })
  })

  test.each([
    ['its manifest', /\.manifest\.json$/],
    ['the mark that it was read back', /\.verified\.json$/],
  ])('at %s: what is there is complete or is no artifact, and the next run makes it good', async (_name, key) => {
    const stay = await stage(1)
    const { run, primary, copy } = stay
    refuse(copy, key)
    const { outcome } = await run.run()
    expect(outcome.status).toBe('partial')
    for (const artifact of await artifactsIn(copy, run)) await readAll(storeIn(copy, run), artifact.id)
    mend(copy)
    expect(await nextRun(stay)).toMatchObject({ status: 'succeeded' })
    expect(keysIn(copy)).toEqual(keysIn(primary))
    expect((await artifactsIn(copy, run)).every(({ verifiedAt }) => verifiedAt !== undefined)).toBe(true)
  })

  test('for want of room: it says so, keeps what it has, and takes what fits', async () => {
    const stay = await stage(1, { encoding: { compression: 'none' } }, [
      dumps({ targets: ['a'], content: () => 'x'.repeat(9000) }),
    ])
    const { run, copy } = stay
    await run.run()
    const before = keysIn(copy)
    copy.fail({ capacity: 12_000 })
    const outcome = await nextRun(stay)
    expect(warningOf(outcome)).toMatchObject({ code: 'COPY_INCOMPLETE', details: { because: 'STORAGE_FULL' } })
    expect(warningOf(outcome).hint).toMatch(/copies what is missing\. Make room there/)
    expect(keysIn(copy)).toEqual(before)
    for (const artifact of await artifactsIn(copy, run)) await readAll(storeIn(copy, run), artifact.id)
  })

  test('by giving back other bytes: found when it is read back, and not kept', async () => {
    const stay = await stage(2)
    const { run, primary, copies } = stay
    const [bad, good] = copies as [MemoryStorage, MemoryStorage]
    bad.fail({ corrupt: (key, bytes) => (isData(key) ? bytes.fill((bytes[0] ?? 0) ^ 1, 0, 1) : bytes) })
    const { outcome } = await run.run()
    expect(warningOf(outcome)).toMatchObject({ code: 'COPY_INCOMPLETE', details: { because: 'ARTIFACT_DIGEST' } })
    expect(warningOf(outcome).hint).toContain('It gives back other bytes than were written there')
    expect(keysIn(bad)).toEqual([])
    expect(keysIn(good)).toEqual(keysIn(primary))
    bad.fail({ corrupt: (key, bytes) => (key.includes('.manifest.') ? Buffer.from('{}') : bytes) })
    expect(await nextRun(stay)).toMatchObject({ status: 'partial' })
    expect(keysIn(bad)).toEqual([])
    bad.fail({})
    expect(await nextRun(stay)).toMatchObject({ status: 'succeeded' })
    expect(await artifactsIn(bad, run)).toHaveLength(3)
  })

  test('by reading only a part of what it is given', async () => {
    const { run, copy } = await stage(1, { encoding: { compression: 'none' } }, [
      dumps({ content: () => 'x'.repeat(3_000_000) }),
    ])
    const put = copy.put.bind(copy)
    Object.assign(copy, {
      async put(...[key, body, options]: Parameters<typeof put>) {
        if (!isData(key)) return put(key, body, options)
        for await (const chunk of body) {
          await put(key, single(chunk), options)
          return
        }
      },
    })
    const { outcome } = await run.run()
    expect(warningOf(outcome).message).toContain('did not read all of it')
    expect(keysIn(copy)).toEqual([])
  })

  test('because another installation uses it: it is not touched', async () => {
    const { run, copy } = await stage(1)
    const other = await claimStore({
      driver: copy,
      instance: 'default',
      plan: 'test',
      holder: { stateId: 'other', host: 'elsewhere' },
      run: 'their run',
      clock: run.clock,
      log: captureLog(),
    })
    const { outcome } = await advanceUntil(run.clock, run.run())
    expect(warningOf(outcome)).toMatchObject({ code: 'COPY_INCOMPLETE', details: { because: 'STORE_OWNED' } })
    expect(warningOf(outcome).hint).toContain('`instance` name of its own')
    expect(warningOf(outcome).message).toContain('lacks what was stored since it was last reached')
    expect(keysIn(copy)).toEqual([])
    expect(other.lost.aborted).toBe(false)
    await other.release()
  })

  test('because it is the store itself', async () => {
    const primary = memoryStorage()
    const run = await testRun([dumps()], { config: { storage: primary } })
    const config = run.engine.config()
    const plans = config.plans.map((plan) => ({ ...plan, copies: [{ name: 'memory', driver: primary }] }))
    run.engine.reconfigure({ ...config, plans })
    const { outcome } = await run.run()
    expect(warningOf(outcome)).toMatchObject({ details: { because: 'COPY_SAME_STORE' } })
    expect(await artifactsIn(primary, run)).toHaveLength(1)
  })

  test('a failure is no reason to back up once more', async () => {
    const { run, copy } = await stage(1, { retry: { attempts: 3, backoff: '1m' } })
    refuse(copy, /./)
    const { outcome } = await run.run()
    expect(outcome.status).toBe('partial')
    expect(run.events.filter(({ type }) => type === 'run-started')).toHaveLength(1)
  })

  test('three artifacts in a row are enough: a copy that takes nothing is not asked a hundred times', async () => {
    const targets = Array.from({ length: 10 }, (_, n) => `t${n}`)
    const stay = await stage(1, {}, [dumps({ targets })])
    const { run, copy } = stay
    let asked = 0
    refuse(copy, /\.data/, () => void asked++)
    expect(warningOf((await run.run()).outcome).message).toMatch(/lacks 10 artifacts \(.*, and 7 more\)/)
    expect(asked).toBe(3)
  })
})

test('a dry run prints what would go from each copy, and changes nothing', async () => {
  const stay = await stage(1, { retention: { latest: 3 } })
  const { run, copy } = stay
  for (let day = 0; day < 3; day++) await nextRun(stay)
  const config = run.engine.config()
  run.engine.reconfigure({ ...config, plans: config.plans.map((plan) => ({ ...plan, retention: { latest: 1 } })) })
  const before = [...copy.objects.keys()]
  await run.run({ dryRun: true })
  expect(run.journal.filter((step) => step.startsWith('would prune'))).toEqual([
    'would prune t 2 in memory',
    'would prune t 2',
  ])
  expect([...copy.objects.keys()]).toEqual(before)
  refuse(copy, /./)
  copy.fail({ delay: async () => Promise.reject(new Error('gone')) })
  const { outcome } = await run.run({ dryRun: true })
  expect(outcome).toMatchObject({ status: 'succeeded', warnings: [{ code: 'COPY_UNREACHABLE' }] })
})

test('metrics say what each copy took and lacks, and when it last had everything', async () => {
  const stay = await stage(2)
  const { run, copies } = stay
  const [, second] = copies as [MemoryStorage, MemoryStorage]
  const lines = async (): Promise<string[]> =>
    (await run.metrics.text()).split('\n').filter((line) => line.startsWith('holdfast_copy_'))
  expect(await lines()).toContain('holdfast_copy_artifacts_total{plan="test",copy="memory",result="failed"} 0')
  await nextRun(stay)
  const complete = run.clock.now().getTime() / 1000
  refuse(second, /\.data/)
  await nextRun(stay)
  await nextRun(stay)
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'holdfast_copy_artifacts_total{plan="test",copy="memory",result="copied"} 3',
      'holdfast_copy_artifacts_total{plan="test",copy="memory (2)",result="copied"} 1',
      'holdfast_copy_artifacts_total{plan="test",copy="memory (2)",result="failed"} 3',
      'holdfast_copy_missing_artifacts{plan="test",copy="memory"} 0',
      'holdfast_copy_missing_artifacts{plan="test",copy="memory (2)"} 2',
    ]),
  )
  const last = (await lines()).find((line) => line.includes('last_success') && line.includes('(2)'))
  expect(Number(last?.split(' ').at(-1))).toBeCloseTo(complete, -1)
})

test('a copy that lacks something does not make the backup look old, before and after a restart', async () => {
  const stay = await stage(1)
  const { run, copy } = stay
  refuse(copy, /./)
  await nextRun(stay)
  await nextRun(stay)
  const times = async (): Promise<readonly (number | undefined)[]> => {
    const text = await run.metrics.text()
    return ['success', 'failure'].map((what) => {
      const line = text.split('\n').find((each) => each.startsWith(`holdfast_run_last_${what}_timestamp_seconds{`))
      return line === undefined ? undefined : Number(line.split(' ').at(-1))
    })
  }
  const now = run.clock.now().getTime() / 1000
  for (const time of await times()) expect(time).toBeCloseTo(now, -2)
  await run.restart()
  await run.engine.recover()
  for (const time of await times()) expect(time).toBeCloseTo(now, -2)
})

test('a plan with copies of its own, or none, does not use those of all plans', async () => {
  const shared = memoryStorage()
  const own = memoryStorage()
  const mine = await testRun([dumps()], { plan: { copies: [own] }, config: { copies: [shared] } })
  await mine.run()
  expect([shared.objects.size, (await artifactsIn(own, mine)).length]).toEqual([0, 1])
  const none = await testRun([dumps()], { plan: { copies: [] }, config: { copies: [shared] } })
  await none.run()
  expect(shared.objects.size).toBe(0)
})

/** On another file system than temporary files: Linux has one in memory. */
const elsewhere = [import.meta.dirname, '/dev/shm'].find(
  (path) => existsSync(path) && statSync(path).dev !== statSync(tmpdir()).dev,
)

test.runIf(elsewhere !== undefined)(
  'the file system of a copy is not frozen: another plan may be writing to it',
  async () => {
    const path = elsewhere ?? ''
    const freeze = defineHook('maintain', (ctx) => ctx.assertFreezable(path), { name: 'freeze' })
    const free = await testRun([freeze])
    expect((await free.run()).outcome.status).toBe('succeeded')
    const copies = [fsStorage({ path: join(path, 'holdfast-copy-that-nobody-makes') })]
    const held = await testRun([freeze], { config: { copies } })
    const { outcome } = await held.run()
    expect(outcome.error).toMatchObject({ code: 'FREEZE_SELF' })
    expect(outcome.error?.message).toContain('a copy of the store')
  },
)
