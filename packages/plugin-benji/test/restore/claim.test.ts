import { expect, test } from 'vitest'
import { addClaim, cephCsi, volumeObject } from '../support/claims.ts'
import type { FakeBenji } from '../support/fake-benji.ts'
import { addStorageClass, provision, restoreRun, type RestoreRun } from '../support/restore-run.ts'

const labels = {
  'benji-backup.me/instance': 'benji-east',
  'benji-backup.me/ceph-pool': 'rbd',
  'benji-backup.me/ceph-namespace': '',
  'benji-backup.me/ceph-rbd-image': 'csi-vol-1',
  'benji-backup.me/k8s-pvc-namespace': 'web',
  'benji-backup.me/k8s-pvc': 'data',
  'holdfast.dev/storage-class': 'ceph-block',
  'holdfast.dev/access-modes': 'ReadWriteOnce+ReadOnlyMany',
  'holdfast.dev/volume-mode': 'Block',
}

const contents = { 0: 'first', 2: 'third' }

/** A run with a version `u-1` of the claim web/data, 16 MiB. */
async function withVersion(
  version: Partial<Parameters<FakeBenji['add']>[0]> = {},
  options: Parameters<typeof restoreRun>[0] = {},
): Promise<RestoreRun> {
  const run = await restoreRun(options)
  addStorageClass(run.server, 'ceph-block')
  run.benji.add({ volume: 'web/data', contents, labels, ...version })
  return run
}

/** A bound claim web/data with old data in its image. */
function addOld(
  run: RestoreRun,
  more: Partial<Parameters<typeof addClaim>[1]> & { readonly bytes?: number; readonly written?: boolean } = {},
): void {
  const { bytes = 2 ** 30, written: isWritten = false, ...claim } = more
  run.ceph.create('rbd/csi-vol-1', { size: bytes, contents: isWritten ? { 0: 'old', 1: 'old' } : {} })
  addClaim(run.server, { name: 'data', source: cephCsi('csi-vol-1') as Record<string, unknown>, ...claim })
}

function claimIn({ server }: RestoreRun, name = 'restored', namespace = 'web') {
  return server.objects.get('pvc', namespace, name)
}

/** The image behind a claim. */
function imageOf(run: RestoreRun, name: string): string {
  const { volumeName } = claimIn(run, name)!['spec'] as { readonly volumeName: string }
  const { csi } = run.server.objects.get('pv', '', volumeName)!['spec'] as {
    readonly csi: { readonly volumeAttributes: { readonly imageName: string } }
  }
  return `rbd/${csi.volumeAttributes.imageName}`
}

function written({ benji }: RestoreRun): readonly string[] {
  return benji.calls.filter((call) => call.startsWith('restore'))
}

test('K33: a new claim is made as the old one was, waited for, and has what was backed up', async () => {
  const run = await withVersion()
  const where = await run.restore('u-1', { pvc: 'restored' })
  const image = imageOf(run, 'restored')
  expect(where).toEqual({ claim: 'web/restored', image })
  expect(claimIn(run)?.['spec']).toMatchObject({
    storageClassName: 'ceph-block',
    accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
    volumeMode: 'Block',
    resources: { requests: { storage: '16Mi' } },
  })
  expect(Object.fromEntries(run.ceph.image(image).contents)).toEqual(contents)
  expect(written(run)).toEqual([`restore --sparse --force -- u-1 rbd:${image}`])
  expect(run.events()).toEqual([
    expect.stringMatching(
      /^Normal SuccessfulRestore web\/restored: Restore of u-1 completed successfully \(took \d+ seconds\)\.$/,
    ),
  ])
})

test('K34: it is written through the io and as the user that backups use, and success and failure are Events', async () => {
  const engine = { io: 'ceph', ceph: { user: 'backup', keyring: '/k' } }
  const run = await withVersion({}, { engine })
  run.benji.badDays.next('restore', { at: 'written', exit: 74 })
  addOld(run)
  await run.failure('u-1', { pvc: 'data' })
  // The half that was written is data, too.
  await run.restore('u-1', { pvc: 'data' }, true)
  const call = 'restore --force -- u-1 ceph:rbd/csi-vol-1?client_identifier=backup&keyring=%2Fk'
  expect(written(run)).toEqual([call, call])
  expect(run.events().toSorted()).toEqual([
    expect.stringMatching(/^Normal SuccessfulRestore web\/data: /),
    expect.stringMatching(/^Warning FailedRestore web\/data: Restore of u-1 failed: .*a bad day \(74\)/),
  ])
})

