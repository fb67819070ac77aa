// What keeps a real Benji's versions good and few: comparison, scrub, enforce, cleanup, retention.
import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { useSite, volumesConfig, type RunReport, type Use } from './support/benji.ts'
import { createSnapshot, MiB, writeImage } from './support/ceph.ts'
import { succeed } from './support/kubectl.ts'
import { useNamespace } from './support/namespace.ts'
import { backUpAsBenjiDoes } from './support/original.ts'
import { useVolumes, type VolumeOfClaim } from './support/volumes.ts'

const namespace = useNamespace('maintain')
const volumes = useVolumes(namespace)

type Report = RunReport & { readonly code: number; readonly log: string }

function succeeded(report: Report): Report {
  expect({ status: report.status, log: report.status === 'succeeded' ? '' : report.log }).toMatchObject({ log: '' })
  return report
}

async function createVolume(claim: string): Promise<VolumeOfClaim> {
  const volume = await volumes.create(claim)
  await writeImage(volume.image, { at: 0, bytes: randomBytes(MiB) }, { at: 8 * MiB, bytes: randomBytes(MiB) })
  return volume
}

describe('versions that are not what they should be', () => {
  const site = useSite()
  const { benji, project } = site
  let volume: VolumeOfClaim
  beforeAll(async () => (volume = await createVolume('data')))

  const configure = (engine: Readonly<Record<string, unknown>> = {}): void => {
    const plans = {
      volumes: ['benjiBackup', { pvcs: [volume.volume], compare: true }],
      scrub: ['benjiScrub', { deep: true }],
      status: ['benjiVersionsStatus', {}],
    } satisfies Record<string, Use>
    project.write('holdfast.config.ts', volumesConfig(benji, plans, engine))
  }

  test('fault F43: what differs from its source is no backup, although Benji’s exit code says so (C1); the next one is full', async () => {
    configure()
    expect(succeeded(await site.backUp('volumes')).targets[0]?.points[0]?.mode).toBe('full')
    // A source that is read differently the second time, as some releases of Ceph do it.
    await createSnapshot(volume.image, 'other')
    await writeImage(volume.image, { at: 0, bytes: randomBytes(MiB) })
    const lie = `#!/bin/bash
case "$*" in *deep-scrub*) set -- "\${@/rbd:*@*/rbd:${volume.image}@other}" ;; esac
exec benji "$@"
`
    project.write('benji-with-other-source', lie)
    configure({ command: [project.at('benji-with-other-source')] })
    const compared = await site.backUp('volumes')
    expect(compared).toMatchObject({
      code: 4,
      targets: [{ verification: 'unverified', error: { code: 'BENJI_SOURCE_MISMATCH' } }],
    })
    const [, doubtful] = await benji.ls()
    expect(doubtful).toMatchObject({ status: 'valid', labels: { 'holdfast.dev/source-mismatch': 'true' } })
    configure()
    const next = succeeded(await site.backUp('volumes'))
    expect(next.targets[0]?.points[0]?.mode).toBe('full')
    expect(next.log).toContain(`version ${doubtful?.uid}`)
    expect(next.log).toContain('differs from its source')
  })

  test('a deep scrub finds a block with one bit turned over; no backup counts from that version', async () => {
    const [newest] = (await benji.ls()).slice(-1)
    expect(succeeded(await site.backUp('scrub')).status).toBe('succeeded')
    for (const block of benji.blocks()) benji.damage(block)
    const scrubbed = await site.backUp('scrub')
    expect(scrubbed).toMatchObject({ code: 1, status: 'failed', error: { code: 'BENJI_DAMAGED' } })
    expect(scrubbed.error?.message).toContain(volume.volume)
    expect(await benji.ls('status == "valid"')).toEqual([])
    const status = await site.backUp('status')
    expect(succeeded(status).log).toContain('invalid: 3 versions')
    const next = succeeded(await site.backUp('volumes'))
    expect(next.targets[0]?.points[0]?.mode).toBe('full')
    expect(next.log).toContain(`version ${newest?.uid}`)
    expect(next.log).toContain('is invalid')
  })
})

describe('versions that are no longer wanted', () => {
  const site = useSite()
  const { benji, project } = site
  const configure = (plans: Parameters<typeof volumesConfig>[1]): void =>
    project.write('holdfast.config.ts', volumesConfig(benji, plans))
  const uids = async (): Promise<readonly string[]> => (await benji.ls()).map(({ uid }) => uid)
  let volume: VolumeOfClaim
  let made: readonly string[] = []

  beforeAll(async () => {
    volume = await createVolume('old')
    const days = ['b-2026-11-01T02:00:00Z', 'b-2026-11-02T02:00:00Z']
    for (const day of days) {
      await writeImage(volume.image, { at: 4 * MiB, bytes: randomBytes(MiB) })
      made = [...made, await backUpAsBenjiDoes(site, volume, day)]
    }
    configure({
      enforce: ['benjiEnforce', { rules: 'latest1' }],
      cleanup: ['benjiCleanup', {}],
      volumes: { use: ['benjiBackup', { pvcs: [volume.volume] }], retention: { latest: 1 } },
    })
  })

  test('enforce removes what the rules let go, and never the newest version that is good (C3)', async () => {
    const [oldest = '', middle = ''] = made
    const before = benji.blocks()
    await writeImage(volume.image, { at: 12 * MiB, bytes: randomBytes(MiB) })
    const newest = await backUpAsBenjiDoes(site, volume, 'b-2026-11-03T02:00:00Z')
    for (const block of benji.blocks().filter((each) => !before.includes(each))) benji.damage(block)
    expect((await benji.try('deep-scrub', newest)).code).toBe(65)
    // By itself Benji would keep only this one, which nobody can restore.
    const report = succeeded(await site.backUp('enforce'))
    expect(report.log).toContain(`the rules would remove the newest valid version of ${volume.volume}, ${middle}`)
    expect(await uids()).toEqual([middle, newest])
    expect(report.log).toContain(oldest)
    expect(await benji.ls('protected == True')).toEqual([])
  })

  test('cleanup frees what they alone used, once it is old enough', async () => {
    const before = benji.blocks().length
    succeeded(await site.backUp('cleanup'))
    expect(benji.blocks()).toHaveLength(before)
    await makeOlder(project.at('benji/benji.sqlite'))
    succeeded(await site.backUp('cleanup'))
    expect(benji.blocks().length).toBeLessThan(before)
    // What is left can be read.
    expect((await benji.try('deep-scrub', (await uids())[0] ?? '')).code).toBe(0)
  })

  test('a backup plan’s own retention is applied to its versions', async () => {
    const report = succeeded(await site.backUp('volumes'))
    expect(report.targets[0]?.points[0]?.mode).toBe('differential')
    const again = succeeded(await site.backUp('volumes'))
    expect(await benji.ls('status == "valid"')).toMatchObject([{ uid: again.targets[0]?.points[0]?.id }])
  })
})

/** Benji waits for an hour. */
async function makeOlder(database: string): Promise<void> {
  const script = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
older = "update deleted_blocks set date = strftime('%Y-%m-%d %H:%M:%S.000000', date, '-2 hours')"
assert database.execute(older).rowcount > 0
database.commit()
`
  await succeed('/usr/bin/python3', ['-c', script, database])
}
