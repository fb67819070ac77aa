// Claims of a real cluster through a real Benji: which are found, which fail, and what is told of each. With exactly the
// rights that we print for it.
import { randomBytes } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { useSite, volumesConfig } from './support/benji.ts'
import { MiB, snapshotsOf, writeImage } from './support/ceph.ts'
import { getObject } from './support/kubectl.ts'
import { useNamespace } from './support/namespace.ts'
import { useRights } from './support/rights.ts'
import { eventsOf, useVolumes, type VolumeOfClaim } from './support/volumes.ts'

const namespace = useNamespace('claims')
const volumes = useVolumes(namespace)
const createRights = useRights(namespace)
let kubeconfig = ''
const site = useSite({ kubeconfig: () => kubeconfig })
const { benji, project } = site

const asked = { shelf: 'upper' } as const
const made: Record<string, VolumeOfClaim> = {}

beforeAll(async () => {
  // Names in the order in which they are listed.
  made['a-broken'] = await volumes.create('a-broken', { labels: asked, image: `rbd/${namespace}-gone` })
  made['b-good'] = await volumes.create('b-good', { labels: asked })
  await volumes.create('c-elsewhere', { labels: asked, source: { hostPath: { path: '/tmp' } } })
  await volumes.create('d-unbound', { labels: asked, bound: false })
  await volumes.create('e-other', { labels: { shelf: 'lower' } })
  await writeImage(made['b-good'].image, { at: 4 * MiB, bytes: randomBytes(MiB) })
  const use = ['benjiBackup', { namespaces: [namespace], selector: 'shelf in (upper,top)' }] as const
  const plans = { volumes: { use, concurrency: 2 }, again: { use, concurrency: 2 } }
  project.write('holdfast.config.ts', volumesConfig(benji, plans))
  kubeconfig = (await createRights(site)).kubeconfig
})

test('K11, K12: one claim that fails stops no other; each has its state, its reason and its Event', async () => {
  const report = await site.backUp('volumes')
  expect(report).toMatchObject({ code: 4, status: 'partial' })
  const byClaim = Object.fromEntries(report.targets.map((target) => [target.id.slice(namespace.length + 1), target]))
  expect(Object.keys(byClaim).toSorted()).toEqual(['a-broken', 'b-good', 'c-elsewhere', 'd-unbound'])
  expect(byClaim['a-broken']).toMatchObject({ status: 'failed', error: { code: 'RBD_NOT_FOUND' }, points: [] })
  expect(byClaim['b-good']).toMatchObject({ status: 'succeeded', verification: 'verified', points: [{ mode: 'full' }] })
  expect(byClaim['c-elsewhere']).toMatchObject({ status: 'skipped', points: [] })
  expect(byClaim['d-unbound']).toMatchObject({ status: 'failed', error: { code: 'VOLUME_UNUSABLE' }, points: [] })
  const versions = await benji.ls()
  expect(versions).toMatchObject([{ volume: `${namespace}/b-good`, status: 'valid' }])

  const [good] = await eventsOf(namespace, 'b-good')
  const claim = await getObject<{ metadata: { uid: string } }>('pvc', 'b-good', namespace)
  expect(good).toMatchObject({
    type: 'Normal',
    reason: 'SuccessfulBackup',
    metadata: { labels: { 'benji-backup.me/instance': 'benji-k8s' } },
    involvedObject: { kind: 'PersistentVolumeClaim', name: 'b-good', uid: claim?.metadata.uid },
  })
  expect(good?.message).toMatch(
    new RegExp(`^Backup to ${versions[0]?.uid} completed successfully \\(took \\d+ seconds\\)\\.$`),
  )
  expect(await eventsOf(namespace, 'a-broken')).toMatchObject([{ type: 'Warning', reason: 'FailedBackup' }])
  expect(await eventsOf(namespace, 'd-unbound')).toMatchObject([{ type: 'Warning', reason: 'FailedBackup' }])
  for (const each of ['c-elsewhere', 'e-other']) expect(await eventsOf(namespace, each)).toEqual([])
})

test('K9, K38: two plans at once on one image come one after the other, and are both good', async () => {
  const { image = '' } = made['b-good'] ?? {}
  const only = ['--target', `${namespace}/b-good`]
  const both = await Promise.all([site.backUp('volumes', ...only), site.backUp('again', ...only)])
  for (const { code, log } of both) expect({ code, log: code === 0 ? '' : log }).toEqual({ code: 0, log: '' })
  const points = both.flatMap(({ targets }) => targets.flatMap((target) => target.points))
  expect(points.map(({ mode }) => mode)).toEqual(['differential', 'differential'])
  const [newest] = (await benji.ls()).slice(-1)
  expect(await snapshotsOf(image)).toEqual([newest?.snapshot])
})