test('K33: storage class and size can be said; a size is rounded up to whole MiB', async () => {
  const run = await withVersion({ labels: { 'benji-backup.me/instance': 'benji-east' } })
  addStorageClass(run.server, 'fast')
  await run.restore('u-1', { pvc: 'shop/restored', storageClass: 'fast', size: '20000000' })
  expect(claimIn(run, 'restored', 'shop')?.['spec']).toMatchObject({
    storageClassName: 'fast',
    accessModes: ['ReadWriteOnce'],
    volumeMode: 'Filesystem',
    resources: { requests: { storage: '20Mi' } },
  })
})

test('K33: without a recorded storage class the cluster’s default is taken', async () => {
  const run = await withVersion({ labels: {} })
  addStorageClass(run.server, 'standard', { isDefault: true })
  await run.restore('u-1', { pvc: 'restored' })
  expect(claimIn(run, 'restored', 'backup')?.['spec']).toMatchObject({ storageClassName: 'standard' })
})

test.for([
  [
    'its storage class does not exist',
    { storageClass: 'nowhere' },
    'VOLUME_STORAGE_CLASS',
    'there is no storage class nowhere',
  ],
  [
    'its storage class makes no RBD images',
    { storageClass: 'ebs' },
    'VOLUME_STORAGE_CLASS',
    'makes no RBD images (ebs.csi.aws.com)',
  ],
  [
    'claims of its storage class wait for a pod',
    { storageClass: 'late' },
    'VOLUME_WAITS_FOR_POD',
    'WaitForFirstConsumer',
  ],
  ['it would be too small', { size: '15Mi' }, 'VOLUME_TOO_SMALL', 'has 15 MiB, and the version needs 16 MiB'],
] as const)('fault F45, K33: a claim is not made when %s', async ([, options, code, text]) => {
  const run = await withVersion()
  addStorageClass(run.server, 'ebs', { provisioner: 'ebs.csi.aws.com' })
  addStorageClass(run.server, 'late', { waits: true })
  const error = await run.failure('u-1', { pvc: 'restored', ...options }, true)
  expect(error).toMatchObject({ code })
  expect(error.message).toContain(text)
  expect(claimIn(run)).toBeUndefined()
  expect(written(run)).toEqual([])
  expect(run.benji.calls.filter((call) => call.startsWith('protect'))).toEqual([])
})

test('fault F45: without any default storage class, it says so', async () => {
  const run = await withVersion({ labels: {} })
  const error = await run.failure('u-1', { pvc: 'restored' })
  expect(error.message).toBe("the claim backup/restored can't be made: the cluster has no default storage class")
})

test('fault F45, K33: a claim that is not bound in time is removed again', async () => {
  const run = await withVersion({}, { provisioner: undefined })
  const error = await run.failure('u-1', { pvc: 'restored', wait: '10s' })
  expect(error).toMatchObject({ code: 'VOLUME_NOT_BOUND' })
  expect(error.message).toContain('it is still Pending after 10.0 s')
  expect(claimIn(run)).toBeUndefined()
  expect(run.said('warn')).toContain('the claim web/restored is removed: what was restored into it is not complete')
  expect(run.benji.version('u-1').protected).toBe(false)
})

test('K33: a slow provisioner is waited for', async () => {
  const late = (run: Parameters<typeof provision>[0] & Pick<RestoreRun, 'test'>): void => {
    if (run.test.clock.now().getTime() > Date.parse('2026-01-01T00:00:45Z')) provision(run)
  }
  const run = await withVersion({}, { provisioner: late })
  await run.restore('u-1', { pvc: 'restored' })
  expect(Object.fromEntries(run.ceph.image(imageOf(run, 'restored')).contents)).toEqual(contents)
})

