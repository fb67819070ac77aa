// Claims of RBD images, statically provisioned: nothing in the kit provisions.
import { randomBytes } from 'node:crypto'
import { afterAll } from 'vitest'
import { createImage, removeImages, MiB } from './ceph.ts'
import { apply, kubectl, listObjects, run, waitFor } from './kubectl.ts'

/** A claim and its image. */
export interface VolumeOfClaim {
  readonly claim: string
  /** Benji's name of it. */
  readonly volume: string
  readonly image: string
  readonly pv: string
}

/** What differs between claims. */
export interface ClaimOptions {
  readonly sizeMiB?: number | undefined
  /** A claim without a volume stays pending. */
  readonly bound?: boolean | undefined
  readonly image?: string | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly accessModes?: readonly string[] | undefined
  readonly volumeMode?: string | undefined
  readonly storageClass?: string | undefined
  /** In place of Ceph. */
  readonly source?: Readonly<Record<string, unknown>> | undefined
}

/** Makes claims of a namespace, with images, and removes all of that after the tests of a file. */
export interface Volumes {
  create(claim: string, options?: ClaimOptions): Promise<VolumeOfClaim>
  /** A PersistentVolume that waits for a claim. */
  provide(claim: string, options?: ClaimOptions): Promise<VolumeOfClaim>
  /** The name of an image that is removed in the end. */
  nameImage(hint: string): string
}

/** Asks for freezing. */
export const freezes = { 'benji-backup.me/fsfreeze': 'yes' } as const

/** @param namespace - where claims are; has a part that nothing else has */
export function useVolumes(namespace: string): Volumes {
  const images: string[] = []
  const pvs: string[] = []
  afterAll(async () => {
    await run('kubectl', ['-n', namespace, 'delete', 'pods', '--all', '--grace-period=1', '--wait'])
    await run('kubectl', ['-n', namespace, 'delete', 'pvc', '--all', '--wait=false'])
    await run('kubectl', ['delete', 'pv', ...pvs, '--wait=false', '--ignore-not-found'])
    await removeImages(images)
  })
  const nameImage = (hint: string): string => {
    const name = `rbd/${namespace}-${hint}`
    images.push(name)
    return name
  }
  const provide = async (claim: string, options: ClaimOptions = {}): Promise<VolumeOfClaim> => {
    const { sizeMiB = 16, image = nameImage(claim), source } = options
    const pv = `${namespace}-${claim}-${randomBytes(3).toString('hex')}`
    pvs.push(pv)
    if (!source && options.image === undefined) await createImage(image, sizeMiB * MiB)
    await apply(volumeObject({ namespace, claim, pv, image }, options))
    return { claim, volume: `${namespace}/${claim}`, image, pv }
  }
  return {
    nameImage,
    provide,
    async create(claim, options = {}) {
      const isBound = options.bound !== false
      const made = isBound
        ? await provide(claim, options)
        : { claim, volume: `${namespace}/${claim}`, image: '', pv: '' }
      await apply(claimObject(namespace, claim, made.pv, options))
      if (isBound) await bound(namespace, claim)
      return made
    },
  }
}

/** Waits until a claim is bound. */
export async function bound(namespace: string, claim: string): Promise<void> {
  await waitFor(`claim ${claim} to be bound`, async () => {
    const path = ['-o', 'jsonpath={.status.phase}']
    return (await kubectl(['-n', namespace, 'get', 'pvc', claim, ...path])) === 'Bound'
  })
}

function volumeObject(
  { namespace, claim, pv, image }: { namespace: string; claim: string; pv: string; image: string },
  { sizeMiB = 16, accessModes = ['ReadWriteOnce'], volumeMode, storageClass = '', source }: ClaimOptions,
): object {
  const [pool, ...rest] = image.split('/')
  const imageName = rest.pop()
  const radosNamespace = rest[0]
  const attributes = { pool, imageName, ...(radosNamespace !== undefined && { radosNamespace }), staticVolume: 'true' }
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: pv },
    spec: {
      capacity: { storage: `${sizeMiB}Mi` },
      accessModes,
      volumeMode,
      storageClassName: storageClass,
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { namespace, name: claim },
      ...(source ?? { csi: { driver: 'rbd.csi.ceph.com', volumeHandle: pv, volumeAttributes: attributes } }),
    },
  }
}

function claimObject(
  namespace: string,
  claim: string,
  pv: string,
  { sizeMiB = 16, annotations, labels, accessModes = ['ReadWriteOnce'], volumeMode, storageClass = '' }: ClaimOptions,
): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: claim, namespace, annotations, labels },
    spec: {
      accessModes,
      volumeMode,
      storageClassName: storageClass,
      ...(pv !== '' && { volumeName: pv }),
      resources: { requests: { storage: `${sizeMiB}Mi` } },
    },
  }
}

/** An Event, as far as tests look. */
export interface ClaimEvent {
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly reportingComponent: string
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> }
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly uid?: string }
}

/** Benji's events about a claim. */
export async function eventsOf(namespace: string, claim: string): Promise<readonly ClaimEvent[]> {
  const events = await listObjects<ClaimEvent>('events', namespace)
  return events.filter(
    ({ involvedObject, reportingComponent }) => involvedObject.name === claim && reportingComponent === 'benji',
  )
}

/** A pod that has claims mounted, each at `/<name of the claim>`. */
export function podWith(
  namespace: string,
  name: string,
  claims: readonly string[],
  container: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'main',
          imagePullPolicy: 'Never',
          volumeMounts: claims.map((claim) => ({ name: claim, mountPath: `/${claim}` })),
          ...container,
        },
      ],
      volumes: claims.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: claim } })),
      ...more,
    },
  }
}
