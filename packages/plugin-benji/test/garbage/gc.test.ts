import { describe, expect, it, vi, onTestFinished } from 'vitest'
import { labelNames } from '../../src/labels.ts'
import { backupRun, type BackupRun } from '../support/backup-run.ts'

const volume = 'rbd/data'
const labelsOf = (image: string): Readonly<Record<string, string>> => ({
  [labelNames.instance]: 'benji-k8s',
  [labelNames.pool]: 'rbd',
  [labelNames.namespace]: '',
  [labelNames.image]: image,
})

/** What the command prints. */
function printed(): () => string {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => write.mockRestore())
  return () => write.mock.calls.map(([text]) => String(text)).join('')
}

/** An image with a good backup, one that is older, one that nobody knows; and an image whose claim is gone. */
async function littered(): Promise<BackupRun> {
  const run = await backupRun()
  run.ceph.create('rbd/gone')
  for (const [image, snapshot] of [
    [volume, 'b-2025-12-01T00:00:00Z'],
    [volume, 'b-2025-12-02T00:00:00Z'],
    ['rbd/gone', 'b-2025-12-03T00:00:00Z'],
  ] as const) {
    run.ceph.snapshot(image, snapshot)
    run.benji.add({ volume: image, uid: snapshot, snapshot, labels: labelsOf(image.slice(4)) })
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
        'rbd/gone@b-2025-12-03T00:00:00Z  rbd/gone  its volume is gone or no longer backed up',
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