test('K33: a claim that was made is removed when Benji fails, and the version is let go', async () => {
  const run = await withVersion()
  run.benji.badDays.next('restore', { at: 'written', exit: 74 })
  const error = await run.failure('u-1', { pvc: 'restored' })
  expect(error).toMatchObject({ code: 'VOLUME_RESTORE_FAILED' })
  expect(error.hint).toContain('the claim web/restored, which was made for it, is removed')
  expect(claimIn(run)).toBeUndefined()
  expect(run.benji.version('u-1').protected).toBe(false)
  expect(run.events()).toEqual([expect.stringContaining('Warning FailedRestore web/restored: Restore of u-1 failed: ')])
})

test('K33: a claim of the same name that somebody else made meanwhile is not removed', async () => {
  const run = await withVersion(
    {},
    {
      provisioner({ server }) {
        const made = server.objects.get('pvc', 'web', 'restored')
        if (!made?.metadata.annotations) return
        server.objects.remove('pvc', 'web', 'restored')
        addClaim(server, { name: 'restored', pv: null, phase: 'Pending' })
      },
    },
  )
  const error = await run.failure('u-1', { pvc: 'restored' })
  expect(error).toMatchObject({ code: 'VOLUME_NOT_BOUND' })
  expect(error.message).toContain('it was removed meanwhile')
  expect(claimIn(run)).toBeDefined()
})

test('a new claim that was bound to a volume which was there before is written in full', async () => {
  const run = await withVersion(
    {},
    {
      provisioner({ server, ceph }) {
        const made = server.objects.get('pvc', 'web', 'restored')
        if (!made || (made['spec'] as { readonly volumeName?: string }).volumeName) return
        ceph.create('rbd/static', { size: 2 ** 30, contents: { 1: 'old' } })
        const claimRef = { namespace: 'web', name: 'restored', uid: made.metadata.uid }
        const source = cephCsi('static') as Record<string, unknown>
        server.objects.put(volumeObject('static', { ...source, capacity: { storage: '1Gi' }, claimRef }))
        server.objects.put({
          ...made,
          spec: { ...(made['spec'] as object), volumeName: 'static' },
          status: { phase: 'Bound' },
        })
      },
    },
  )
  await run.restore('u-1', { pvc: 'restored' })
  expect(written(run)).toEqual(['restore --force -- u-1 rbd:rbd/static'])
  expect(Object.fromEntries(run.ceph.image('rbd/static').contents)).toEqual(contents)
})

test('K31: an existing claim that holds data is overwritten with force only', async () => {
  const run = await withVersion()
  addOld(run, { written: true })
  const before = Object.fromEntries(run.ceph.image('rbd/csi-vol-1').contents)
  expect(await run.failure('u-1', { pvc: 'data' })).toMatchObject({ code: 'VOLUME_HOLDS_DATA' })
  expect(written(run)).toEqual([])
  expect(Object.fromEntries(run.ceph.image('rbd/csi-vol-1').contents)).toEqual(before)
})

test('an existing claim that nobody has written to needs no force', async () => {
  const run = await withVersion()
  addOld(run)
  for (const object of run.ceph.image('rbd/csi-vol-1').contents.keys())
    run.ceph.write('rbd/csi-vol-1', object, undefined)
  expect(await run.restore('u-1', { pvc: 'data' })).toMatchObject({ claim: 'web/data' })
  expect(Object.fromEntries(run.ceph.image('rbd/csi-vol-1').contents)).toEqual(contents)
})

test('an existing claim that nobody uses is overwritten with force, zeros included', async () => {
  const run = await withVersion()
  addOld(run, { written: true })
  expect(await run.restore('u-1', { pvc: 'data' }, true)).toEqual({ claim: 'web/data', image: 'rbd/csi-vol-1' })
  expect(Object.fromEntries(run.ceph.image('rbd/csi-vol-1').contents)).toEqual(contents)
  expect(written(run)).toEqual(['restore --force -- u-1 rbd:rbd/csi-vol-1'])
  expect(run.said('warn')).toEqual([expect.stringContaining('the claim web/data has 1 GiB, the version 16 MiB')])
})

