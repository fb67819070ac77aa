import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { and, equals, equalsLabel } from '../../src/benji/filter.ts'
import { requireLabels, requireVolume, versionUid } from '../../src/benji/names.ts'
import { sourceUrl } from '../../src/benji/source-url.ts'
import { compileFilter } from '../support/fake-filter.ts'
import { startClients } from '../support/clients.ts'

describe('uids', () => {
  test('are the volume with a random end', () => {
    expect(versionUid('web/data')).toMatch(/^web-data-[a-z0-9]{6}$/)
    expect(versionUid('rbd/ns/image')).toMatch(/^rbd-ns-image-[a-z0-9]{6}$/)
    const uids = new Set(Array.from({ length: 1000 }, () => versionUid('web/data')))
    expect(uids.size).toBe(1000)
  })

  test('K24: are never longer than Benji’s database has room for, and never an option', () => {
    expect(versionUid(`web/${'x'.repeat(300)}`)).toHaveLength(250)
    expect(versionUid('-web/data')).toMatch(/^web-data-/)
  })
})

describe('K24: what Benji would refuse after the snapshot was made is refused before', () => {
  test.for(['', '-web/data', 'web/data-', 'web data', 'wéb/data', 'a'.repeat(256), 'a"b', 'a=b', 'a,b', 'a\n'])(
    'the volume "%s"',
    (volume) => expect(() => requireVolume(volume)).toThrow(/Benji can't use the volume/),
  )
  test.for(['web/data', 'rbd/ns/image', 'a', '0', 'a_b.c:d/e@f+g', 'a'.repeat(255)])(
    'not the volume "%s"',
    (volume) => {
      expect(() => requireVolume(volume)).not.toThrow()
    },
  )
  test.for([
    { 'a b': 'x' },
    { '': 'x' },
    { 'a/b/c': 'x' },
    { 'A.b/c': 'x' },
    { '-a/b': 'x' },
    { 'a/': 'x' },
    { [`a/${'b'.repeat(64)}`]: 'x' },
    { 'a-': 'x' },
    { a: 'x y' },
    { a: '-x' },
    { a: 'x-' },
    { a: 'x=y' },
    { a: 'RWO,RWX' },
    { a: 'x'.repeat(256) },
  ])('the label %o', (labels) =>
    expect(() => requireLabels(labels as Record<string, string>)).toThrow(/Benji can't use/),
  )
  test('not the labels of Benji’s tools and ours', () => {
    const labels = {
      'benji-backup.me/instance': 'benji-k8s',
      'benji-backup.me/ceph-namespace': '',
      'holdfast.dev/access-modes': 'ReadWriteOnce+ReadOnlyMany',
      gone: undefined,
    }
    expect(() => requireLabels(labels)).not.toThrow()
  })

  test('as Benji does, which the fake asks in the same way', async () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'B', '1', '-', '_', '.', ':', '/', '@', '+', ' ', '=', 'é'),
      maxLength: 6,
    })
    const { ceph, benji } = startClients()
    ceph.create('rbd/a')
    let made = 0
    await fc.assert(
      fc.asyncProperty(text, async (volume) => {
        const request = { uid: `u-${(made += 1)}`, volume, snapshot: '', source: 'rbd:rbd/a', labels: {} }
        const taken = await benji.backup(request).then(
          () => true,
          () => false,
        )
        const ours = (() => {
          try {
            requireVolume(volume)
            return true
          } catch {
            return false
          }
        })()
        expect(ours, volume).toBe(taken)
      }),
    )
  })
})

describe('filters', () => {
  test('compare a field or a label', () => {
    expect(equals('volume', 'web/data')).toBe('volume == "web/data"')
    expect(equals('uid', 'a"b')).toBe(`uid == 'a"b'`)
    expect(equalsLabel('benji-backup.me/instance', 'east')).toBe('labels["benji-backup.me/instance"] == "east"')
  })

  test('are joined, and what was joined with or stays together', () => {
    const any = 'status == "valid" or status == "invalid"'
    expect(and(equals('uid', 'a'), any)).toBe(`(uid == "a") and (${any})`)
    expect(and('', equals('uid', 'a'), ' ')).toBe('uid == "a"')
    expect(and()).toBe('')
  })

  test('a value that no filter can hold is refused, not cut', () => {
    expect(() => equals('volume', `a'b"c`)).toThrow(/both kinds of quotes/)
    expect(() => equalsLabel('a', 'b\nc')).toThrow(/control characters/)
  })

  test('whatever the value is, only what has it is found', () => {
    const { fake } = startClients()
    fc.assert(
      fc.property(fc.string(), fc.string(), (value, other) => {
        fc.pre(value !== other && !(value.includes('"') && value.includes("'")) && !/\p{Cc}/u.test(value))
        const versions = [value, other].map((volume) => fake.add({ volume, labels: { a: volume } }))
        for (const filter of [equals('volume', value), equalsLabel('a', value)]) {
          expect(versions.filter(compileFilter(filter, new Date()))).toEqual([versions[0]])
        }
      }),
    )
  })
})

describe('URLs', () => {
  const image = { pool: 'My_Pool', namespace: '', name: 'csi-vol-1' }

  test('K19: one io reaches all pools, whatever they are called', () => {
    expect(sourceUrl(undefined, image, 'b-1')).toBe('rbd:My_Pool/csi-vol-1@b-1')
    expect(sourceUrl(undefined, { ...image, namespace: 'ns' })).toBe('rbd:My_Pool/ns/csi-vol-1')
    expect(sourceUrl({ io: 'ceph2' }, image, '')).toBe('ceph2:My_Pool/csi-vol-1')
  })

  test('K22: user and keyring go with it', () => {
    const engine = { ceph: { user: 'backup', keyring: '/etc/ceph/a b&c=+.keyring', conf: '/etc/ceph/x.conf' } }
    expect(sourceUrl(engine, image, 'b-1')).toBe(
      'rbd:My_Pool/csi-vol-1@b-1?client_identifier=backup&keyring=%2Fetc%2Fceph%2Fa%20b%26c%3D%2B.keyring',
    )
  })

  test('an image that would be taken for another is refused', () => {
    expect(() => sourceUrl(undefined, { ...image, name: 'a?mon_host=evil' })).toThrow(/begins the options/)
  })
})
