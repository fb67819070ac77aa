import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { labelNames, ownLabelNames } from '../../src/labels.ts'
import { backupRun, type BackupRun } from '../support/backup-run.ts'

const volume = 'rbd/data'

/** The one version that is newest. */
function newest({ benji }: BackupRun): BackupRun['benji']['versions'][number] {
  const [found] = benji.versions.toSorted((a, b) => b.date.getTime() - a.date.getTime())
  if (!found) throw new Error('there is no version')
  return found
}

describe('a volume', () => {
  it('is backed up in full first, then differentially from the last good version', async () => {
    const run = await backupRun()
    const first = await run.run()
    expect(first.status).toBe('succeeded')
    expect(first.targets).toMatchObject([{ status: 'succeeded', verification: 'verified', points: [{ mode: 'full' }] }])
    const full = newest(run)
    expect(full).toMatchObject({ volume, status: 'valid', storage: 's1', snapshot: 'b-2026-01-01T00:00:01Z' })
    expect(Object.fromEntries(full.labels)).toEqual({
      [labelNames.instance]: 'benji-k8s',
      [labelNames.pool]: 'rbd',
      [labelNames.namespace]: '',
      [labelNames.image]: 'data',
      [ownLabelNames.mode]: 'full',
      [ownLabelNames.plan]: 'test',
    })

    run.ceph.write(volume, 1, 'changed')
    const second = await run.run()
    expect(second.targets).toMatchObject([{ verification: 'verified', points: [{ mode: 'differential' }] }])
    const differential = newest(run)
    expect(differential.labels.get(ownLabelNames.mode)).toBe('differential')
    expect(run.benji.calls.findLast((call) => call.startsWith('backup'))).toContain(`--base-version=${full.uid}`)
    expect([...run.contents(differential.uid)]).toEqual([
      [0, 'a'],
      [1, 'changed'],
    ])
    // Only the newest snapshot is of use from now on.
    expect(run.ceph.snapshotsOf(volume)).toEqual([differential.snapshot])
  })

  it('C4: has its labels in the storage, so that they outlive Benji’s database', async () => {
    const run = await backupRun()
    await run.run()
    const { uid } = newest(run)
    expect([...(run.benji.metadata.get('s1')?.get(uid)?.labels ?? [])]).toContainEqual([
      labelNames.instance,
      'benji-k8s',
    ])
  })

  it('K25: leaves no snapshot behind where differential is off, so that the image can be deleted', async () => {
    const run = await backupRun({ options: { differential: false } })
    await run.run()
    const { targets } = await run.run()
    expect(targets).toMatchObject([{ verification: 'verified', points: [{ mode: 'full' }] }])
    expect(run.ceph.snapshotsOf(volume)).toEqual([])
  })

  it.each([
    ['with --whole-object', undefined, true],
    ['without it, where that is switched off', false, false],
  ])('K21: is diffed %s', async (_, wholeObject, expected) => {
    const run = await backupRun({ options: { wholeObject } })
    await run.run()
    const diffs = run.commands().filter((command) => /^rbd .*diff/.test(command))
    expect(diffs).toHaveLength(1)
    expect(diffs[0]?.includes('--whole-object')).toBe(expected)
  })

  it('K21: is diffed without it where its image was smaller meanwhile: Ceph would not say what went with its end', async () => {
    const run = await backupRun()
    await run.run()
    const image = run.ceph.image(volume)
    const { size } = image
    image.size = size / 2
    run.ceph.snapshot(volume, 'while-it-was-small')
    image.size = size
    await run.run()
    await run.run()
    const diffs = run.commands().filter((command) => /^rbd .*diff/.test(command))
    expect(diffs.map((command) => command.includes('--whole-object'))).toEqual([true, false, true])
  })

  it('K24: whose name Benji would refuse gets no snapshot', async () => {
    const run = await backupRun({ options: { images: ['rbd/data', 'rbd/späti'] } })
    run.ceph.create('rbd/späti')
    const { status, targets } = await run.run()
    expect(status).toBe('partial')
    expect(targets[1]).toMatchObject({ status: 'failed', error: { code: 'BENJI_NAME' } })
    expect(run.ceph.snapshotsOf('rbd/späti')).toEqual([])
  })

  it('K17: is backed up whatever else the programs say beside their records', async () => {
    const run = await backupRun()
    const says = ['{"event": "x"}', '{"level": 3, "event": {}}', '{"cut": ', 'Traceback …', '\uFFFD'].join('\n')
    for (const command of ['snap create', 'diff', 'backup', 'ls']) {
      const { badDays } = ['backup', 'ls'].includes(command) ? run.benji : run.ceph
      badDays.next(command, { says })
    }
    const { targets } = await run.run()
    expect(targets).toMatchObject([{ status: 'succeeded', verification: 'verified' }])
  })

  it('that was resized is backed up differentially, with its new end', async () => {
    const run = await backupRun()
    await run.run()
    run.ceph.image(volume).size *= 2
    run.ceph.write(volume, 5, 'new end')
    await run.run()
    expect(newest(run)).toMatchObject({ size: run.ceph.image(volume).size })
    expect(run.contents(newest(run).uid).get(5)).toBe('new end')
  })
})

