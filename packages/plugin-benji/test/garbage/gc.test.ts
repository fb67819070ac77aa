import { startFakeKubernetes, type FakeKubernetes } from '@holdfast/testing'
import { describe, expect, it, vi, onTestFinished } from 'vitest'
import { labelNames } from '../../src/labels.ts'
import { backupRun, type BackupRun } from '../support/backup-run.ts'
import { addClaim, cephCsi } from '../support/claims.ts'

const volume = 'rbd/data'
const labelsOf = (image: string): Readonly<Record<string, string>> => ({
  [labelNames.instance]: 'benji-k8s',
  [labelNames.pool]: 'rbd',
  [labelNames.namespace]: '',
  [labelNames.image]: image,
})

const ofClaim = (image: string, name: string, namespace = 'web'): Readonly<Record<string, string>> => ({
  ...labelsOf(image),
  [labelNames.pvcNamespace]: namespace,
  [labelNames.pvc]: name,
})

async function cluster(): Promise<FakeKubernetes> {
  const server = await startFakeKubernetes({ namespace: 'backup' })
  onTestFinished(() => server[Symbol.asyncDispose]())
  for (const name of ['web', 'shop']) server.objects.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  return server
}

/** What the command prints. */
function printed(): () => string {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => write.mockRestore())
  return () => write.mock.calls.map(([text]) => String(text)).join('')
}

/** An image with a good backup, one that is older, one that nobody knows; and an image whose claim is gone. */
async function littered(): Promise<BackupRun> {
  const run = await backupRun({ cluster: await cluster() })
  run.ceph.create('rbd/gone')
  for (const [image, snapshot, of, labels] of [
    [volume, 'b-2025-12-01T00:00:00Z', volume, labelsOf('data')],
    [volume, 'b-2025-12-02T00:00:00Z', volume, labelsOf('data')],
    ['rbd/gone', 'b-2025-12-03T00:00:00Z', 'web/gone', ofClaim('gone', 'gone')],
  ] as const) {
    run.ceph.snapshot(image, snapshot)
    run.benji.add({ volume: of, uid: snapshot, snapshot, labels })
  }
  run.ceph.snapshot(volume, 'b-2025-12-04T00:00:00Z')
  run.ceph.snapshot(volume, 'before-upgrade')
  return run
}

describe('holdfast benji gc', () => {
  it('K25: lists what was left behind and why, and removes nothing unless somebody says so', async () => {
    const run = await littered()
    const text = printed()
    await expect(run.test.command('gc')).rejects.toMatchObject({ code: 'GC_UNCONFIRMED' })
    expect(text()).toBe(
      [
        'rbd/data@b-2025-12-01T00:00:00Z  rbd/data  a newer snapshot has a good version',
        'rbd/data@b-2025-12-04T00:00:00Z  rbd/data  no version has it: perhaps of another installation, or made by hand; stays without --adopt',
        'rbd/gone@b-2025-12-03T00:00:00Z  web/gone  its claim is gone',
        '',
      ].join('\n'),
    )
    expect(run.ceph.snapshotsOf(volume)).toHaveLength(4)
    expect(await run.test.command('gc', ['--dry-run'])).toBe(0)
    expect(run.ceph.snapshotsOf('rbd/gone')).toHaveLength(1)
  })

  it('with --yes removes what is known to be ours, so that an orphan’s image can be deleted', async () => {
    const run = await littered()
    printed()
    expect(await run.test.command('gc', ['--yes'])).toBe(0)
    expect(run.ceph.snapshotsOf('rbd/gone')).toEqual([])
    expect(run.ceph.snapshotsOf(volume)).toEqual(['b-2025-12-02T00:00:00Z', 'b-2025-12-04T00:00:00Z', 'before-upgrade'])
  })

  it('with --adopt removes those that nobody knows as well, but never one that is not named like a backup’s', async () => {
    const run = await littered()
    printed()
    expect(await run.test.command('gc', ['--yes', '--adopt'])).toBe(0)
    expect(run.ceph.snapshotsOf(volume)).toEqual(['b-2025-12-02T00:00:00Z', 'before-upgrade'])
  })

  it('goes on after a snapshot that can’t be removed, and says so in its exit code', async () => {
    const run = await littered()
    printed()
    run.ceph.badDays.next('snap rm', { exit: 16 })
    expect(await run.test.command('gc', ['--yes'])).toBe(1)
    expect(run.ceph.snapshotsOf('rbd/gone')).toEqual([])
    expect(run.said('error').join('\n')).toContain('rbd/data@b-2025-12-01T00:00:00Z was not removed')
  })

  it('refuses options that it doesn’t have', async () => {
    const run = await littered()
    await expect(run.test.command('gc', ['--adpot'])).rejects.toMatchObject({ code: 'GC_OPTION' })
  })

  it('leaves the base of the next backup alone', async () => {
    const run = await backupRun()
    await run.run()
    printed()
    expect(await run.test.command('gc', ['--yes', '--adopt'])).toBe(0)
    expect((await run.run()).targets).toMatchObject([{ points: [{ mode: 'differential' }] }])
  })
})

