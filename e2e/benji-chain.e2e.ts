// Backups of RBD images through a real Benji: what is read, what one counts from, and what stays on the image.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { useSite, volumesConfig, type RunReport, type Version } from './support/benji.ts'
import {
  createImage,
  createPool,
  createSnapshot,
  MiB,
  readImage,
  removeImages,
  removeSnapshot,
  resizeImage,
  snapshotsOf,
  writeImage,
} from './support/ceph.ts'
import { killTree } from './support/node.ts'
import { run, succeed, waitFor } from './support/kubectl.ts'
import { useNamespace } from './support/namespace.ts'
import { backUpAsBenjiDoes } from './support/original.ts'
import { useVolumes, type VolumeOfClaim } from './support/volumes.ts'

const namespace = useNamespace('chain')
const volumes = useVolumes(namespace)
const site = useSite()
const { benji } = site

/** A plan of one claim. */
function configure(claim: string, options: Readonly<Record<string, unknown>> = {}): void {
  const use = ['benjiBackup', { pvcs: [`${namespace}/${claim}`], ...options }] as const
  site.project.write('holdfast.config.ts', volumesConfig(benji, { volumes: use }))
}

/** A claim with some data in two blocks of four, and a plan for it. */
async function begin(claim: string, options?: Readonly<Record<string, unknown>>): Promise<VolumeOfClaim> {
  const volume = await volumes.create(claim)
  await writeImage(volume.image, { at: 0, bytes: randomBytes(MiB) }, { at: 8 * MiB, bytes: randomBytes(MiB) })
  configure(claim, options)
  return volume
}

/** Overwrites something in the second block. */
const change = ({ image }: VolumeOfClaim): Promise<void> => writeImage(image, { at: 5 * MiB, bytes: randomBytes(MiB) })

interface Point {
  readonly uid: string
  readonly mode: string
  readonly snapshot: string
}

/** The one point of a run that must have succeeded. */
function pointOf(report: RunReport & { readonly log: string }): Point {
  const [target] = report.targets
  const [point] = target?.points ?? []
  if (report.status !== 'succeeded' || !point) throw new Error(`the run is ${report.status}: ${report.log}`)
  expect(target).toMatchObject({ status: 'succeeded', verification: 'verified' })
  return { uid: point.id, mode: point.mode, snapshot: point.ref.snapshot }
}

const backUp = async (): Promise<Point> => pointOf(await site.backUp('volumes'))

async function versionOf({ uid }: Point): Promise<Version> {
  const [version] = await benji.ls(`uid == "${uid}"`)
  if (!version) throw new Error(`version ${uid} is not there`)
  return version
}

/** Restores into an image that isn't there, and reads that. */
async function restored({ uid }: Point): Promise<Buffer> {
  const image = volumes.nameImage(`restored-${randomBytes(3).toString('hex')}`)
  await benji.restore(uid, `rbd:${image}`)
  return readImage(image)
}

test('full, then differential: what has changed is read, one snapshot stays, both restore to the byte', async () => {
  const volume = await begin('first')
  const full = await backUp()
  expect(full.mode).toBe('full')
  expect(await snapshotsOf(volume.image)).toEqual([full.snapshot])
  const before = await readImage(`${volume.image}@${full.snapshot}`)
  expect(await versionOf(full)).toMatchObject({
    volume: volume.volume,
    snapshot: full.snapshot,
    status: 'valid',
    size: 16 * MiB,
    bytes_read: 8 * MiB,
    labels: {
      'benji-backup.me/instance': 'benji-k8s',
      'benji-backup.me/ceph-pool': 'rbd',
      'benji-backup.me/ceph-namespace': '',
      'benji-backup.me/ceph-rbd-image': volume.image.slice('rbd/'.length),
      'benji-backup.me/k8s-pvc-namespace': namespace,
      'benji-backup.me/k8s-pvc': 'first',
      'benji-backup.me/k8s-pv': volume.pv,
    },
  })
  await change(volume)
  const differential = await backUp()
  expect(differential.mode).toBe('differential')
  expect((await versionOf(differential)).bytes_read).toBe(4 * MiB)
  expect(await snapshotsOf(volume.image)).toEqual([differential.snapshot])
  const after = await readImage(`${volume.image}@${differential.snapshot}`)
  // What is written later is in neither.
  await writeImage(volume.image, { at: 0, bytes: randomBytes(MiB) })
  expect(after.equals(before)).toBe(false)
  expect((await restored(full)).equals(before)).toBe(true)
  expect((await restored(differential)).equals(after)).toBe(true)
})