describe('an image that grew, and whose old end was within a block', () => {
  it.each([
    ['nothing else has changed', () => {}],
    ['something else has changed, too', (run: BackupRun) => run.ceph.write(volume, 0, 'changed')],
    ['just that block has changed', (run: BackupRun) => run.ceph.write(volume, 1, 'changed')],
  ])('is backed up with what that block holds: %s', async (_, change) => {
    const run = await backupRun()
    const image = run.ceph.create(volume, { size: 7 * 2 ** 20 })
    await run.run()
    image.size = 16 * 2 ** 20
    change(run)
    const { targets } = await run.run()
    expect(targets).toMatchObject([{ status: 'succeeded', points: [{ mode: 'differential' }] }])
    expect([...run.contents(newest(run).uid)]).toEqual([...image.contents])
    // Once more, with nothing to be added.
    await run.run()
    expect([...run.contents(newest(run).uid)]).toEqual([...image.contents])
  })

  it('is backed up so whatever the diff has behind its list', async () => {
    const run = await backupRun()
    const image = run.ceph.create(volume, { size: 7 * 2 ** 20 })
    await run.run()
    image.size = 9 * 2 ** 20
    run.ceph.badDays.next('diff', { stdout: (printed) => `${printed.trim()}\n\n` })
    expect((await run.run()).targets).toMatchObject([{ status: 'succeeded', points: [{ mode: 'differential' }] }])
    expect([...run.contents(newest(run).uid)]).toEqual([...image.contents])
  })
})

