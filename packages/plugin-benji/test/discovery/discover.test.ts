import { definePlugin, type Target } from '@holdfast/sdk'
import { createTestRun, startFakeKubernetes, type FakeKubernetes, type TestRun } from '@holdfast/testing'
import { expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { errors } from '../../src/errors.ts'
import { discoverVolumes } from '../../src/discovery/discover.ts'
import type { VolumeSelection } from '../../src/discovery/selection.ts'
import type { Volume } from '../../src/target.ts'
import { addClaim, cephCsi, volumeObject } from '../support/claims.ts'

/** What every plan with volumes does with its targets. */
const volumes = definePlugin({
  name: 'volumes',
  version: '1.0.0',
  sdk: '^1.0',
  config: z.custom<VolumeSelection>(),
  targets: (ctx) => discoverVolumes(ctx, ctx.config),
  hooks: {
    async backups(ctx) {
      const { refused, image } = ctx.target.data
      if (refused?.as === 'skipped') ctx.skip(refused.reason)
      if (refused) throw errors.VOLUME_UNUSABLE({ volume: ctx.target.id, reason: refused.reason })
      await ctx.createArtifact('image', (sink) => sink.write(Buffer.from(JSON.stringify(image))))
    },
  },
})

interface Cluster {
  readonly server: FakeKubernetes
  run(selection: VolumeSelection): Promise<{ readonly test: TestRun } & Awaited<ReturnType<TestRun['run']>>>
  discover(selection: VolumeSelection): Promise<readonly Target<Volume>[]>
  readonly warnings: readonly string[]
}

async function cluster(namespace = 'backup'): Promise<Cluster> {
  const server = await startFakeKubernetes({ namespace })
  onTestFinished(() => server[Symbol.asyncDispose]())
  const warnings: string[] = []
  const start = async (selection: VolumeSelection): Promise<TestRun> => {
    const run = await createTestRun({ use: [volumes(selection)], cluster: server })
    onTestFinished(() => run.close())
    return run
  }
  return {
    server,
    warnings,
    async run(selection) {
      const run = await start(selection)
      const result = await run.run()
      for (const line of run.log) if (line.includes('"warn"')) warnings.push((JSON.parse(line) as { msg: string }).msg)
      return { test: run, ...result }
    },
    async discover(selection) {
      const { services } = (await start(selection)).engine
      const { signal } = new AbortController()
      const log = { ...silent, warn: (message: string) => void warnings.push(message) }
      const found: Target<Volume>[] = []
      for await (const target of discoverVolumes({ kubernetes: services.kubernetes, log, signal }, selection))
        found.push(target)
      return found
    },
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

test('a claim is a target with its image, its labels, and itself as what events are about', async () => {
  const { server, discover } = await cluster()
  addClaim(server, {
    name: 'data',
    annotations: { 'benji-backup.me/fsfreeze': 'yes' },
    source: cephCsi('csi-vol-1', { pool: 'fast', radosNamespace: 'tenant' }) as Record<string, unknown>,
    size: '1.5Gi',
  })
  const uid = server.objects.get('pvc', 'web', 'data')?.metadata.uid
  expect(await discover({ namespaces: ['web'] })).toEqual([
    {
      id: 'web/data',
      labels: { pvc_namespace: 'web', pvc: 'data' },
      object: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'web', name: 'data', uid },
      data: {
        volume: 'web/data',
        claim: {
          namespace: 'web',
          name: 'data',
          uid,
          pv: 'pv-data',
          storageClass: 'ceph-block',
          accessModes: ['ReadWriteOnce'],
          volumeMode: 'Filesystem',
          freeze: true,
          capacity: 1_610_612_736,
        },
        image: { pool: 'fast', namespace: 'tenant', name: 'csi-vol-1' },
      },
    },
  ])
})

test('K5: a claim without annotations is a claim like any other, and only an exact "yes" asks for a freeze', async () => {
  const { server, discover } = await cluster()
  addClaim(server, { name: 'none' })
  addClaim(server, { name: 'true', annotations: { 'benji-backup.me/fsfreeze': 'true' } })
  expect((await discover({ all: true })).map(({ data }) => data.claim?.freeze)).toEqual([false, false])
})

test('fault F39, K12, B8: each claim that has nothing to back up fails or is skipped with its reason, the rest go on', async () => {
  const { server, run } = await cluster()
  const of = (name: string, more: object = {}): void => addClaim(server, { name, ...more })
  of('bound')
  of('pending', { pv: null, phase: 'Pending' })
  of('pending-elsewhere', {
    pv: null,
    phase: 'Pending',
    annotations: { 'volume.kubernetes.io/storage-provisioner': 'ebs.csi.aws.com' },
  })
  of('lost', { phase: 'Lost', source: null })
  of('gone', { source: null })
  of('released', { pvPhase: 'Released' })
  of('failed', { pvPhase: 'Failed' })
  of('of-another', { claimRef: { name: 'other' } })
  of('of-an-earlier', { claimRef: { uid: 'another' } })
  of('no-image', {
    source: { csi: { driver: 'rbd.csi.ceph.com', volumeHandle: 'csi-rbd-vol-1', volumeAttributes: { pool: 'rbd' } } },
  })
  of('no-pool', {
    source: { csi: { driver: 'rook-ceph.rbd.csi.ceph.com', volumeHandle: 'h', volumeAttributes: { imageName: 'i' } } },
  })
  of('host-path', { source: { hostPath: { path: '/data' } } })
  of('cephfs', { source: { csi: { driver: 'rook-ceph.cephfs.csi.ceph.com', volumeHandle: 'h' } } })
  of('flex', { source: { flexVolume: { driver: 'other.io/x' } } })
  of('new-kind', { source: { quantum: {} } })
  of('released-elsewhere', { pvPhase: 'Released', source: { nfs: { server: 's', path: '/' } } })
  const { outcome } = await run({ namespaces: ['web'] })
  const reasons = Object.fromEntries(
    outcome.targets.map(({ target, status, reason, error }) => [
      target.id.slice('web/'.length),
      `${status}${status === 'succeeded' ? '' : `: ${reason ?? String(error?.details['reason'])}`}`,
    ]),
  )
  expect(outcome.status).toBe('partial')
  expect(reasons).toEqual({
    bound: 'succeeded',
    pending:
      'failed: the claim of storage class ceph-block is not bound to a volume (Pending); it has nothing that could be backed up',
    'pending-elsewhere': 'skipped: not RBD: its volumes are made by ebs.csi.aws.com',
    lost: 'failed: the claim has lost its PersistentVolume pv-lost (Lost)',
    gone: 'failed: its PersistentVolume pv-gone does not exist',
    released: 'failed: its PersistentVolume pv-released is Released',
    failed: 'failed: its PersistentVolume pv-failed is Failed',
    'of-another': 'failed: its PersistentVolume pv-of-another belongs to the claim web/other',
    'of-an-earlier': 'failed: its PersistentVolume pv-of-an-earlier belongs to an earlier claim of this name',
    'no-image':
      "failed: its PersistentVolume is RBD's, but spec.csi (volumeHandle csi-rbd-vol-1) says no image, and its name can't be told from anything else",
    'no-pool': "failed: its PersistentVolume is RBD's, but spec.csi (volumeHandle h) says no pool",
    'host-path': 'skipped: not RBD: a volume of type hostPath',
    cephfs: 'skipped: not RBD: a volume of rook-ceph.cephfs.csi.ceph.com',
    flex: 'skipped: not RBD: a flexVolume of other.io/x',
    'new-kind': 'skipped: not RBD: a volume of type quantum',
    'released-elsewhere': 'skipped: not RBD: a volume of type nfs',
  })
})

test('fault F40, B9: a named claim that does not exist fails, and says so', async () => {
  const { server, run } = await cluster()
  addClaim(server, { name: 'data' })
  addClaim(server, { name: 'own', namespace: 'backup' })
  const { outcome } = await run({ pvcs: ['web/data', 'web/typo', 'own', 'nowhere/data'] })
  expect(outcome.status).toBe('partial')
  expect(outcome.targets.map(({ target, status, error }) => [target.id, status, error?.details['reason']])).toEqual([
    ['web/data', 'succeeded', undefined],
    ['web/typo', 'failed', 'there is no PersistentVolumeClaim typo in the namespace web'],
    ['backup/own', 'succeeded', undefined],
    ['nowhere/data', 'failed', 'there is no PersistentVolumeClaim data in the namespace nowhere'],
  ])
})

test('fault F40: nothing selected is a failure, and a namespace without claims is named', async () => {
  const { server, run, warnings } = await cluster()
  addClaim(server, { name: 'data', labels: { tier: 'web' } })
  const { outcome } = await run({ namespaces: ['web'], selector: 'tier in (db,queue)' })
  expect(outcome.status).toBe('failed')
  expect(warnings).toContain('no PersistentVolumeClaim in the namespace web is selected')
})

test('labels and fields select, in one namespace, in several and in all', async () => {
  const { server, discover } = await cluster()
  for (const namespace of ['a', 'b', 'c']) {
    addClaim(server, { namespace, name: 'db', pv: `${namespace}-db`, labels: { tier: 'db' } })
    addClaim(server, { namespace, name: 'queue', pv: `${namespace}-queue`, labels: { tier: 'queue' } })
    addClaim(server, { namespace, name: 'web', pv: `${namespace}-web` })
  }
  const ids = async (selection: VolumeSelection): Promise<string[]> => (await discover(selection)).map(({ id }) => id)
  expect(await ids({ all: true })).toHaveLength(9)
  expect(await ids({ namespaces: ['a'], selector: 'tier' })).toEqual(['a/db', 'a/queue'])
  expect(await ids({ namespaces: ['b', 'a', 'b'], selector: 'tier=db' })).toEqual(['b/db', 'a/db'])
  expect(await ids({ all: true, fieldSelector: 'metadata.name=web' })).toEqual(['a/web', 'b/web', 'c/web'])
  expect(await ids({ pvcs: ['c/web', 'c/web', 'a/db'] })).toEqual(['c/web', 'a/db'])
})

test('two claims of one image are both kept, and it is said', async () => {
  const { server, discover, warnings } = await cluster()
  const source = cephCsi('shared', { staticVolume: 'true' }) as Record<string, unknown>
  addClaim(server, { name: 'one', source })
  addClaim(server, { name: 'two', source })
  expect((await discover({ namespaces: ['web'] })).map(({ id }) => id)).toEqual(['web/one', 'web/two'])
  expect(warnings).toEqual([
    'web/one and web/two are the same image, rbd/shared: each is backed up, and has the same data',
  ])
})

test('images need no Kubernetes: nothing is asked of it', async () => {
  const { server, discover } = await cluster()
  const found = await discover({ images: ['rbd/one', 'rbd//one', 'rbd/tenant/two'] })
  expect(found.map(({ id, data, labels, object }) => ({ id, image: data.image, labels, object }))).toEqual([
    { id: 'rbd/one', image: { pool: 'rbd', namespace: '', name: 'one' }, labels: {}, object: undefined },
    { id: 'rbd/tenant/two', image: { pool: 'rbd', namespace: 'tenant', name: 'two' }, labels: {}, object: undefined },
  ])
  expect(server.requests).toEqual([])
})

test('without Kubernetes, claims are an error with a way out, and images are not', async () => {
  const claims = await createTestRun({ use: [volumes({ namespaces: ['web'], images: ['rbd/one'] })] })
  onTestFinished(() => claims.close())
  const { outcome } = await claims.run()
  expect(outcome).toMatchObject({ status: 'failed', error: { code: 'DISCOVERY_NO_KUBERNETES' } })
  expect(outcome.error?.message).toBe("the claims of web can't be looked up: there is no Kubernetes here")
  const images = await createTestRun({ use: [volumes({ images: ['rbd/one'] })] })
  onTestFinished(() => images.close())
  expect((await images.run()).outcome.status).toBe('succeeded')
})

test('what the API refuses is said as the engine says it', async () => {
  const { server, run } = await cluster()
  addClaim(server, { name: 'data' })
  server.authorize.deny({ verb: 'list', resource: 'persistentvolumeclaims' })
  const { outcome } = await run({ all: true })
  expect(outcome).toMatchObject({ status: 'failed', error: { code: 'KUBERNETES_FORBIDDEN' } })
  expect(outcome.error?.message).toContain('persistentvolumeclaims')
})

test('K37, F39: 10,000 claims take fewer than 50 requests and 5 seconds', { timeout: 60_000 }, async () => {
  const { server, discover } = await cluster()
  for (let i = 0; i < 10_000; i++) {
    const pv = `pv-${i}`
    const uid = `uid-${i}`
    server.objects.put({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: `data-${i}`, namespace: `team-${i % 100}`, uid },
      spec: { volumeName: pv, accessModes: ['ReadWriteOnce'], storageClassName: 'ceph-block' },
      status: { phase: 'Bound', capacity: { storage: '1Gi' } },
    })
    const claimRef = { namespace: `team-${i % 100}`, name: `data-${i}`, uid }
    server.objects.put(volumeObject(pv, { ...cephCsi(`csi-vol-${i}`), claimRef }))
  }
  // What it computes, the server included: how long it takes depends on who else uses the machine.
  const began = process.cpuUsage()
  const found = await discover({ all: true })
  const { user, system } = process.cpuUsage(began)
  expect(found).toHaveLength(10_000)
  expect(found.every(({ data }) => data.image !== undefined)).toBe(true)
  expect(server.requests.length).toBeLessThan(50)
  expect((user + system) / 1e6).toBeLessThan(5)
})

test('fault F39: a list that expires is begun anew, and no claim is lost or found twice', async () => {
  const { server, discover } = await cluster()
  for (let i = 0; i < 600; i++) addClaim(server, { name: `data-${i}` })
  // A page's `continue` expires: the list begins anew.
  const day = server.misbehave({ path: /persistentvolumes$/, times: 1 }, { status: 410 })
  const found = await discover({ all: true })
  expect(day.hits).toBe(1)
  expect(new Set(found.map(({ id }) => id)).size).toBe(600)
  expect(found.filter(({ data }) => data.refused)).toEqual([])
})

test('many named claims are looked up with lists', async () => {
  const { server, discover } = await cluster()
  for (let i = 0; i < 100; i++) addClaim(server, { name: `data-${i}` })
  const pvcs = Array.from({ length: 101 }, (_, i) => `web/data-${i}`)
  const found = await discover({ pvcs })
  expect(found.map(({ id }) => id)).toEqual(pvcs)
  expect(found.filter(({ data }) => data.refused).map(({ id }) => id)).toEqual(['web/data-100'])
  expect(server.requests).toHaveLength(2)
})
