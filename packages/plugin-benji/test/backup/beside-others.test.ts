import { describe, expect, it } from 'vitest'
import { benjiBackup } from '../../src/benji-backup.ts'
import { labelNames } from '../../src/labels.ts'
import { backupRun } from '../support/backup-run.ts'

const volume = 'rbd/data'
const labels = {
  [labelNames.instance]: 'benji-k8s',
  [labelNames.pool]: 'rbd',
  [labelNames.namespace]: '',
  [labelNames.image]: 'data',
}

describe('a snapshot that somebody else makes in the same second', () => {
  it('K9, fault F42: stays, and ours gets another name', async () => {
    let others: string | undefined
    const run = await backupRun({
      onCommand(command) {
        const [, name] = /snap create .*@(\S+)$/.exec(command) ?? []
        if (name === undefined || others !== undefined) return
        others = name
        run.ceph.snapshot(volume, name)
      },
    })
    const { targets } = await run.run()
    expect(run.ceph.snapshotsOf(volume)).toContain(others)
    expect(targets).toMatchObject([{ status: 'succeeded', verification: 'verified' }])
    expect(run.benji.versions[0]?.snapshot).not.toBe(others)
  })

  it('K9: is never removed, even if that happens again and again', async () => {
    const others: string[] = []
    const run = await backupRun({
      onCommand(command) {
        const [, name] = /snap create .*@(\S+)$/.exec(command) ?? []
        if (name === undefined) return
        others.push(name)
        run.ceph.snapshot(volume, name)
      },
    })
    const { targets } = await run.run()
    expect(targets).toMatchObject([{ status: 'failed', error: { code: 'RBD_FAILED' } }])
    expect(run.ceph.snapshotsOf(volume)).toEqual(others)
  })
})

it('K23: a base whose snapshot another pod removes before it is counted from is followed by a full backup', async () => {
  const run = await backupRun({
    onCommand(command) {
      if (command.includes('--from-snap')) run.ceph.image(volume).snapshots.shift()
    },
  })
  await run.run()
  const { targets } = await run.run()
  expect(targets).toMatchObject([{ status: 'succeeded', verification: 'verified', points: [{ mode: 'full' }] }])
})

it('K25: a failed backup leaves no snapshot, though a version of another image has its name', async () => {
  const run = await backupRun()
  const other = { ...labels, [labelNames.instance]: 'benji-west', [labelNames.image]: 'west' }
  run.benji.add({ volume, uid: 'west', snapshot: 'b-2026-01-01T00:00:01Z', labels: other })
  run.benji.badDays.next('backup', { at: 'created', exit: 74 })
  expect((await run.run()).targets).toMatchObject([{ status: 'failed', error: { code: 'BENJI_IO' } }])
  expect(run.ceph.snapshotsOf(volume)).toEqual([])
})

it('is compared with its snapshot where differential is off, and leaves none', async () => {
  const run = await backupRun({ options: { differential: false, compare: true } })
  expect((await run.run()).targets).toMatchObject([{ status: 'succeeded', verification: 'verified' }])
  expect(run.ceph.snapshotsOf(volume)).toEqual([])
})

it('whose name fills Benji’s column is backed up, into a storage of files as well', async () => {
  const name = 'n'.repeat(250)
  const run = await backupRun({ options: { images: [`rbd/${name}`] } })
  run.ceph.create(`rbd/${name}`)
  expect((await run.run()).targets).toMatchObject([{ status: 'succeeded', verification: 'verified' }])
  // Benji's file storage adds `.meta`.
  expect(run.benji.versions[0]?.uid.length).toBeLessThanOrEqual(250)
})

it('is verified in its own storage, though another plugin of the plan has another', async () => {
  const run = await backupRun({
    benji: { storages: ['s1', 's2'] },
    also: (engine) => [benjiBackup({ images: ['rbd/far'], engine: { ...engine, storage: 's2' } }, { name: 'far' })],
  })
  run.ceph.create('rbd/far')
  const { targets } = await run.run()
  expect(targets).toMatchObject([
    { target: { id: volume }, verification: 'verified' },
    { target: { id: 'rbd/far' }, verification: 'verified' },
  ])
})