describe('after a failed run the next one is still differential', () => {
  it.each([
    ['K7, K8, B10, C13, fault F41: Benji fails after the snapshot was made', { at: 'created', exit: 74 }],
    ['C14: the version is valid but its metadata could not be written', { at: 'metadata', exit: 74 }],
    ['the version never got its labels', { at: 'unlabelled', exit: 74 }],
    ['C6: Benji is killed', { at: 'created', exit: 137 }],
  ])('%s', async (_, day) => {
    const run = await backupRun()
    await run.run()
    const base = newest(run)
    run.ceph.write(volume, 0, 'second')
    run.benji.badDays.next('backup', day)
    const failed = await run.run()
    expect(failed.status).toBe('failed')
    expect(failed.targets).toMatchObject([{ status: 'failed', points: [] }])
    expect(run.benji.versions.filter(({ status }) => status === 'incomplete')).toEqual([])
    expect([...run.benji.locks]).toEqual([])
    expect(run.ceph.snapshotsOf(volume)).toContain(base.snapshot)

    run.ceph.write(volume, 1, 'third')
    const { status, targets } = await run.run()
    expect(status).toBe('succeeded')
    expect(targets).toMatchObject([{ points: [{ mode: 'differential' }] }])
    expect([...run.contents(newest(run).uid)]).toEqual([
      [0, 'second'],
      [1, 'third'],
    ])
    expect(run.ceph.snapshotsOf(volume)).toEqual([newest(run).snapshot])
  })

  it('K10: the snapshot could not be made', async () => {
    const run = await backupRun()
    await run.run()
    run.ceph.badDays.next('snap create', { exit: 5 })
    expect((await run.run({ step: '1s' })).targets).toMatchObject([{ status: 'failed', error: { code: 'RBD_FAILED' } }])
    expect(run.benji.versions).toHaveLength(1)
    expect((await run.run()).targets).toMatchObject([{ points: [{ mode: 'differential' }] }])
  })

  it('a cut-off diff is an error, and never a smaller backup', async () => {
    const run = await backupRun()
    await run.run()
    run.ceph.badDays.next('diff', { stdout: (printed) => printed.slice(0, -2) })
    expect((await run.run()).targets).toMatchObject([{ status: 'failed', error: { code: 'RBD_OUTPUT' } }])
    expect(run.benji.versions).toHaveLength(1)
  })

  it('fault F34: the snapshot is made after its call was given up, and goes', async () => {
    const run = await backupRun()
    await run.run()
    const [base] = run.ceph.snapshotsOf(volume)
    run.ceph.badDays.next('snap create', { late: '61s' })
    const { targets } = await run.run({ step: '1s' })
    expect(targets).toMatchObject([{ status: 'failed', error: { code: 'RBD_TIMEOUT' } }])
    expect(run.ceph.snapshotsOf(volume)).toEqual([base])
  })
})

describe('K23: a base that Benji refuses', () => {
  it.each([
    ['64', { exit: 64 }],
    ['65, its hints do not fit', { exit: 65 }],
    ['66, it is gone', { exit: 66 }],
  ])('with %s is followed by a full backup, explicitly', async (_, day) => {
    const run = await backupRun()
    await run.run()
    run.benji.badDays.next('backup', day, { match: '--base-version' })
    const { status, targets } = await run.run()
    expect(status).toBe('succeeded')
    expect(targets).toMatchObject([{ points: [{ mode: 'full' }] }])
    expect(run.said('warn').join('\n')).toContain('so a full backup is made')
    expect(run.benji.versions.every((version) => version.status === 'valid')).toBe(true)
  })

  it('because the storage or the block size has changed is not even asked for', async () => {
    const run = await backupRun({ options: { blockSize: 65_536 }, benji: { blockSize: 65_536 } })
    run.benji.add({ volume, uid: 'old', snapshot: 'b-2025-12-31T00:00:00Z', blockSize: 512, labels: ours })
    run.ceph.snapshot(volume, 'b-2025-12-31T00:00:00Z')
    const { targets } = await run.run()
    expect(targets).toMatchObject([{ verification: 'verified', points: [{ mode: 'full' }] }])
    expect(run.said('info').join('\n')).toContain('has blocks of 512 bytes')
    expect(run.ceph.snapshotsOf(volume)).toEqual([newest(run).snapshot])
  })

  it('is waited for while another Benji has locked it', async () => {
    const run = await backupRun()
    await run.run()
    run.benji.badDays.next('backup', {
      exit: 70,
      says: `{"event": "InternalError: Lock Version x isn't held by this instance or doesn't exist.", "level": "error"}`,
    })
    const { targets } = await run.run({ step: '1s' })
    expect(targets).toMatchObject([{ status: 'succeeded', points: [{ mode: 'differential' }] }])
  })

  it('because a scrub that was killed has left it locked for ever is followed by a full backup, and the chain goes on', async () => {
    const run = await backupRun()
    await run.run()
    const base = newest(run)
    run.benji.locks.add(`Version ${base.uid}`)
    const { targets } = await run.run({ step: '1s' })
    expect(targets).toMatchObject([{ status: 'succeeded', points: [{ mode: 'full' }] }])
    expect(run.said('warn').join('\n')).toMatch(/refused version .* so a full backup is made: .*Lock Version/)
    expect((await run.run()).targets).toMatchObject([{ status: 'succeeded', points: [{ mode: 'differential' }] }])
  })
})