test('a claim that is there is not made, so storage class and size are refused', async () => {
  const run = await withVersion()
  addOld(run)
  expect(await run.failure('u-1', { pvc: 'data', size: '1Gi' })).toMatchObject({ code: 'VOLUME_PLACE' })
  expect(written(run)).toEqual([])
})

test('K31, F45: a claim that a pod mounts is not overwritten without force', async () => {
  const run = await withVersion()
  addOld(run, { written: true })
  const mount = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] }
  const pod = (name: string, phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed', namespace = 'web'): void =>
    void run.server.addPod({ name, namespace, phase, containers: [{ name: 'app' }], spec: mount })
  pod('done', 'Succeeded')
  pod('crashed', 'Failed')
  pod('elsewhere', 'Running', 'shop')
  pod('web-0', 'Running')
  pod('web-1', 'Pending')
  const error = await run.failure('u-1', { pvc: 'data' })
  expect(error).toMatchObject({ code: 'VOLUME_IN_USE' })
  expect(error.message).toBe('the claim web/data is in use by the pods web-0, web-1')
  expect(run.benji.calls.filter((call) => call.startsWith('protect'))).toEqual([])
  expect(run.ceph.image('rbd/csi-vol-1').contents.get(0)).toBe('old')
  run.server.objects.remove('pods', 'web', 'web-0')
  await run.restore('u-1', { pvc: 'data' }, true)
  expect(run.said('warn')).toContain('the claim web/data is in use by the pod web-1, and is overwritten all the same')
  run.server.objects.remove('pods', 'web', 'web-1')
  // Nobody uses it any more, and what it holds still counts.
  expect(await run.failure('u-1', { pvc: 'data' })).toMatchObject({ code: 'VOLUME_HOLDS_DATA' })
})

test('K31: nor one of a generic ephemeral volume, nor one whose image somebody has open', async () => {
  const run = await withVersion()
  addOld(run, { name: 'web-0-scratch' })
  const scratch = { volumes: [{ name: 'scratch', ephemeral: {} }] }
  run.server.addPod({ name: 'web-0', namespace: 'web', containers: [{ name: 'app' }], spec: scratch })
  expect((await run.failure('u-1', { pvc: 'web-0-scratch' })).message).toContain('is in use by the pod web-0')
  run.server.objects.remove('pods', 'web', 'web-0')
  run.ceph.image('rbd/csi-vol-1').watchers.push('10.0.0.7:0/1')
  expect((await run.failure('u-1', { pvc: 'web-0-scratch' })).message).toContain(
    'is in use by a client at 10.0.0.7:0/1',
  )
  await run.restore('u-1', { pvc: 'web-0-scratch' }, true)
})

test('K31: a pod that comes while the restore gets ready keeps the claim from being overwritten', async () => {
  const run = await withVersion()
  addOld(run)
  // Protecting the version comes after the first look.
  run.benji.badDays.next('protect', { late: '2s' })
  const error = run.failure('u-1', { pvc: 'data' })
  while (!run.benji.calls.some((call) => call.startsWith('protect'))) await run.drive(Promise.resolve())
  const mount = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] }
  run.server.addPod({ name: 'web-0', namespace: 'web', containers: [{ name: 'app' }], spec: mount })
  expect(await error).toMatchObject({ code: 'VOLUME_IN_USE' })
  expect(run.ceph.image('rbd/csi-vol-1').contents.size).toBe(0)
  expect(run.benji.version('u-1').protected).toBe(false)
})

test('K32: room is what image and PersistentVolume have, not what the claim’s status says; no force helps', async () => {
  const run = await withVersion()
  addOld(run, { bytes: 8 * 2 ** 20, size: '1Gi' })
  const image = await run.failure('u-1', { pvc: 'data' }, true)
  expect(image).toMatchObject({ code: 'VOLUME_TOO_SMALL' })
  expect(image.message).toBe('the claim web/data has 8 MiB, and the version needs 16 MiB')
  addOld(run, { bytes: 2 ** 30, size: '12Mi' })
  expect((await run.failure('u-1', { pvc: 'data' }, true)).message).toContain('has 12 MiB')
  expect(written(run)).toEqual([])
})

