import { expect, test } from 'vitest'
import { restoreRun } from '../support/restore-run.ts'

const labels = {
  'benji-backup.me/instance': 'benji-east',
  'benji-backup.me/ceph-pool': 'rbd',
  'benji-backup.me/ceph-rbd-image': 'csi-vol-1',
}
const stats = { bytes_read: 4, bytes_written: 4, bytes_deduplicated: 0, bytes_sparse: 0, duration: 7 }
const date = new Date('2025-12-01T03:00:00Z')

test('a version is a restore point, verified when it ended if its metadata is in the storage', async () => {
  const run = await restoreRun({ alone: true })
  const common = { volume: 'web/data', date, size: 8, stats }
  const differential = { ...labels, 'holdfast.dev/mode': 'differential' }
  run.benji.add({ ...common, uid: 'u-1', snapshot: 'b-2025-12-01T03:00:00Z', labels: differential })
  // Of a full backup with hints Benji counts no more: what is empty was not looked at.
  run.benji.add({ ...common, uid: 'u-2', labels: { ...labels, 'holdfast.dev/mode': 'full' } })
  run.benji.add({ ...common, uid: 'theirs', labels })
  expect(await run.points()).toEqual([
    {
      id: 'u-1',
      target: 'web/data',
      createdAt: date,
      size: 8,
      mode: 'differential',
      state: 'valid',
      verifiedAt: new Date('2025-12-01T03:00:07Z'),
      ref: { uid: 'u-1', volume: 'web/data', snapshot: 'b-2025-12-01T03:00:00Z', storage: 's1' },
    },
    expect.objectContaining({ id: 'u-2', mode: 'full' }),
    expect.objectContaining({ id: 'theirs', mode: undefined }),
  ])
})

test('only versions of our instance count, and only those of a target where one is asked for', async () => {
  const run = await restoreRun({ alone: true })
  run.benji.add({ uid: 'ours', volume: 'web/data', labels })
  run.benji.add({ uid: 'other', volume: 'web/other', labels })
  run.benji.add({ uid: 'theirs', volume: 'web/data', labels: { ...labels, 'benji-backup.me/instance': 'benji-k8s' } })
  run.benji.add({ uid: 'nobodys', volume: 'web/data' })
  expect((await run.points()).map(({ id }) => id)).toEqual(['ours', 'other'])
  expect((await run.points({ target: 'web/data' })).map(({ id }) => id)).toEqual(['ours'])
  expect(await run.points({ target: 'nowhere' })).toEqual([])
})

test('C4: a version that would be lost with the database, or that nobody could tell, is not verified', async () => {
  const run = await restoreRun({ alone: true })
  run.benji.add({ uid: 'good', volume: 'v', labels })
  run.benji.add({ uid: 'not-in-storage', volume: 'v', labels })
  run.benji.metadata.get('s1')?.delete('not-in-storage')
  run.benji.add({ uid: 'unlabelled', volume: 'v', labels: { 'benji-backup.me/instance': 'benji-east' } })
  run.benji.add({ uid: 'half', volume: 'v', labels, status: 'incomplete', stats: undefined })
  run.benji.add({ uid: 'bad', volume: 'v', labels, status: 'invalid' })
  run.benji.add({ uid: 'differs', volume: 'v', labels: { ...labels, 'holdfast.dev/source-mismatch': '' } })
  const points = await run.points()
  expect(
    Object.fromEntries(points.map(({ id, state, verifiedAt }) => [id, `${state} ${verifiedAt !== undefined}`])),
  ).toEqual({
    good: 'valid true',
    'not-in-storage': 'valid false',
    unlabelled: 'valid false',
    half: 'incomplete false',
    bad: 'invalid false',
    differs: 'suspect false',
  })
  expect(run.benji.calls.filter((call) => call.startsWith('metadata-ls'))).toHaveLength(1)
})

test('a storage that can’t be listed makes no point verified, and is said; the points are there', async () => {
  const run = await restoreRun({ alone: true })
  run.benji.add({ uid: 'u-1', volume: 'v', labels })
  run.benji.badDays.next('metadata-ls', { exit: 74 })
  expect(await run.points()).toMatchObject([{ id: 'u-1', state: 'valid', verifiedAt: undefined }])
  expect(run.said('warn')).toEqual([
    expect.stringContaining("which versions could be recovered without Benji's database is not known"),
  ])
})