const ours = {
  [labelNames.instance]: 'benji-k8s',
  [labelNames.pool]: 'rbd',
  [labelNames.namespace]: '',
  [labelNames.image]: 'data',
}

describe('snapshots that are not ours', () => {
  it('K9, fault F42: stay, whatever happens, and are told of', async () => {
    const run = await backupRun()
    run.ceph.snapshot(volume, 'before-upgrade')
    run.ceph.snapshot(volume, 'b-2025-12-31T00:00:00Z')
    await run.run()
    await run.run()
    expect(run.ceph.snapshotsOf(volume).slice(0, 2)).toEqual(['before-upgrade', 'b-2025-12-31T00:00:00Z'])
    expect(run.said('warn').join('\n')).toContain('b-2025-12-31T00:00:00Z. They stay; see `holdfast benji gc`')
  })

  it('K9: two backups in one second get different names', async () => {
    const run = await backupRun()
    run.ceph.snapshot(volume, 'b-2026-01-01T00:00:01Z')
    expect((await run.run()).status).toBe('succeeded')
    expect(newest(run).snapshot).not.toBe('b-2026-01-01T00:00:01Z')
  })

  it('a chain of Benji’s own tools goes on differentially', async () => {
    const run = await backupRun()
    run.ceph.snapshot(volume, 'b-2025-12-31T00:00:00Z')
    run.benji.add({ volume, uid: 'theirs', snapshot: 'b-2025-12-31T00:00:00Z', labels: ours })
    run.ceph.write(volume, 1, 'since then')
    const { targets } = await run.run()
    expect(targets).toMatchObject([{ points: [{ mode: 'differential' }] }])
    expect([...run.contents(newest(run).uid)]).toEqual([
      [0, 'a'],
      [1, 'since then'],
    ])
    expect(run.ceph.snapshotsOf(volume)).toEqual([newest(run).snapshot])
  })

  it('a snapshot of ours whose version was pruned is known by the journal, and goes', async () => {
    const run = await backupRun()
    await run.run()
    const [left] = run.ceph.snapshotsOf(volume)
    run.benji.versions.splice(0)
    const { targets } = await run.run()
    expect(targets).toMatchObject([{ points: [{ mode: 'full' }] }])
    expect(run.ceph.snapshotsOf(volume)).not.toContain(left)
  })
})

describe('verification', () => {
  it('K20, C1, fault F43: finds stored data that differ from the source, marks the version, and the next backup is full', async () => {
    const run = await backupRun({ options: { compare: true }, benji: { sanityBlocks: 0 } })
    await run.run()
    run.ceph.write(volume, 1, 'changed')
    run.ceph.badDays.next('diff', { stdout: () => '[]' })
    const bad = await run.run()
    expect(bad.status).toBe('partial')
    expect(bad.targets).toMatchObject([{ verification: 'unverified', error: { code: 'BENJI_SOURCE_MISMATCH' } }])
    expect(newest(run).labels.get(ownLabelNames.sourceMismatch)).toBe('true')
    const next = await run.run()
    expect(next.targets).toMatchObject([{ verification: 'verified', points: [{ mode: 'full' }] }])
    expect(run.contents(newest(run).uid).get(1)).toBe('changed')
  })

  it('C14: fails where the metadata never reached the storage', async () => {
    const run = await backupRun()
    run.benji.badDays.next('metadata-ls', { stdout: () => '[]' })
    expect((await run.run()).targets).toMatchObject([{ verification: 'unverified', error: { code: 'BENJI_NOT_KEPT' } }])
  })
})