test('fault F41: after a failed run (K7, K8) it is differential all the same, and nothing of that run is left', async () => {
  const volume = await begin('failing')
  const full = await backUp()
  await change(volume)
  benji.breakStorage()
  const failed = await site.backUp('volumes').finally(() => benji.repairStorage())
  expect(failed).toMatchObject({ code: 1, status: 'failed', targets: [{ status: 'failed', points: [] }] })
  expect(failed.targets[0]?.error?.code).toMatch(/^BENJI_/)
  expect(await snapshotsOf(volume.image)).toEqual([full.snapshot])
  expect((await benji.ls(`volume == "${volume.volume}"`)).map(({ uid }) => uid)).toEqual([full.uid])
  const next = await backUp()
  expect(next.mode).toBe('differential')
  expect((await restored(next)).equals(await readImage(`${volume.image}@${next.snapshot}`))).toBe(true)
})

test('C6: killed with Benji in the middle of a backup, the next run takes all of it back and is differential', async () => {
  const volume = await begin('killed')
  const full = await backUp()
  await change(volume)
  const slowly = {
    ...(JSON.parse(readFileSync(benji.configFile, 'utf8')) as { storages: [{ configuration: object }] }),
  }
  Object.assign(slowly.storages[0].configuration, { bandwidthRead: 0, bandwidthWrite: 256 * 1024 })
  site.project.write('benji/slow.yaml', JSON.stringify(slowly), 0o644)
  site.project.write(
    'slow/holdfast.config.ts',
    volumesConfig(
      { configFile: site.project.at('benji/slow.yaml') },
      { volumes: ['benjiBackup', { pvcs: [volume.volume] }] },
    ),
  )
  const running = site.start('holdfast', ['run', 'volumes', '--config', site.project.at('slow/holdfast.config.ts')])
  const unfinished = `volume == "${volume.volume}" and status == "incomplete"`
  const begun = await waitFor('Benji to be at it', async () => (await benji.ls(unfinished))[0])
  killTree(running.pid)
  await running.ended
  // Benji holds a lock on it for ever.
  expect((await benji.try('rm', '--force', begun.uid)).code).toBe(77)
  const next = await backUp()
  expect(next.mode).toBe('differential')
  expect((await benji.ls(`volume == "${volume.volume}"`)).map(({ uid }) => uid)).toEqual([full.uid, next.uid])
  expect(await snapshotsOf(volume.image)).toEqual([next.snapshot])
  expect((await restored(next)).equals(await readImage(`${volume.image}@${next.snapshot}`))).toBe(true)
})

describe('what others have begun', () => {
  test('a chain of Benji’s own tools goes on differentially', async () => {
    const volume = await begin('theirs')
    const theirs = await backUpAsBenjiDoes(site, volume, 'b-2026-11-01T02:00:00Z')
    await change(volume)
    const ours = await backUp()
    expect(ours.mode).toBe('differential')
    expect((await versionOf(ours)).bytes_read).toBe(4 * MiB)
    expect(await snapshotsOf(volume.image)).toEqual([ours.snapshot])
    expect((await benji.ls(`volume == "${volume.volume}"`)).map(({ uid }) => uid)).toEqual([theirs, ours.uid])
    expect((await restored(ours)).equals(await readImage(`${volume.image}@${ours.snapshot}`))).toBe(true)
  })

  test('fault F42: a snapshot that looks like ours and is nobody’s stays, until somebody says that it goes', async () => {
    const volume = await begin('foreign')
    await createSnapshot(volume.image, 'b-2026-10-01T02:00:00Z')
    await createSnapshot(volume.image, 'before-the-upgrade')
    const first = await backUp()
    const second = await backUp()
    const kept = ['b-2026-10-01T02:00:00Z', 'before-the-upgrade']
    expect([first.mode, second.mode]).toEqual(['full', 'differential'])
    expect(await snapshotsOf(volume.image)).toEqual([...kept, second.snapshot])
    const listed = await site.run('holdfast', ['benji', 'gc', '--dry-run'])
    expect(listed.stdout).toContain(`${volume.image}@b-2026-10-01T02:00:00Z`)
    expect((await site.run('holdfast', ['benji', 'gc', '--yes'])).code).toBe(0)
    expect(await snapshotsOf(volume.image)).toEqual([...kept, second.snapshot])
    expect((await site.run('holdfast', ['benji', 'gc', '--adopt', '--yes'])).code).toBe(0)
    expect(await snapshotsOf(volume.image)).toEqual(['before-the-upgrade', second.snapshot])
  })
})