test('K32: a claim that is still pending is waited for, and one that waits for a pod is refused', async () => {
  const run = await withVersion()
  addStorageClass(run.server, 'late', { waits: true })
  addClaim(run.server, { name: 'waits', pv: null, phase: 'Pending', spec: { storageClassName: 'late' } })
  // Its provisioner would bind it; it is not asked.
  expect(await run.failure('u-1', { pvc: 'waits' })).toMatchObject({ code: 'VOLUME_WAITS_FOR_POD' })
  addClaim(run.server, { name: 'soon', pv: null, phase: 'Pending' })
  await run.restore('u-1', { pvc: 'soon' })
  expect(Object.fromEntries(run.ceph.image(imageOf(run, 'soon')).contents)).toEqual(contents)
})

test.for([
  ['is lost', { phase: 'Lost', source: null }, 'has lost its PersistentVolume'],
  ['has lost its volume', { source: null }, 'pv-data does not exist'],
  ['is no RBD', { source: { hostPath: { path: '/x' } } }, 'not RBD: a volume of type hostPath'],
  ['has no image', { source: cephCsi('gone') as Record<string, unknown> }, 'there is no image rbd/gone'],
] as const)('fault F45: an existing claim that %s is refused', async ([, claim, text]) => {
  const run = await withVersion()
  addClaim(run.server, { name: 'data', ...claim })
  const error = await run.failure('u-1', { pvc: 'data' }, true)
  expect(error).toMatchObject({ code: 'VOLUME_PLACE' })
  expect(error.message).toContain(text)
})

test('K31: an incomplete version is never restored, an invalid or doubtful one only with force', async () => {
  const run = await withVersion()
  addOld(run, { written: true })
  run.benji.add({ uid: 'half', volume: 'web/data', status: 'incomplete', labels })
  run.benji.add({ uid: 'bad', volume: 'web/data', status: 'invalid', labels, contents })
  run.benji.add({
    uid: 'differs',
    volume: 'web/data',
    labels: { ...labels, 'holdfast.dev/source-mismatch': 'block-3' },
    contents,
  })
  for (const force of [false, true]) {
    expect(await run.failure('half', { pvc: 'data' }, force)).toMatchObject({ code: 'VOLUME_VERSION_INCOMPLETE' })
  }
  const bad = await run.failure('bad', { pvc: 'data' })
  expect(bad).toMatchObject({
    code: 'VOLUME_VERSION_DOUBTFUL',
    message: 'version bad is invalid: a scrub or a restore found damage',
  })
  const differs = await run.failure('differs', { pvc: 'data' })
  expect(differs.message).toBe('version differs differed from its source (block-3)')
  expect(await run.failure('nowhere', { pvc: 'data' })).toMatchObject({ code: 'VOLUME_VERSION_GONE' })
  expect(run.ceph.image('rbd/csi-vol-1').contents.get(0)).toBe('old')
  await run.restore('bad', { pvc: 'data' }, true)
  await run.restore('differs', { pvc: 'data' }, true)
})

test('C2, K31: wrong checksums are an error, although Benji calls it a success, and what was written stays', async () => {
  const run = await withVersion()
  run.benji.damage('u-1', 2)
  const error = await run.failure('u-1', { pvc: 'restored' })
  expect(error).toMatchObject({ code: 'VOLUME_RESTORE_DAMAGED' })
  expect(error.message).toContain('version u-1 was written to the claim web/restored, but it is damaged')
  expect(error.message).toContain('Checksum mismatch during restore for block 2')
  expect(claimIn(run)).toBeDefined()
  expect(run.events()).toEqual([expect.stringContaining('Warning FailedRestore web/restored')])
})

test('C2: the version’s status is read again, whatever the log said', async () => {
  const run = await withVersion()
  addOld(run)
  run.benji.damage('u-1', 2)
  run.benji.badDays.next('restore', { stderr: () => '' })
  const error = await run.failure('u-1', { pvc: 'data' })
  expect(error).toMatchObject({ code: 'VOLUME_RESTORE_DAMAGED' })
  expect(error.message).toContain('the version was valid, and is invalid now')
})

