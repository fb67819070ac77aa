import { expect, test } from 'vitest'
import type { PersistentVolume } from '../../src/discovery/objects.ts'
import { rbdSourceOf } from '../../src/discovery/rbd-source.ts'

const uuid = '6e696bba-064f-11ec-a251-0242ac110002'
const fsid = '7635de36-ab1f-4a70-98a2-a1bd80ba77c4'

function source(spec: PersistentVolume['spec']): unknown {
  const found = rbdSourceOf({ metadata: { name: 'pv' }, ...(spec && { spec }) })
  return found.kind === 'image' ? found.image : found
}

function csi(volumeHandle: string, volumeAttributes: Record<string, string>, driver = 'rbd.csi.ceph.com'): unknown {
  return source({ csi: { driver, volumeHandle, volumeAttributes } })
}

test('a volume of the in-tree driver, whose pool is rbd unless it says another', () => {
  expect(source({ rbd: { image: 'one', pool: 'kube' } })).toEqual({ pool: 'kube', namespace: '', name: 'one' })
  expect(source({ rbd: { image: 'one' } })).toEqual({ pool: 'rbd', namespace: '', name: 'one' })
  expect(source({ rbd: {} })).toMatchObject({ kind: 'unknown' })
})

test("a volume of Rook's flexVolume", () => {
  const options = { image: 'pvc-1', pool: 'replicapool', clusterNamespace: 'rook-ceph' }
  const image = { pool: 'replicapool', namespace: '', name: 'pvc-1' }
  expect(source({ flexVolume: { driver: 'ceph.rook.io/rook', options } })).toEqual(image)
  expect(source({ flexVolume: { driver: 'ceph.rook.io/rook-ceph-system', options } })).toEqual(image)
  expect(source({ flexVolume: { driver: 'ceph.rook.io/rook' } })).toMatchObject({ kind: 'unknown' })
  expect(source({ flexVolume: { driver: 'example.com/rook', options } })).toMatchObject({ kind: 'other' })
})

test('a volume of ceph-csi, under every name that its driver has', () => {
  const attributes = { pool: 'fast', journalPool: 'notes', imageName: 'csi-vol-1', radosNamespace: 'tenant' }
  const image = { pool: 'fast', namespace: 'tenant', name: 'csi-vol-1' }
  for (const driver of ['rbd.csi.ceph.com', 'rook-ceph.rbd.csi.ceph.com', 'b.rbd.csi.ceph.com']) {
    expect(csi('handle', attributes, driver)).toEqual(image)
  }
  for (const driver of ['cephfs.csi.ceph.com', 'xrbd.csi.ceph.com', 'rbd.csi.ceph.com.example.com', '']) {
    expect(csi('handle', attributes, driver)).toMatchObject({ kind: 'other' })
  }
})

test('K12: a volume of an older ceph-csi says no image; its handle does', () => {
  const image = { pool: 'fast', namespace: '', name: `csi-vol-${uuid}` }
  expect(csi(`0001-0024-${fsid}-0000000000000006-${uuid}`, { pool: 'fast' })).toEqual(image)
  expect(csi(`0001-0009-rook-ceph-0000000000000001-${uuid}`, { pool: 'fast', journalPool: 'notes' })).toEqual(image)
  expect(csi(`0001-0004-ceph-0000000000000001-${uuid}`, { pool: 'fast', volumeNamePrefix: 'shop-' })).toEqual({
    ...image,
    name: `shop-${uuid}`,
  })
})

test('a handle that only looks like one of ceph-csi names no image', () => {
  for (const handle of [
    `0001-0009-rook-cep-0000000000000001-${uuid}`,
    `0002-0009-rook-ceph-0000000000000001-${uuid}`,
    `0001-0009-rook-ceph-01-${uuid}`,
    `0001-0009-rook-ceph-0000000000000001-${uuid.slice(1)}`,
    'csi-rbd-vol-1',
    '',
  ]) {
    expect(csi(handle, { pool: 'fast' }), handle).toMatchObject({ kind: 'unknown' })
  }
})

test('the handle of a volume that was made by hand is the name of its image', () => {
  expect(csi('static-image', { pool: 'fast', staticVolume: 'true' })).toEqual({
    pool: 'fast',
    namespace: '',
    name: 'static-image',
  })
  expect(csi('static-image', { pool: 'fast' })).toMatchObject({ kind: 'unknown' })
})

test("the journal's pool is never taken for the image's", () => {
  const found = csi('handle', { journalPool: 'notes', imageName: 'csi-vol-1' })
  expect(found).toEqual({ kind: 'unknown', reason: 'spec.csi (volumeHandle handle) says no pool' })
})

test('a volume without a source, or without anything', () => {
  expect(source({ capacity: { storage: '1Gi' } })).toEqual({ kind: 'other', what: 'a volume without a source' })
  expect(source(undefined)).toMatchObject({ kind: 'other' })
})
