// Versions of a real Benji restored: into claims, images and files, and what is refused.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { useSite, volumesConfig } from './support/benji.ts'
import { MiB, readImage, snapshotsOf, writeImage } from './support/ceph.ts'
import { apply, getObject, kubectl, run, type Ended } from './support/kubectl.ts'
import { readLog } from './support/logs.ts'
import { images, useNamespace } from './support/namespace.ts'
import { execIn, ready } from './support/pods.ts'
import { podWith, useVolumes, type VolumeOfClaim } from './support/volumes.ts'

const namespace = useNamespace('restore')
const volumes = useVolumes(namespace)
const site = useSite()
const { benji, project } = site

const classes = { atOnce: `${namespace}-at-once`, forPods: `${namespace}-for-pods` } as const
let source: VolumeOfClaim
/** A version, and what was in its snapshot. */
let version = ''
let content: Buffer

beforeAll(async () => {
  await apply(storageClass(classes.atOnce, 'Immediate'), storageClass(classes.forPods, 'WaitForFirstConsumer'))
  source = await volumes.create('source', { storageClass: classes.atOnce, accessModes: ['ReadWriteMany'] })
  const { image } = source
  await writeImage(image, { at: MiB, bytes: randomBytes(MiB) }, { at: 12 * MiB, bytes: randomBytes(3 * MiB) })
  const use = ['benjiBackup', { pvcs: [source.volume] }] as const
  project.write('holdfast.config.ts', volumesConfig(benji, { volumes: use }))
  const report = await site.backUp('volumes')
  if (report.status !== 'succeeded') throw new Error(report.log)
  version = report.targets[0]?.points[0]?.id ?? ''
  content = await readImage(`${image}@${(await snapshotsOf(image))[0]}`)
})
afterAll(() => run('kubectl', ['delete', 'storageclass', ...Object.values(classes), '--ignore-not-found']))

function storageClass(name: string, volumeBindingMode: string): object {
  // Nobody provisions here.
  const provisioner = 'rbd.csi.ceph.com'
  return { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name }, provisioner, volumeBindingMode }
}

function succeeded(ended: Ended): void {
  expect({ code: ended.code, stderr: ended.code === 0 ? '' : ended.stderr }).toEqual({ code: 0, stderr: '' })
}

/** The code of the error that a command ended with. */
function refusal({ code, stderr }: Ended): string | undefined {
  expect(code).not.toBe(0)
  return readLog(stderr).findLast(({ error, code: own }) => error?.code ?? own)?.error?.code ?? stderr
}

/** No claim of that name is there. */
async function isAbsent(claim: string): Promise<boolean> {
  return (await getObject('pvc', claim, namespace)) === undefined
}

describe('fault F45: into a claim', () => {
  test('that is there: to the byte, whatever it held', async () => {
    const target = await volumes.create('there')
    await writeImage(target.image, { at: 0, bytes: randomBytes(16 * MiB) })
    expect(refusal(await site.restore(version, `pvc=${namespace}/there`))).toBe('VOLUME_HOLDS_DATA')
    succeeded(await site.restore(version, `pvc=${namespace}/there`, '--force'))
    expect((await readImage(target.image)).equals(content)).toBe(true)
    expect(await benji.ls('protected == True')).toEqual([])
  })

  test('K33: that is made, with storage class and modes of the one that was backed up', async () => {
    const target = await volumes.provide('made', { storageClass: classes.atOnce, accessModes: ['ReadWriteMany'] })
    succeeded(await site.restore(version, `pvc=${namespace}/made`))
    expect((await readImage(target.image)).equals(content)).toBe(true)
    expect(await getObject('pvc', 'made', namespace)).toMatchObject({
      spec: { storageClassName: classes.atOnce, accessModes: ['ReadWriteMany'], volumeMode: 'Filesystem' },
      status: { phase: 'Bound' },
    })
  })

  test('K33: that would wait for a pod for ever: refused, and none is made', async () => {
    const place = [`pvc=${namespace}/waiting`, `storageClass=${classes.forPods}`]
    expect(refusal(await site.restore(version, ...place))).toBe('VOLUME_WAITS_FOR_POD')
    expect(await isAbsent('waiting')).toBe(true)
  })

  test('K33: that nothing provides: it is given up, and the claim is gone again', async () => {
    const place = [`pvc=${namespace}/unprovided`, 'wait=5s']
    expect(refusal(await site.restore(version, ...place))).toBe('VOLUME_NOT_BOUND')
    expect(await isAbsent('unprovided')).toBe(true)
  })

  test('K31: that a pod has mounted: refused, and with --force overwritten', async () => {
    const target = await volumes.create('mounted')
    const command = ['/bin/sh', '-c', 'echo in use > /mounted/file && sync && exec sleep 600']
    await apply(podWith(namespace, 'user', ['mounted'], { image: images.busybox, command }))
    await ready(namespace, 'user')
    expect(refusal(await site.restore(version, `pvc=${namespace}/mounted`))).toBe('VOLUME_IN_USE')
    expect((await execIn(namespace, 'user', 'main', ['cat', '/mounted/file'])).stdout).toBe('in use\n')
    await kubectl(['-n', namespace, 'delete', 'pod', 'user', '--grace-period=1', '--wait'])
    // One that could start at any moment.
    await apply(
      podWith(namespace, 'pending', ['mounted'], { image: images.busybox }, { nodeSelector: { nowhere: 'yes' } }),
    )
    expect(refusal(await site.restore(version, `pvc=${namespace}/mounted`))).toBe('VOLUME_IN_USE')
    succeeded(await site.restore(version, `pvc=${namespace}/mounted`, '--force'))
    await kubectl(['-n', namespace, 'delete', 'pod', 'pending', '--grace-period=1', '--wait'])
    expect((await readImage(target.image)).equals(content)).toBe(true)
  })

  test('K32: that is too small: refused before anything is written', async () => {
    const target = await volumes.create('small', { sizeMiB: 8 })
    expect(refusal(await site.restore(version, `pvc=${namespace}/small`, '--force'))).toBe('VOLUME_TOO_SMALL')
    expect((await readImage(target.image)).equals(Buffer.alloc(8 * MiB))).toBe(true)
  })
})

test('into a file, and a dry run that writes none', async () => {
  const file = project.at('restored')
  succeeded(await site.restore(version, `file=${file}`, 'dry-run=true'))
  expect(() => readFileSync(file)).toThrow('ENOENT')
  succeeded(await site.restore(version, `file=${file}`))
  expect(readFileSync(file).equals(content)).toBe(true)
  expect(refusal(await site.restore(version, `file=${file}`))).toBe('VOLUME_THERE')
})

// Last: it damages the version.
test('C2: a damaged block is no restore, although Benji says so, and the version is refused from then on', async () => {
  const [block = ''] = benji.blocks()
  benji.damage(block)
  const image = volumes.nameImage('damaged')
  expect(refusal(await site.restore(version, `image=${image}`))).toBe('VOLUME_RESTORE_DAMAGED')
  // It may still be the best that there is.
  expect((await readImage(image)).length).toBe(content.length)
  expect(await benji.ls('status == "invalid"')).toMatchObject([{ uid: version, protected: false }])
  expect(refusal(await site.restore(version, `image=${image}`))).toBe('VOLUME_VERSION_DOUBTFUL')
})
