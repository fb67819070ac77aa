import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readChain, type ChainInput } from '../../src/backup/chain.ts'
import type { BenjiVersion } from '../../src/benji/version.ts'
import { labelNames, ownLabelNames } from '../../src/labels.ts'

const image = { pool: 'rbd', namespace: '', name: 'data' }
const at = (day: number): string => `b-2026-01-${String(day).padStart(2, '0')}T00:00:00Z`
const snapshot = (id: number, name: string) => ({ id, name, size: 1024, protected: false })

function version(of: Partial<BenjiVersion> & { readonly snapshot: string }, instance = 'benji-k8s'): BenjiVersion {
  return {
    uid: `web-data-${of.snapshot}`,
    date: new Date(of.snapshot.slice(2)),
    volume: 'web/data',
    size: 1024,
    blockSize: 4096,
    status: 'valid',
    protected: false,
    storage: 's1',
    bytesRead: 0,
    bytesWritten: 0,
    bytesDeduplicated: 0,
    bytesSparse: 0,
    durationSeconds: 1,
    ...of,
    labels: {
      [labelNames.instance]: instance,
      [labelNames.pool]: 'rbd',
      [labelNames.namespace]: '',
      [labelNames.image]: 'data',
      ...of.labels,
    },
  }
}

function chainOf(input: Partial<ChainInput>): ReturnType<typeof readChain> {
  return readChain({
    image,
    snapshots: [],
    versions: [],
    instance: 'benji-k8s',
    storage: 's1',
    blockSize: 4096,
    recorded: new Set(),
    ...input,
  })
}

describe('the base of the next backup', () => {
  const snapshots = [snapshot(4, at(1)), snapshot(7, at(2)), snapshot(9, at(3))]

  it('K8: is the newest snapshot with a good version, whatever newer ones there are without', () => {
    const chain = chainOf({ snapshots, versions: [version({ snapshot: at(1) }), version({ snapshot: at(2) })] })
    expect(chain.base?.snapshot).toBe(at(2))
    expect(chain.ours).toEqual([at(1), at(2)])
  })

  it.each([
    ['invalid', { status: 'invalid' }, 'is invalid'],
    ['incomplete', { status: 'incomplete' }, 'is incomplete'],
    ['in another storage', { storage: 's2' }, 'is in the storage s2'],
    ['of another block size', { blockSize: 512 }, 'has blocks of 512 bytes'],
    ['of another image', { labels: { [labelNames.image]: 'old' } }, 'is of another image'],
    ['different from its source', { labels: { [ownLabelNames.sourceMismatch]: 'true' } }, 'differs from its source'],
  ] as const)('K8, K23: a newer version that is %s is passed over for an older good one', (_, fault, why) => {
    const good = version({ snapshot: at(1) })
    const bad = version({ snapshot: at(2), ...fault })
    expect(chainOf({ snapshots, versions: [good, bad] }).base?.version).toBe(good)
    const alone = chainOf({ snapshots, versions: [bad] })
    expect(alone.base).toBeUndefined()
    expect(alone.reason).toContain(why)
  })

  it('K23: is the newest of several versions of one snapshot', () => {
    const older = version({ snapshot: at(1), uid: 'a', date: new Date('2026-01-01T00:00:00Z') })
    const newer = version({ snapshot: at(1), uid: 'b', date: new Date('2026-01-01T01:00:00Z') })
    expect(chainOf({ snapshots, versions: [newer, older] }).base?.version.uid).toBe('b')
  })

  it('fault F42: a snapshot that our journal has is ours, but without a version no base', () => {
    const chain = chainOf({ snapshots, recorded: new Set([at(3)]) })
    expect(chain).toMatchObject({ base: undefined, ours: [at(3)], foreign: [at(1), at(2)] })
    expect(chain.reason).toBe(`${at(3)} has no version`)
  })
})

describe('K9, fault F42: snapshots that are somebody else’s', () => {
  it.each([
    ['no version knows', []],
    ["only another installation's version has", [version({ snapshot: at(1) }, 'benji-west')]],
  ])('that %s are foreign', (_, versions) => {
    expect(chainOf({ snapshots: [snapshot(1, at(1))], versions })).toMatchObject({
      base: undefined,
      ours: [],
      foreign: [at(1)],
    })
  })

  it('that are not named like a backup’s are not even looked at', () => {
    const chain = chainOf({ snapshots: [snapshot(1, 'before-upgrade'), snapshot(2, 'csi-snap-1')] })
    expect(chain).toMatchObject({ ours: [], foreign: [], base: undefined })
  })

  it('are never among ours, whatever there is', () => {
    const day = fc.integer({ min: 1, max: 9 })
    const versionArb = fc.record({
      day,
      instance: fc.constantFrom('benji-k8s', 'benji-west'),
      status: fc.constantFrom('valid', 'invalid', 'incomplete'),
      storage: fc.constantFrom('s1', 's2'),
    })
    fc.assert(
      fc.property(fc.uniqueArray(day), fc.array(versionArb), fc.array(day), (days, given, recorded) => {
        const snapshots = days.toSorted((a, b) => a - b).map((each, index) => snapshot(index, at(each)))
        const versions = given.map(({ day: each, instance, status, storage }) =>
          version({ snapshot: at(each), status, storage }, instance),
        )
        const chain = chainOf({ snapshots, versions, recorded: new Set(recorded.map(at)) })
        expect([...chain.ours, ...chain.foreign].toSorted()).toEqual(snapshots.map(({ name }) => name).toSorted())
        for (const name of chain.ours) {
          const known = versions.some(
            (each) => each.snapshot === name && each.labels[labelNames.instance] === 'benji-k8s',
          )
          expect(known || recorded.map(at).includes(name)).toBe(true)
        }
        if (chain.base) {
          expect(chain.ours).toContain(chain.base.snapshot)
          expect(chain.base.version).toMatchObject({ status: 'valid', storage: 's1', snapshot: chain.base.snapshot })
        } else expect(chain.reason).toBeTypeOf('string')
      }),
    )
  })
})