describe('retention of the plan', () => {
  it('C11: removes what it lets go, however young it is, and never what is protected', async () => {
    const run = await backupRun({ plan: { retention: { latest: 1 } } })
    await run.run()
    const first = newest(run)
    await run.run()
    expect(run.benji.versions.map(({ uid }) => uid)).not.toContain(first.uid)
    const second = newest(run)
    second.protected = true
    await run.run()
    expect(run.benji.versions).toHaveLength(2)
    expect(run.said('warn').join('\n')).toContain(`version ${second.uid} was not removed`)
  })

  it('counts only versions of its own plan and storage, and those that nobody says whose they are', async () => {
    const run = await backupRun({ plan: { retention: { latest: 1 } }, benji: { storages: ['s1', 's2'] } })
    const date = new Date('2025-12-01T00:00:00Z')
    run.benji.add({ volume, uid: 'monthly', date, labels: { ...ours, [ownLabelNames.plan]: 'monthly' } })
    run.benji.add({ volume, uid: 'offsite', date, storage: 's2', labels: ours })
    run.benji.add({ volume, uid: 'theirs', date, labels: ours })
    await run.run()
    await run.run()
    const left = run.benji.versions.map(({ uid }) => uid)
    expect(left).toEqual(expect.arrayContaining(['monthly', 'offsite']))
    expect(left).not.toContain('theirs')
    expect(left).toHaveLength(3)
  })

  it('counts only versions of this volume and this installation', async () => {
    const run = await backupRun({ plan: { retention: { latest: 1 } } })
    run.benji.add({ volume, uid: 'west', labels: { ...ours, [labelNames.instance]: 'benji-west' } })
    run.benji.add({ volume: 'rbd/other', uid: 'other', labels: ours })
    await run.run()
    await run.run()
    expect(run.benji.versions.map(({ uid }) => uid)).toEqual(expect.arrayContaining(['west', 'other']))
    expect(run.benji.versions).toHaveLength(3)
  })
})

describe('K11: one volume’s failure', () => {
  it('never stops another', async () => {
    const run = await backupRun({ options: { images: ['rbd/missing', 'rbd/data'] } })
    const { status, targets } = await run.run()
    expect(status).toBe('partial')
    expect(targets).toMatchObject([
      { status: 'failed', error: { code: 'RBD_NOT_FOUND' } },
      { status: 'succeeded', verification: 'verified' },
    ])
  })

  it('K38: a volume that hangs is given up after its own time, and its snapshot goes', async () => {
    const run = await backupRun({
      options: { images: ['rbd/slow', 'rbd/data'], volumeTimeout: '5m' },
      plan: { concurrency: 2 },
    })
    run.ceph.create('rbd/slow')
    run.benji.badDays.next('backup', { at: 'created', hangs: true }, { match: 'rbd/slow' })
    const { status, targets } = await run.run({ step: '1s' })
    expect(status).toBe('partial')
    expect(targets).toMatchObject([{ status: 'failed', error: { code: 'HOOK_TIMEOUT' } }, { status: 'succeeded' }])
    expect(run.ceph.snapshotsOf('rbd/slow')).toEqual([])
    expect(run.benji.versions.filter(({ volume: of }) => of === 'rbd/slow')).toEqual([])
  })
})

it.each([
  ['variables of the engine’s environment are', { env: { PGPASSWORD: 'opensesame' } }],
  ['the password of a Pushgateway is', { compatMetrics: { gateway: 'http://push:opensesame@127.0.0.1:1' } }],
])('%s neither in the journal nor where its copies go', async (_, engine) => {
  const run = await backupRun({ options: { engine } })
  run.benji.badDays.next('backup', { at: 'created', exit: 74 })
  await run.run()
  const { stateDirectory } = run.test
  const files = readdirSync(stateDirectory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(stateDirectory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join()
  expect(files).toContain('benji-version')
  expect(files).not.toContain('opensesame')
  expect(run.benji.versions).toEqual([])
})