test('K35: the version is protected while it is read, against a retention that runs meanwhile', async () => {
  const run = await withVersion()
  addOld(run)
  run.benji.badDays.next('restore', { at: 'locked', late: '5s' })
  const where = run.restore('u-1', { pvc: 'data' })
  while (written(run).length === 0) await run.drive(Promise.resolve())
  expect(run.benji.version('u-1').protected).toBe(true)
  await where
  expect(run.benji.version('u-1').protected).toBe(false)
})

test('K35: a version that somebody had protected stays protected', async () => {
  const run = await withVersion({ protected: true })
  addOld(run)
  await run.restore('u-1', { pvc: 'data' })
  expect(run.benji.version('u-1').protected).toBe(true)
  expect(run.benji.calls.filter((call) => /^(un)?protect/.test(call))).toEqual([])
})

test('K33, K35: after kill -9 the claim is removed and the version let go', async () => {
  const run = await withVersion()
  run.benji.badDays.next('restore', { at: 'written', hangs: 'stubborn' })
  void run.restore('u-1', { pvc: 'restored' }).catch(() => {})
  while (written(run).length === 0) await run.drive(Promise.resolve())
  expect(claimIn(run)).toBeDefined()
  await run.test.restart()
  await run.drive(run.test.engine.recover())
  expect(claimIn(run)).toBeUndefined()
  expect(run.benji.version('u-1').protected).toBe(false)
})

test('K34: a dry run says what would be done, and does nothing', async () => {
  const run = await withVersion()
  addOld(run)
  const steps = [
    'protect version u-1 as long as it is read',
    'make the claim web/restored: 16 MiB, storage class ceph-block, ReadWriteOnce and ReadOnlyMany, Block',
    'wait until it is bound to a volume',
    'write 16 MiB to its image, which is new',
    'check that no block of u-1 was damaged',
  ]
  expect(await run.restore('u-1', { pvc: 'restored', 'dry-run': 'true' })).toEqual({ dryRun: steps })
  // So does the look before a restore.
  expect(await run.check('u-1', { pvc: 'restored' })).toEqual(steps)
  expect(await run.restore('u-1', { pvc: 'data', 'dry-run': 'true' })).toMatchObject({
    dryRun: expect.arrayContaining(['write 16 MiB over the claim web/data (rbd/csi-vol-1)']),
  })
  expect(claimIn(run)).toBeUndefined()
  expect(run.server.requests.filter(({ method }) => method !== 'GET')).toEqual([])
  expect(run.benji.calls.every((call) => call.startsWith('ls'))).toBe(true)
})

test('a dry run is refused for what the restore would be refused for', async () => {
  const run = await withVersion({ status: 'invalid' })
  expect(await run.failure('u-1', { pvc: 'restored', 'dry-run': 'true' })).toMatchObject({
    code: 'VOLUME_VERSION_DOUBTFUL',
  })
  await expect(run.check('u-1', { pvc: 'restored' })).rejects.toMatchObject({ code: 'VOLUME_VERSION_DOUBTFUL' })
})

test('without Kubernetes there are no claims', async () => {
  const run = await withVersion({}, { alone: true })
  const error = await run.failure('u-1', { pvc: 'data' })
  expect(error).toMatchObject({ code: 'DISCOVERY_NO_KUBERNETES' })
})

test('a claim that we may not make is the engine’s error, and nothing stays', async () => {
  const run = await withVersion()
  run.server.authorize.deny({ verb: 'create', resource: 'persistentvolumeclaims' })
  expect(await run.failure('u-1', { pvc: 'restored' })).toMatchObject({ code: 'KUBERNETES_FORBIDDEN' })
  expect(run.benji.version('u-1').protected).toBe(false)
})

test('K33: a claim whose making got no answer is removed, too', async () => {
  const run = await withVersion()
  run.server.misbehave({ method: 'POST', path: /persistentvolumeclaims$/, times: 1 }, 'lost-answer')
  expect(await run.failure('u-1', { pvc: 'restored' })).toMatchObject({ code: expect.stringContaining('KUBERNETES_') })
  expect(claimIn(run)).toBeUndefined()
})
