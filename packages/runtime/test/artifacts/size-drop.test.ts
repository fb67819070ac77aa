import { describe, expect, test } from 'vitest'
import type { ArtifactStore, StoredArtifact } from '../../src/artifacts/store.ts'
import { collect, request, setup, signal } from './support.ts'

/** Stores artifacts of these sizes, one run after the other, and says what became of each. */
async function store(sizes: readonly number[], into: ArtifactStore, firstRun = 0): Promise<StoredArtifact[]> {
  const made: StoredArtifact[] = []
  for (const [n, size] of sizes.entries()) {
    const run = (firstRun + n).toString().padStart(3, '0')
    const startedAt = new Date(Date.UTC(2026, 0, 1 + firstRun + n))
    const encoding = { compression: 'none', recipients: [], identity: undefined } as const
    made.push(await into.create(request({ run, startedAt, encoding }), (sink) => sink.write(Buffer.alloc(size))))
  }
  return made
}

const states = async (of: ArtifactStore): Promise<string> =>
  (await collect(of.list()))
    .toReversed()
    .map(({ state }) => (state === 'valid' ? 'v' : 's'))
    .join('')

describe('fault F49', () => {
  test('a size that falls by 90 % is committed as suspect, with the reason', async () => {
    const { store: into } = setup()
    await store([1000, 1010, 990], into)
    const [suspect] = await store([100], into, 3)
    expect(suspect).toMatchObject({
      state: 'suspect',
      reason: '100 bytes, below 50 % of the 1000 that are usual (median of the last 3)',
    })
    expect(await into.get(suspect!.id)).toMatchObject({ state: 'suspect', reason: suspect?.reason })
    await into.verify(suspect!.id, { signal })
    expect((await into.get(suspect!.id)).state).toBe('suspect')
  })

  test.each([
    ['the first of all is valid', [5], 'v'],
    ['half is enough', [1000, 500], 'vv'],
    ['less than half is not', [1000, 499], 'vs'],
    ['growth is fine', [10, 10_000], 'vv'],
    ['one outlier upwards does not make the usual size suspect', [100, 100, 100, 1000, 100], 'vvvvv'],
    ['back to the usual size: valid, and the suspect stays one', [100, 100, 10, 100, 100], 'vvsvv'],
    ['two of a new size are not enough', [100, 100, 10, 10], 'vvss'],
    ['three are: the earlier two are valid then as well', [100, 100, 10, 10, 10], 'vvvvv'],
    ['from then on the new size is the usual one', [100, 100, 100, 100, 10, 10, 10, 10, 9, 11], 'vvvvvvvvvv'],
    ['and is what a next fall is measured by', [100, 100, 10, 10, 10, 1], 'vvvvvs'],
    ['three that fall further and further are not of one size', [1000, 1000, 400, 100, 20], 'vvsss'],
    ['three suspects that were interrupted are not in a row', [100, 100, 10, 100, 10, 10], 'vvsvss'],
    [
      'only the last ten count',
      [...Array.from({ length: 10 }, () => 1000), ...Array.from({ length: 10 }, () => 600), 320],
      'v'.repeat(21),
    ],
  ])('%s', async (_name, sizes, expected) => {
    const { store: into } = setup()
    await store(sizes, into)
    expect(await states(into)).toBe(expected)
  })

  test('an accepted artifact is valid, and its size the usual one', async () => {
    const { store: into, memory } = setup()
    const [, , suspect] = await store([100, 100, 10], into)
    const manifest = memory.objects.get(`default/${suspect!.id}.manifest.json`)
    expect(await into.accept(suspect!.id)).toMatchObject({
      state: 'valid',
      reason: undefined,
      acceptance: { by: 'hand' },
    })
    expect(memory.objects.get(`default/${suspect!.id}.manifest.json`)).toBe(manifest)
    await store([10, 4], into, 3)
    expect(await states(into)).toBe('vvvvs')
  })

  test('only artifacts of the same plan, target and name are compared', async () => {
    const { store: into } = setup()
    await store([1000, 1000], into)
    const startedAt = new Date('2026-02-01')
    for (const other of [{ plan: 'mail' }, { target: 'users' }, { name: 'config' }]) {
      const artifact = await into.create(request({ run: 'x', startedAt, ...other }), (sink) =>
        sink.write(Buffer.alloc(3)),
      )
      expect(artifact.state).toBe('valid')
    }
  })

  test('a damaged artifact says nothing about what is usual', async () => {
    const { store: into, memory } = setup()
    const [large] = await store([1000], into)
    memory.fail({ corrupt: (key, bytes) => (key.endsWith('.data') ? Buffer.alloc(bytes.length, 'x') : bytes) })
    await into.verify(large!.id, { signal }).catch(() => {})
    memory.fail({})
    expect(await store([10], into, 1)).toMatchObject([{ state: 'valid' }])
  })

  test('when the store cannot say what is usual, the artifact is kept and looked at', async () => {
    const { store: into, memory, log } = setup()
    await store([100, 100], into)
    const get = memory.get.bind(memory)
    Object.assign(memory, {
      get: (...args: Parameters<typeof get>) => {
        if (args[0].includes('000/')) throw new Error('connection reset')
        return get(...args)
      },
    })
    const [artifact] = await store([100], into, 2)
    expect(artifact).toMatchObject({ state: 'suspect', reason: expect.stringContaining('connection reset') })
    expect(log.warnings.join()).toContain('connection reset')
    Object.assign(memory, { get })
    expect(await states(into)).toBe('vvs')
  })

  test('interrupted between the third and the acceptance of the first two: done with the next one', async () => {
    const { store: into, memory, log } = setup()
    await store([100, 100, 10, 10], into)
    const put = memory.put.bind(memory)
    Object.assign(memory, {
      put: async (...args: Parameters<typeof put>) => {
        if (args[0].endsWith('.accepted.json')) throw new Error('killed')
        await put(...args)
      },
    })
    await store([10], into, 4)
    expect(await states(into)).toBe('vvssv')
    expect(log.warnings.join()).toContain('stays suspect for now')
    Object.assign(memory, { put })
    await store([10], into, 5)
    expect(await states(into)).toBe('vvvvvv')
  })
})
