import { describe, expect, it } from 'vitest'
import { labelNames } from '../../src/labels.ts'
import { backupRun, type BackupRun, type BackupRunOptions } from '../support/backup-run.ts'

const count = 6
const last = 'rbd/v5'
const labels = {
  [labelNames.instance]: 'benji-k8s',
  [labelNames.pool]: 'rbd',
  [labelNames.namespace]: '',
  [labelNames.image]: 'v5',
}
const images = Array.from({ length: count }, (_, index) => `rbd/v${index}`)

async function manyVolumes(options: BackupRunOptions = {}): Promise<BackupRun> {
  const run = await backupRun({ ...options, options: { images }, plan: { concurrency: 4, ...options.plan } })
  for (const image of images) run.ceph.create(image)
  return run
}

/** The names of Benji's commands that the next run starts. */
async function startsOf(run: BackupRun): Promise<readonly string[]> {
  const before = run.benji.calls.length
  const { status, targets } = await run.run()
  expect(status).toBe('succeeded')
  expect(targets.map(({ verification }) => verification)).toEqual(images.map(() => 'verified'))
  return run.benji.calls.slice(before).map((call) => call.split(' ')[0] ?? '')
}

const times = (starts: readonly string[], name: string): number => starts.filter((start) => start === name).length

describe('Benji, whose start takes a second,', () => {
  it('is started twice for each volume, and a few times for all of them', async () => {
    const run = await manyVolumes({ plan: { retention: { latest: 2 } } })
    await startsOf(run)
    await startsOf(run)
    const third = await startsOf(run)
    expect(times(third, 'backup')).toBe(count)
    expect(times(third, 'metadata-backup')).toBe(count)
    expect(times(third, 'rm')).toBe(count)
    // For the first chain, for all others, for what was made, for retention.
    expect(times(third, 'ls')).toBeLessThanOrEqual(4 + 1)
    expect(times(third, 'metadata-ls')).toBe(1)
    expect(run.benji.versions).toHaveLength(2 * count)
  })

  it('is asked for no versions where no volume has a snapshot that a backup could go on from', async () => {
    const starts = await startsOf(await manyVolumes())
    // Once, for what was made.
    expect(times(starts, 'ls')).toBe(1)
  })

  it('is asked again for a volume that another plan has backed up meanwhile', async () => {
    let lists = Number.NEGATIVE_INFINITY
    const name = 'b-2026-01-01T00:00:02Z'
    const run = await manyVolumes({
      // The first volume has asked for itself, and a volume for all; this one's turn comes later.
      onCommand(command) {
        if (!/ ls( |$)/.test(command) || ++lists !== 2) return
        run.ceph.snapshot(last, name)
        setImmediate(() => run.benji.add({ volume: last, uid: 'other', snapshot: name, labels }))
      },
    })
    await startsOf(run)
    lists = 0
    await startsOf(run)
    expect(run.benji.calls.findLast((call) => /^backup .*v5/.test(call))).toContain('--base-version=other')
  })
})
