// What a copy lacks, it gets with the next run.
import type { StorageDriver } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { readAll, signal } from '../artifacts/support.ts'
import { artifactsIn, dumps, keysIn, mend, nextRun, refuse, rot, single, stage, storeIn } from './copies.ts'

describe('catching up', () => {
  test('a copy that was away for three runs, and one that is new, get everything, the newest first', async () => {
    const stay = await stage(1)
    const { run, primary, copy } = stay
    copy.fail({ delay: async () => Promise.reject(new Error('gone')) })
    for (let day = 0; day < 3; day++) expect((await nextRun(stay)).status).toBe('partial')
    copy.fail({})
    expect((await nextRun(stay)).status).toBe('succeeded')
    expect(keysIn(copy)).toEqual(keysIn(primary))
    const order = run.events.flatMap((event) => (event.type === 'artifact-copied' ? event.artifact : []))
    expect(order).toEqual(order.toSorted().toReversed())
    expect(order).toHaveLength(4)
  })

  test('what is damaged in the copy is replaced, what nobody has read back there is read', async () => {
    const stay = await stage(1)
    const { run, copy } = stay
    for (let day = 0; day < 3; day++) await nextRun(stay)
    const [newest, middle, oldest] = await artifactsIn(copy, run)
    // One that a person has found damaged; one that was killed before its mark and rotted; one that was killed only.
    rot(copy, oldest!)
    await storeIn(copy, run)
      .verify(oldest!.id, { signal })
      .catch(() => {})
    rot(copy, middle!)
    for (const { id } of [middle!, newest!]) await copy.delete(`default/${id}.verified.json`, { signal })
    expect(await artifactsIn(copy, run)).toMatchObject([
      { verifiedAt: undefined },
      { verifiedAt: undefined },
      { state: 'invalid' },
    ])
    expect(await nextRun(stay)).toMatchObject({ status: 'succeeded', warnings: [] })
    for (const artifact of await artifactsIn(copy, run)) {
      expect(artifact).toMatchObject({ state: 'valid', verification: { result: 'verified' } })
      await readAll(storeIn(copy, run), artifact.id)
    }
    expect(run.journal.filter((step) => step.startsWith('copied'))).toHaveLength(6)
  })

  test('what a killed run left in the copy is removed by the next one', async () => {
    const stay = await stage(1)
    const { run, primary, copy } = stay
    const left = 'default/test/t/20251231T030000.000Z-killed/data'
    for (const suffix of ['data.zst', 'verified.json'])
      await copy.put(`${left}.${suffix}`, single(Buffer.from('half')), { signal })
    await nextRun(stay)
    expect(keysIn(copy)).toEqual(keysIn(primary))
    expect(run.log.some((line) => line.includes('removed what interrupted runs had left in memory'))).toBe(true)
  })

  test('what is damaged in the copy is replaced once, also where nobody has read the store’s own back', async () => {
    const stay = await stage(1, {}, [dumps({ targets: ['t', 'failing'], failing: 'failing' })])
    const { run, copy } = stay
    await nextRun(stay)
    const unverified = (await artifactsIn(copy, run)).find(({ target }) => target === 'failing')
    rot(copy, unverified!)
    await storeIn(copy, run)
      .verify(unverified!.id, { signal })
      .catch(() => {})
    const copied = async (): Promise<number> => {
      const before = run.journal.length
      await nextRun(stay)
      return run.journal.slice(before).filter((step) => step.startsWith('copied')).length
    }
    // The two of the run itself, and the one that was damaged; then those of the run.
    expect([await copied(), await copied()]).toEqual([3, 2])
    const now = (await artifactsIn(copy, run)).find(({ id }) => id === unverified!.id)
    expect(now).toMatchObject({ state: 'valid', verifiedAt: undefined })
  })

  test('a replacement that fails leaves the damaged one as it is', async () => {
    const stay = await stage(1)
    const { run, copy } = stay
    await nextRun(stay)
    const [artifact] = await artifactsIn(copy, run)
    rot(copy, artifact!)
    await storeIn(copy, run)
      .verify(artifact!.id, { signal })
      .catch(() => {})
    const before = keysIn(copy)
    refuse(copy, /\.data/)
    expect((await nextRun(stay)).status).toBe('partial')
    expect(keysIn(copy)).toEqual(before)
  })

  test('what the store itself does not give back is said, and the rest is copied', async () => {
    const stay = await stage(2)
    const { run, primary, copies } = stay
    for (const copy of copies) refuse(copy, /./)
    await nextRun(stay)
    const [rotten] = await artifactsIn(primary, run)
    rot(primary, rotten!)
    for (const copy of copies) mend(copy)
    const outcome = await nextRun(stay)
    expect(outcome.status).toBe('partial')
    expect(outcome.warnings.map(({ code }) => code)).toEqual(['COPY_SOURCE'])
    expect(outcome.warnings[0]?.message).toContain(rotten!.id)
    for (const copy of copies) {
      expect(await artifactsIn(copy, run)).toHaveLength(1)
      expect(keysIn(copy).some((key) => key.includes(rotten!.id))).toBe(false)
    }
    // Once it is known to be damaged, nobody tries any more; an older copy of it stays.
    await storeIn(primary, run)
      .verify(rotten!.id, { signal })
      .catch(() => {})
    expect(await nextRun(stay)).toMatchObject({ status: 'succeeded' })
  })

  test('what was accepted in the store is accepted in the copy', async () => {
    const content = { bytes: 'x'.repeat(1000) }
    const stay = await stage(1, {}, [dumps({ content: () => content.bytes })])
    const { run, primary, copy } = stay
    for (let day = 0; day < 3; day++) await nextRun(stay)
    content.bytes = 'y'
    const outcome = await nextRun(stay)
    expect(outcome).toMatchObject({ status: 'partial', error: { code: 'TARGET_SUSPECT' } })
    const [suspect] = await artifactsIn(copy, run)
    expect(suspect).toMatchObject({ state: 'suspect', verification: { result: 'verified' } })
    await storeIn(primary, run).accept(suspect!.id)
    content.bytes = 'z'
    expect((await nextRun(stay)).status).toBe('succeeded')
    expect(await storeIn(copy, run).get(suspect!.id)).toMatchObject({
      state: 'valid',
      acceptance: { by: 'hand' },
    })
  })

  test('what a failed target had stored is copied, but is no more proven there than in the store', async () => {
    const stay = await stage(1, {}, [dumps({ targets: ['good', 'bad'], failing: 'bad' })])
    const { run, primary, copy } = stay
    expect(await nextRun(stay)).toMatchObject({ status: 'partial', reason: undefined, warnings: [] })
    const states = async (driver: StorageDriver): Promise<unknown> =>
      (await artifactsIn(driver, run)).map(({ target, verifiedAt }) => [target, verifiedAt !== undefined])
    expect(await states(copy)).toEqual(await states(primary))
  })

  test('a run of which nothing succeeded copies nothing', async () => {
    const stay = await stage(1, {}, [dumps({ targets: [] })])
    expect((await nextRun(stay)).status).toBe('failed')
    expect([...stay.copy.objects]).toEqual([])
  })
})
