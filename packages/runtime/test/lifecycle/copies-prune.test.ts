// What each copy lets go, by its own list.
import type { StorageDriver } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import type { StoredArtifact } from '../../src/artifacts/store.ts'
import { signal } from '../artifacts/support.ts'
import {
  artifactsIn,
  dumps,
  isData,
  keysIn,
  mend,
  nextRun,
  refuse,
  rot,
  single,
  stage,
  storeIn,
  type DumpsOptions,
} from './copies.ts'

describe('what a copy lets go', () => {
  test('is decided by its own list: the same as the store where it has the same', async () => {
    const stay = await stage(1, { retention: { latest: 2 } })
    const { run, primary, copy } = stay
    for (let day = 0; day < 5; day++) expect((await nextRun(stay)).status).toBe('succeeded')
    expect(await artifactsIn(primary, run)).toHaveLength(2)
    expect(keysIn(copy)).toEqual(keysIn(primary))
    const pruned = run.events.filter((event) => event.type === 'pruned' && event.copy !== undefined)
    expect(pruned).toHaveLength(5)
    // Printed before it is done.
    expect(run.journal.filter((step) => step === 'pruned t 1 in memory')).toHaveLength(3)
  })

  test('is nothing while it lacks something, and nothing of what was suspect', async () => {
    const stay = await stage(1, { retention: { latest: 1 } })
    const { run, copy } = stay
    await nextRun(stay)
    refuse(copy, /\.data/)
    for (let day = 0; day < 3; day++) await nextRun(stay)
    expect(await artifactsIn(copy, run)).toHaveLength(1)
    mend(copy)
    await nextRun(stay)
    expect(await artifactsIn(copy, run)).toHaveLength(1)
    expect((await artifactsIn(copy, run))[0]?.id).toBe((await artifactsIn(run.storage, run))[0]?.id)
  })

  test('is nothing of a target that the store itself can not give back in part', async () => {
    const stay = await stage(1, { retention: { latest: 2 } })
    const { run, primary, copy } = stay
    await nextRun(stay)
    await nextRun(stay)
    refuse(copy, /\.data/)
    await nextRun(stay)
    mend(copy)
    const [missing] = await artifactsIn(primary, run)
    rot(primary, missing as StoredArtifact)
    expect((await nextRun(stay)).warnings.map(({ code }) => code)).toEqual(['COPY_SOURCE'])
    // Both from before, because what came after them is in neither.
    expect(await artifactsIn(copy, run)).toHaveLength(3)
  })

  test.each([
    ['failed', { failing: 'bad' }],
    ['became suspect', { content: () => 'y' }],
  ])('is nothing of a target whose backup %s, and the others are pruned', async (_name, later) => {
    const bad: DumpsOptions = { name: 'others', targets: ['bad'], content: () => 'x'.repeat(1000) }
    const stay = await stage(1, { retention: { latest: 3 } }, [dumps({ targets: ['good'] }), dumps(bad)])
    const { run, copy } = stay
    for (let day = 0; day < 3; day++) expect((await nextRun(stay)).status).toBe('succeeded')
    Object.assign(bad, later)
    const config = run.engine.config()
    run.engine.reconfigure({ ...config, plans: config.plans.map((plan) => ({ ...plan, retention: { latest: 1 } })) })
    expect((await nextRun(stay)).status).toBe('partial')
    const left = Map.groupBy(await artifactsIn(copy, run), ({ target }) => target)
    expect([left.get('good')?.length, left.get('bad')?.length]).toEqual([1, 4])
  })

  test('is nothing of a target of which something in the copy can not be read', async () => {
    const stay = await stage(1, { retention: { latest: 2 } })
    const { run, copy } = stay
    await nextRun(stay)
    await nextRun(stay)
    const [unread] = await artifactsIn(copy, run)
    await copy.delete(`default/${unread?.id}.verified.json`, { signal })
    const get = copy.get.bind(copy)
    Object.assign(copy, {
      get(...args: Parameters<typeof get>) {
        if (isData(args[0]) && args[0].includes(unread?.id ?? '')) throw new Error('connection reset')
        return get(...args)
      },
    })
    const outcome = await nextRun(stay)
    expect(outcome.warnings).toMatchObject([{ code: 'COPY_INCOMPLETE', details: { because: 'STORAGE_IO' } }])
    expect(outcome.warnings[0]?.message).toContain('lacks nothing, but is not known to be good')
    expect(await artifactsIn(copy, run)).toHaveLength(3)
  })

  test('a store that was emptied does not empty its copy', async () => {
    const stay = await stage(1, { retention: { latest: 3 } })
    const { run, primary, copy } = stay
    for (let day = 0; day < 3; day++) await nextRun(stay)
    for (const key of primary.objects.keys()) await primary.delete(key, { signal })
    await nextRun(stay)
    expect(await artifactsIn(primary, run)).toHaveLength(1)
    expect(await artifactsIn(copy, run)).toHaveLength(3)
  })

  test('what it would remove at once is not copied: the two do not go round in circles', async () => {
    const stay = await stage(1, { retention: { days: 30 } })
    const { run, primary, copy } = stay
    // Two of one day: the older one stays. The store loses it, the copy does not.
    await nextRun(stay)
    await run.clock.advance('2h')
    await run.run()
    const [older] = (await artifactsIn(primary, run)).toReversed()
    await storeIn(primary, run).remove(older!.id)
    for (let again = 0; again < 3; again++) {
      await run.clock.advance('1h')
      expect((await run.run()).outcome.status).toBe('succeeded')
    }
    const before = run.journal.filter((step) => step.startsWith('copied')).length
    for (let again = 0; again < 3; again++) await nextRun(stay)
    expect(run.journal.filter((step) => step.startsWith('copied')).length - before).toBe(3)
    expect((await artifactsIn(copy, run)).some(({ id }) => id === older!.id)).toBe(true)
  })

  test('is said when it can not be removed: a warning, no more', async () => {
    const stay = await stage(1, { retention: { latest: 1 } })
    const { copy } = stay
    await nextRun(stay)
    const remove = copy.delete.bind(copy)
    Object.assign(copy, {
      delete: async (...args: Parameters<typeof remove>) =>
        isData(args[0]) || args[0].includes('manifest') ? Promise.reject(new Error('locked')) : remove(...args),
    })
    const outcome = await nextRun(stay)
    expect(outcome).toMatchObject({ status: 'succeeded', warnings: [{ code: 'COPY_NOT_PRUNED' }] })
    expect(outcome.warnings[0]?.message).toContain('locked')
  })
})