describe('holdfast benji gc never removes what a backup counts from', () => {
  const snapshot = 'b-2025-12-01T00:00:00Z'
  const all = ['--yes', '--adopt']

  it('of a claim that another plan backs up', async () => {
    const server = await cluster()
    const run = await backupRun({ cluster: server, options: { namespaces: ['web'] } })
    addClaim(server, { name: 'db', namespace: 'shop', source: cephCsi('db') as Record<string, unknown> })
    run.ceph.create('rbd/db')
    run.ceph.snapshot('rbd/db', snapshot)
    run.benji.add({ volume: 'shop/db', snapshot, labels: ofClaim('db', 'db', 'shop') })
    const text = printed()
    expect(await run.test.command('gc', all)).toBe(0)
    expect(run.ceph.snapshotsOf('rbd/db')).toEqual([snapshot])
    expect(text()).toBe('There is nothing to remove.\n')
  })

  it('of a claim that can’t be looked up', async () => {
    const server = await cluster()
    const run = await backupRun({ cluster: server })
    run.ceph.create('rbd/db')
    run.ceph.snapshot('rbd/db', snapshot)
    run.benji.add({ volume: 'shop/db', snapshot, labels: ofClaim('db', 'db', 'shop') })
    server.misbehave({ method: 'GET', path: /shop/ }, { status: 403 })
    const text = printed()
    expect(await run.test.command('gc', all)).toBe(0)
    expect(run.ceph.snapshotsOf('rbd/db')).toEqual([snapshot])
    expect(text()).toContain('its volume is not of this plan: perhaps of another, or no longer backed up; stays')
    expect(run.said('warn').join('\n')).toContain('whether claims of the namespace shop are still there is not known')
  })

  it('of an image that another plan backs up, without Kubernetes', async () => {
    const run = await backupRun()
    run.ceph.create('rbd/other')
    run.ceph.snapshot('rbd/other', snapshot)
    run.benji.add({ volume: 'rbd/other', snapshot, labels: labelsOf('other') })
    const text = printed()
    expect(await run.test.command('gc', all)).toBe(0)
    expect(run.ceph.snapshotsOf('rbd/other')).toEqual([snapshot])
    expect(text()).toContain('stays')
  })

  it('of either of two claims that share an image, or of either of two storages', async () => {
    const server = await cluster()
    const run = await backupRun({
      cluster: server,
      options: { namespaces: ['web'] },
      benji: { storages: ['s1', 's2'] },
    })
    for (const name of ['one', 'two']) {
      addClaim(server, { name, source: cephCsi('data') as Record<string, unknown> })
    }
    const bases = [
      ['web/one', 's1', 'b-2025-12-01T00:00:00Z'],
      ['web/two', 's1', 'b-2025-12-02T00:00:00Z'],
      ['web/two', 's2', 'b-2025-12-03T00:00:00Z'],
    ] as const
    for (const [of, storage, name] of bases) {
      run.ceph.snapshot(volume, name)
      run.benji.add({ volume: of, storage, uid: name, snapshot: name, labels: ofClaim('data', of.slice(4)) })
    }
    printed()
    expect(await run.test.command('gc', all)).toBe(0)
    expect(run.ceph.snapshotsOf(volume)).toEqual(bases.map(([, , name]) => name))
  })

  it('because a newer snapshot has a version that is no good', async () => {
    const run = await backupRun()
    const newer = 'b-2025-12-02T00:00:00Z'
    run.ceph.snapshot(volume, snapshot)
    run.ceph.snapshot(volume, newer)
    run.benji.add({ volume, snapshot, labels: labelsOf('data') })
    run.benji.add({ volume, snapshot: newer, status: 'invalid', labels: labelsOf('data') })
    const text = printed()
    expect(await run.test.command('gc', all)).toBe(0)
    expect(run.ceph.snapshotsOf(volume)).toEqual([snapshot, newer])
    expect(text()).toBe('There is nothing to remove.\n')
  })

  it('because it was of no use when it was listed', async () => {
    const run = await backupRun()
    run.ceph.snapshot(volume, snapshot)
    const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => {
      // A backup of another pod comes to its end right then.
      if (run.benji.versions.length === 0) run.benji.add({ volume, snapshot, labels: labelsOf('data') })
      return true
    })
    onTestFinished(() => write.mockRestore())
    expect(await run.test.command('gc', all)).toBe(0)
    expect(run.ceph.snapshotsOf(volume)).toEqual([snapshot])
    expect(write.mock.calls.at(-1)).toEqual([`rbd/data@${snapshot} is gone or needed by now\n`])
  })

  it('while its version is being made', async () => {
    const run = await backupRun()
    run.ceph.snapshot(volume, snapshot)
    run.benji.add({ volume, snapshot, status: 'incomplete' })
    const text = printed()
    expect(await run.test.command('gc', all)).toBe(0)
    expect(run.ceph.snapshotsOf(volume)).toEqual([snapshot])
    expect(text()).toContain('it is being made, or was left behind; stays')
  })

  it('of another installation, unless somebody adopts it knowingly', async () => {
    const run = await backupRun()
    run.ceph.snapshot(volume, snapshot)
    run.benji.add({ volume, snapshot, labels: { ...labelsOf('data'), [labelNames.instance]: 'benji-west' } })
    const text = printed()
    expect(await run.test.command('gc', ['--yes'])).toBe(0)
    expect(run.ceph.snapshotsOf(volume)).toEqual([snapshot])
    expect(text()).toContain('a version of another installation has it, which may count from it; stays without --adopt')
  })
})

it('K33: holdfast benji gc removes snapshots of an image that its claim no longer has', async () => {
  const server = await cluster()
  const run = await backupRun({ cluster: server, options: { namespaces: ['web'] } })
  addClaim(server, { name: 'data', source: cephCsi('new') as Record<string, unknown> })
  run.ceph.create('rbd/new')
  run.ceph.snapshot(volume, 'b-2025-12-01T00:00:00Z')
  run.benji.add({ volume: 'web/data', snapshot: 'b-2025-12-01T00:00:00Z', labels: ofClaim('data', 'data') })
  printed()
  expect(await run.test.command('gc', ['--yes'])).toBe(0)
  expect(run.ceph.snapshotsOf(volume)).toEqual([])
})