describe('an image that isn’t as it was', () => {
  test('resized: the next backup is differential, and all of it is there', async () => {
    const volume = await begin('resized')
    await backUp()
    await resizeImage(volume.image, 22 * MiB)
    await writeImage(volume.image, { at: 21 * MiB, bytes: randomBytes(MiB) })
    const grown = await backUp()
    expect(grown.mode).toBe('differential')
    expect((await versionOf(grown)).size).toBe(22 * MiB)
    expect((await restored(grown)).equals(await readImage(`${volume.image}@${grown.snapshot}`))).toBe(true)
    await resizeImage(volume.image, 10 * MiB)
    const shrunk = await backUp()
    expect((await restored(shrunk)).equals(await readImage(`${volume.image}@${shrunk.snapshot}`))).toBe(true)
  })

  test('without its snapshot: a full backup, which says why', async () => {
    const volume = await begin('bare')
    const first = await backUp()
    await removeSnapshot(volume.image, first.snapshot)
    const report = await site.backUp('volumes')
    const second = pointOf(report)
    expect(second.mode).toBe('full')
    expect(report.log).toContain('in full: there is no snapshot of an earlier backup')
    expect(await snapshotsOf(volume.image)).toEqual([second.snapshot])
  })

  test('K25: with differential off, no snapshot stays', async () => {
    const volume = await begin('loose', { differential: false })
    const first = await backUp()
    const second = await backUp()
    expect([first.mode, second.mode]).toEqual(['full', 'full'])
    expect(await snapshotsOf(volume.image)).toEqual([])
    expect((await restored(second)).equals(await readImage(volume.image))).toBe(true)
  })
})

describe('K19: without Kubernetes', () => {
  const pool = 'Upper_1'
  const image = `${pool}/${namespace}/disk`

  beforeAll(async () => {
    await createPool(pool)
    await run('rbd', ['namespace', 'create', `${pool}/${namespace}`])
    await createImage(image, 16 * MiB)
    await writeImage(image, { at: 9 * MiB, bytes: randomBytes(MiB) })
    return () => removeImages([image])
  })

  test('an image in a RADOS namespace of a pool whose name is no scheme of a URL', async () => {
    const use = ['benjiBackup', { images: [image], compare: true }] as const
    site.project.write('holdfast.config.ts', volumesConfig(benji, { volumes: use }))
    const point = pointOf(await site.backUp('volumes'))
    expect(await versionOf(point)).toMatchObject({ volume: image, bytes_read: 4 * MiB })
    expect(await snapshotsOf(image)).toEqual([point.snapshot])
    expect((await restored(point)).equals(await readImage(`${image}@${point.snapshot}`))).toBe(true)
  })
})

test('C4: with Benji’s database gone, its storage alone gives versions back with their labels', async () => {
  const volume = await begin('bereft')
  const point = await backUp()
  const { labels } = await versionOf(point)
  const other = JSON.parse(readFileSync(benji.configFile, 'utf8')) as { databaseEngine: string }
  other.databaseEngine = `sqlite:///${site.project.at('other.sqlite')}`
  site.project.write('other.yaml', JSON.stringify(other), 0o644)
  const inOther = (...args: readonly string[]): Promise<string> =>
    succeed('benji', ['-c', site.project.at('other.yaml'), '-m', ...args])
  await inOther('database-init')
  await inOther('metadata-restore', point.uid)
  const { versions } = JSON.parse(await inOther('ls')) as { versions: readonly Version[] }
  expect(versions).toMatchObject([{ uid: point.uid, volume: volume.volume, status: 'valid', labels }])
})