describe('fault F50, in a copy', () => {
  const retention = { latest: 1 }

  test('dated in the future: stays, and takes nobody’s place', async () => {
    const stay = await stage(1, { retention })
    const { run, primary, copy } = stay
    run.clock.jump(400 * 86_400_000)
    await nextRun(stay)
    const [future] = await artifactsIn(primary, run)
    run.clock.jump(-400 * 86_400_000)
    for (let day = 0; day < 3; day++) await nextRun(stay)
    const left = (await artifactsIn(copy, run)).map(({ id }) => id)
    expect(left).toContain(future!.id)
    expect(left).toHaveLength(2)
  })

  test('a clock far in the future makes nothing go that is the newest that was read back', async () => {
    const stay = await stage(1, { retention: { days: 3 } })
    const { run, copy } = stay
    await nextRun(stay)
    const [good] = await artifactsIn(copy, run)
    run.clock.jump(4000 * 86_400_000)
    refuse(copy, /\.data/)
    await nextRun(stay)
    expect((await artifactsIn(copy, run)).map(({ id }) => id)).toEqual([good!.id])
  })

  test('none that was read back: nothing goes', async () => {
    const stay = await stage(1, { retention })
    const { run, copy } = stay
    refuse(copy, /\.verified\.json$/)
    for (let day = 0; day < 4; day++) await nextRun(stay)
    expect(await artifactsIn(copy, run)).toHaveLength(4)
    expect((await artifactsIn(copy, run)).every(({ verifiedAt }) => verifiedAt === undefined)).toBe(true)
  })

  test('names that are not ours are not touched, and manifests that cannot be read are not either', async () => {
    const stay = await stage(1, { retention })
    const { run, copy } = stay
    const foreign = [
      'default/test/t/2026-readme.txt',
      'default/test/t/not-a-time-run/x.manifest.json',
      'default/test/%zz/y.data',
      'other/test/t/20200101T000000.000Z-r/data.data.zst',
      'default/test/t/20200101T000000.000Z-newer/data.manifest.json',
    ]
    for (const key of foreign) await copy.put(key, single(Buffer.from('{"schema":99}')), { signal })
    for (let day = 0; day < 3; day++) await nextRun(stay)
    expect(keysIn(copy)).toEqual(expect.arrayContaining(foreign))
    expect(await artifactsIn(copy, run)).toHaveLength(1)
  })
})

test('fault F49: a size that falls by 90 % is a suspect in the copy, too, and nothing older goes there', async () => {
  const content = { bytes: 'x'.repeat(1000) }
  const stay = await stage(1, { retention: { latest: 1 } }, [dumps({ content: () => content.bytes })])
  const { run, primary, copy } = stay
  await nextRun(stay)
  content.bytes = 'y'.repeat(100)
  for (let day = 0; day < 2; day++) expect((await nextRun(stay)).status).toBe('partial')
  const states = async (driver: StorageDriver): Promise<unknown> =>
    (await artifactsIn(driver, run)).map(({ state }) => state)
  expect(await states(copy)).toEqual(['suspect', 'suspect', 'valid'])
  expect(await states(copy)).toEqual(await states(primary))
})
