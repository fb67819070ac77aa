import { startFakeKubernetes, type FakeKubernetes } from '@holdfast/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { labelNames, ownLabelNames } from '../../src/labels.ts'
import { backupRun, type BackupRun } from '../support/backup-run.ts'
import { addClaim, cephCsi } from '../support/claims.ts'

async function cluster(): Promise<FakeKubernetes> {
  const server = await startFakeKubernetes({ namespace: 'backup' })
  onTestFinished(() => server[Symbol.asyncDispose]())
  server.objects.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web' } })
  return server
}

/** Two claims on Ceph and one on NFS; of the second claim's image there is nothing. */
async function shop(): Promise<{ readonly server: FakeKubernetes; readonly run: BackupRun }> {
  const server = await cluster()
  addClaim(server, { name: 'data', source: cephCsi('data') as Record<string, unknown> })
  addClaim(server, { name: 'lost', source: cephCsi('lost') as Record<string, unknown> })
  addClaim(server, { name: 'files', source: { nfs: { server: 'nas', path: '/' } } })
  const run = await backupRun({ cluster: server, options: { namespaces: ['web'] } })
  return { server, run }
}

const eventsOf = (server: FakeKubernetes): readonly Readonly<Record<string, unknown>>[] => server.objects.list('events')

describe('claims', () => {
  it('K11, K12: are a target each: backed up, failed or skipped, with the reason', async () => {
    const { run } = await shop()
    const { status, targets } = await run.run()
    expect(status).toBe('partial')
    expect(targets.toSorted((a, b) => a.target.id.localeCompare(b.target.id))).toMatchObject([
      { target: { id: 'web/data' }, status: 'succeeded', verification: 'verified' },
      { target: { id: 'web/files' }, status: 'skipped', reason: expect.stringContaining('nfs') as string },
      { target: { id: 'web/lost' }, status: 'failed', error: { code: 'RBD_NOT_FOUND' } },
    ])
  })

  it('have versions named and labelled as by Benji’s tools, and by what a restore into a new claim needs', async () => {
    const { run } = await shop()
    await run.run()
    const [version] = run.benji.versions
    expect(version?.volume).toBe('web/data')
    expect(version?.uid).toMatch(/^web-data-[a-z0-9]{6}$/)
    expect(Object.fromEntries(version?.labels ?? [])).toMatchObject({
      [labelNames.instance]: 'benji-k8s',
      [labelNames.pool]: 'rbd',
      [labelNames.namespace]: '',
      [labelNames.image]: 'data',
      [labelNames.pvcNamespace]: 'web',
      [labelNames.pvc]: 'data',
      [labelNames.pv]: 'pv-data',
      [ownLabelNames.accessModes]: 'ReadWriteOnce',
      [ownLabelNames.volumeMode]: 'Filesystem',
    })
  })

  it('get the Events of Benji’s tools, where kubectl describe shows them', async () => {
    vi.stubEnv('POD_NAME', 'backup-0')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { server, run } = await shop()
    await run.run()
    const [version] = run.benji.versions
    const events = eventsOf(server)
    const of = (name: string): Readonly<Record<string, unknown>> | undefined =>
      events.find((event) => (event['involvedObject'] as { readonly name: string }).name === name)
    expect(of('data')).toMatchObject({
      kind: 'Event',
      metadata: {
        namespace: 'web',
        name: expect.stringMatching(/^benji-k8s-[0-9a-f-]{36}$/) as string,
        labels: {
          'reporting-component': 'benji',
          'reporting-instance': 'backup-0',
          'benji-backup.me/instance': 'benji-k8s',
        },
      },
      involvedObject: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'web', name: 'data' },
      type: 'Normal',
      reason: 'SuccessfulBackup',
      message: `Backup to ${version?.uid} completed successfully (took 0 seconds).`,
      reportingComponent: 'benji',
      source: { component: 'benji' },
    })
    expect(of('lost')).toMatchObject({ type: 'Warning', reason: 'FailedBackup' })
    expect(String(of('lost')?.['message'])).toMatch(/^Backup failed: RBD_NOT_FOUND /)
    expect(of('files')).toBeUndefined()
  })

  it('K11, B12: an Event that can’t be posted hides neither a success nor a failure', async () => {
    const { server, run } = await shop()
    server.misbehave({ method: 'POST', path: /\/events/ }, { status: 403 })
    const { targets } = await run.run()
    expect(targets.map(({ status }) => status).toSorted()).toEqual(['failed', 'skipped', 'succeeded'])
    expect(targets.find(({ status }) => status === 'failed')?.error?.code).toBe('RBD_NOT_FOUND')
    expect(run.said('warn').join('\n')).toContain('could not be posted')
  })

  it('K33: a claim that was deleted and made anew with another image starts a new chain', async () => {
    const { server, run } = await shop()
    await run.run()
    const [first] = run.benji.versions
    run.ceph.create('rbd/data-2')
    // Somebody restored the snapshot's name along with the data.
    run.ceph.snapshot('rbd/data-2', first?.snapshot ?? '')
    addClaim(server, { name: 'data', pv: 'pv-data-2', source: cephCsi('data-2') as Record<string, unknown> })
    const { targets } = await run.run()
    expect(targets.find(({ target }) => target.id === 'web/data')).toMatchObject({ points: [{ mode: 'full' }] })
  })
})
