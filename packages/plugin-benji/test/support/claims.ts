import { randomUUID } from 'node:crypto'
import type { KubernetesObject } from '@holdfast/sdk'
import type { FakeKubernetes } from '@holdfast/testing'

/** A claim and its volume, for {@link addClaim}. */
export interface FakeClaim {
  readonly name: string
  /** Default: `web`. */
  readonly namespace?: string
  /** What it is bound to. Default: `pv-<name>`; `null`: nothing. */
  readonly pv?: string | null
  /** Default: `Bound`. */
  readonly phase?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
  /** Of the volume: what it is, such as `{ csi: … }`. Default: an image of ceph-csi; `null`: the volume does not exist. */
  readonly source?: Readonly<Record<string, unknown>> | null
  /** Of the volume. Default: `Bound`. */
  readonly pvPhase?: string
  /** Of the volume, over the claim that it belongs to. */
  readonly claimRef?: Readonly<Record<string, unknown>>
  /** Of both. Default: `1Gi`. */
  readonly size?: string
}

/** A volume of ceph-csi, as it makes them since 3.1. */
export function cephCsi(image: string, attributes: Readonly<Record<string, string | undefined>> = {}): object {
  const all = {
    clusterID: 'ceph',
    pool: 'rbd',
    journalPool: 'journal',
    imageName: image,
    imageFeatures: 'layering',
    ...attributes,
  }
  return {
    csi: {
      driver: 'rbd.csi.ceph.com',
      volumeHandle: `0001-0004-ceph-0000000000000002-${image.slice(-36)}`,
      volumeAttributes: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    },
  }
}

/** Adds a claim, and its volume. */
export function addClaim(server: FakeKubernetes, given: FakeClaim): void {
  const { name, namespace = 'web', pv = `pv-${name}`, phase = 'Bound', size = '1Gi', source } = given
  const { uid } = server.objects.put({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace,
      ...(given.labels && { labels: given.labels }),
      ...(given.annotations && { annotations: given.annotations }),
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'ceph-block',
      volumeMode: 'Filesystem',
      resources: { requests: { storage: size } },
      ...(pv !== null && { volumeName: pv }),
      ...given.spec,
    },
    status: { phase, ...(phase === 'Bound' && { capacity: { storage: size } }) },
  }).metadata
  if (pv === null || source === null) return
  server.objects.put(
    volumeObject(
      pv,
      {
        ...(source ?? cephCsi(`csi-vol-${uid}`)),
        capacity: { storage: size },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, ...given.claimRef },
      },
      given.pvPhase,
    ),
  )
}

/** A PersistentVolume. */
export function volumeObject(name: string, spec: Readonly<Record<string, unknown>>, phase = 'Bound'): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, uid: randomUUID() },
    spec: {
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Delete',
      volumeMode: 'Filesystem',
      ...spec,
    },
    status: { phase },
  }
}
