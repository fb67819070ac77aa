// What the clients rely on, as cases that run on the fakes here and on the real programs in e2e/: where they don't agree,
// the fake is wrong.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benji, BenjiBackupRequest } from '../../src/benji/benji.ts'
import { and, equals, equalsLabel, sinceSnapshot } from '../../src/benji/filter.ts'
import { sourceUrl } from '../../src/benji/source-url.ts'
import type { BenjiVersion } from '../../src/benji/version.ts'
import type { RbdImage } from '../../src/rbd/image.ts'
import type { Rbd } from '../../src/rbd/rbd.ts'
import { expect } from 'vitest'
import { failureOf } from './clients.ts'

/** Ceph and Benji, real or not. Sizes are in objects of 4 MiB, which are Benji's blocks as well. */
export interface World {
  readonly rbd: Rbd
  readonly benji: Benji
  /** For files. */
  readonly directory: string
  /** Makes an image of 4 objects, the first two written; in the namespace `ns` of the pool if that is asked for. */
  createImage(name: string, options?: { readonly namespace?: string }): Promise<RbdImage>
  /** Fills an object with one byte; `undefined` discards it. */
  write(image: RbdImage, object: number, byte: number | undefined): Promise<void>
  resize(image: RbdImage, objects: number): Promise<void>
  /** A version's data aren't any more what was stored. */
  damage(uid: string): Promise<void>
  /** A lock of a Benji that was killed, until it is removed by hand. @returns what does that */
  lock(uid: string): Promise<() => Promise<void>>
  /** A Benji is killed in the middle of a backup. */
  killBackup(uid: string, image: RbdImage): Promise<void>
  /** All clusters see it. Names must not collide. */
  readonly prefix: string
}

/** One case. */
export interface ClientCase {
  readonly name: string
  run(world: World): Promise<void>
}

interface Made {
  readonly image: RbdImage
  readonly version: BenjiVersion
  readonly volume: string
}

/** Snapshot, diff, backup. */
async function backUp(
  world: World,
  image: RbdImage,
  uid: string,
  options: { readonly snapshot: string; readonly from?: string; readonly base?: string } & Partial<BenjiBackupRequest>,
): Promise<Made> {
  const { snapshot, from, ...request } = options
  const { rbd, benji } = world
  const volume = `web/${image.name}`
  await rbd.createSnapshot(image, snapshot)
  const hints = join(world.directory, `${uid}.json`)
  await rbd.diff({ image, snapshot, from, wholeObject: true, file: hints })
  const source = sourceUrl(undefined, image, snapshot)
  const version = await benji.backup({ uid, volume, snapshot, source, hints, labels: {}, ...request })
  return { image, version, volume }
}

const object = 4 * 2 ** 20
const first = 'b-2026-01-01T00:00:00Z'
const second = 'b-2026-01-02T00:00:00Z'

/** The cases. Each makes images and versions of its own. */
export const clientCases: readonly ClientCase[] = [
  {
    name: 'snapshots are listed oldest first, and removing one that is gone is no error',
    async run({ rbd, createImage, prefix }) {
      const image = await createImage(`${prefix}snaps`)
      expect(await rbd.snapshots(image)).toEqual([])
      await rbd.createSnapshot(image, second)
      await rbd.createSnapshot(image, first)
      const found = await rbd.snapshots(image)
      expect(found).toMatchObject([
        { name: second, size: 4 * object, protected: false },
        { name: first, size: 4 * object, protected: false },
      ])
      expect(found[0]?.id).toBeLessThan(found[1]?.id ?? 0)
      expect(await failureOf(rbd.createSnapshot(image, first))).toMatchObject({
        code: 'RBD_FAILED',
        details: { exitCode: 17 },
      })
      await rbd.removeSnapshot(image, first)
      await rbd.removeSnapshot(image, first)
      expect(await rbd.snapshots(image)).toMatchObject([{ name: second }])
    },
  },
  {
    name: 'what is not there is told from what is',
    async run({ rbd, createImage, prefix, directory }) {
      const image = await createImage(`${prefix}there`)
      const gone = { ...image, name: `${prefix}gone` }
      const noPool = { ...image, pool: `${prefix}nopool` }
      expect(await rbd.info(image)).toEqual({ size: 4 * object, id: expect.stringMatching(/^[0-9a-f]+$/) })
      expect(await rbd.info(gone)).toBeUndefined()
      expect(await rbd.info(noPool)).toBeUndefined()
      expect(await rbd.info({ ...image, namespace: `${prefix}nons` })).toBeUndefined()
      expect(await rbd.watchers(image)).toEqual([])
      const file = join(directory, 'diff.json')
      for (const work of [
        () => rbd.snapshots(gone),
        () => rbd.snapshots(noPool),
        () => rbd.createSnapshot(gone, first),
        () => rbd.watchers(gone),
        () => rbd.diff({ image, snapshot: first, wholeObject: true, file }),
      ]) {
        expect(await failureOf(work())).toMatchObject({ code: 'RBD_NOT_FOUND', details: { exitCode: 2 } })
      }
      await rbd.removeSnapshot(gone, first)
    },
  },
  {
    name: 'a diff says what is in a snapshot, and what has changed since another',
    async run({ rbd, createImage, write, resize, prefix, directory }) {
      const image = await createImage(`${prefix}diff`)
      const file = join(directory, 'diff.json')
      const extents = async (snapshot: string, from?: string): Promise<unknown> => {
        const { extents: count } = await rbd.diff({ image, snapshot, from, wholeObject: true, file })
        const read = JSON.parse(await readFile(file, 'utf8')) as unknown[]
        expect(read).toHaveLength(count)
        return read
      }
      await rbd.createSnapshot(image, first)
      expect(await extents(first)).toEqual([
        { offset: 0, length: object, exists: 'true' },
        { offset: object, length: object, exists: 'true' },
      ])
      expect(await extents(first, first)).toEqual([])
      await write(image, 1, undefined)
      await write(image, 3, 7)
      await resize(image, 6)
      await rbd.createSnapshot(image, second)
      expect(await extents(second, first)).toEqual([
        { offset: object, length: object, exists: 'false' },
        { offset: 3 * object, length: object, exists: 'true' },
      ])
      const failure = failureOf(rbd.diff({ image, snapshot: second, from: 'b-nope', wholeObject: false, file }))
      expect(await failure).toMatchObject({ code: 'RBD_NOT_FOUND' })
      await expect(readFile(file)).rejects.toThrow('ENOENT')
    },
  },
  {
    name: 'a full backup, and a differential one that counts from it',
    async run(world) {
      const { benji, createImage, write, prefix } = world
      const image = await createImage(`${prefix}chain`)
      const labels = { 'benji-backup.me/instance': 'east', 'benji-backup.me/ceph-namespace': '' }
      const full = await backUp(world, image, `${prefix}full`, { snapshot: first, labels })
      expect(full.version).toMatchObject({
        uid: `${prefix}full`,
        volume: full.volume,
        snapshot: first,
        size: 4 * object,
        blockSize: object,
        status: 'valid',
        protected: false,
        storage: 's1',
        labels,
        bytesRead: 2 * object,
        bytesSparse: 0,
      })
      await write(image, 3, 9)
      const uid = `${prefix}differential`
      const { version } = await backUp(world, image, uid, {
        snapshot: second,
        from: first,
        base: full.version.uid,
        labels,
      })
      expect(version).toMatchObject({ uid, status: 'valid', bytesRead: object, labels })
      expect(await benji.find(uid)).toEqual(version)
      const ours = and(equals('volume', full.volume), equalsLabel('benji-backup.me/instance', 'east'))
      expect((await benji.ls(ours)).map((each) => each.uid)).toEqual([full.version.uid, uid])
      expect(await benji.ls(and(ours, equals('snapshot', second)))).toEqual([version])
      expect((await benji.ls(and(ours, sinceSnapshot(first)))).map((each) => each.uid)).toEqual([full.version.uid, uid])
      expect(await benji.ls(and(ours, sinceSnapshot(second)))).toEqual([version])
      expect(await benji.ls(and(ours, equals('status', 'invalid')))).toEqual([])
      expect(await benji.ls(`volume == "${full.volume}" and (not status == "valid" or date < "1 day ago")`)).toEqual([])
      expect((await benji.metadataLs()).has(uid)).toBe(true)
    },
  },
  {
    name: 'K19: an image of a RADOS namespace',
    async run(world) {
      const image = await world.createImage(`${world.prefix}inns`, { namespace: 'ns' })
      const { version } = await backUp(world, image, `${world.prefix}ns`, { snapshot: first })
      expect(version).toMatchObject({ status: 'valid', bytesRead: 2 * object })
    },
  },
  {
    name: 'K23: a base that Benji does not take, and what it says of it',
    async run(world) {
      const { benji, createImage, prefix } = world
      const image = await createImage(`${prefix}base`)
      const { version } = await backUp(world, image, `${prefix}b1`, { snapshot: first })
      const again = (uid: string, request: Partial<BenjiBackupRequest>): Promise<unknown> =>
        benji.backup({
          uid,
          volume: version.volume,
          snapshot: first,
          source: sourceUrl(undefined, image, first),
          labels: {},
          ...request,
        })
      const code = async (work: Promise<unknown>): Promise<unknown> => (await failureOf(work)).code
      expect(await code(again(`${prefix}b2`, { base: `${prefix}nope` }))).toBe('BENJI_NOT_FOUND')
      expect(await code(again(`${prefix}b2`, { base: version.uid, blockSize: 2 * object }))).toBe('BENJI_USAGE')
      expect(await code(again(version.uid, {}))).toBe('BENJI_EXISTS')
      expect(await code(again(`${prefix}b2`, { hints: join(world.directory, 'nope.json') }))).toBe('BENJI_NOT_FOUND')
      expect(await code(again(`${prefix}b2`, { source: `frob:rbd/${image.name}` }))).toBe('BENJI_CONFIG')
      expect(await code(again(`${prefix}b2`, { source: 'nothing' }))).toBe('BENJI_USAGE')
      expect(await code(again(`${prefix}b2`, { source: sourceUrl(undefined, image, 'b-nope') }))).toBe(
        'BENJI_NOT_FOUND',
      )
      expect(await code(again('-b2', {}))).toBe('BENJI_DATA')
      expect(await code(again(`${prefix}b2`, { volume: '-v' }))).toBe('BENJI_USAGE')
      expect(await code(again(`${prefix}b2`, { labels: { a: '-' } }))).toBe('BENJI_USAGE')
      expect(await benji.find(`${prefix}b2`)).toBeUndefined()
      const unlock = await world.lock(version.uid)
      expect(await code(again(`${prefix}b2`, { base: version.uid }))).toBe('BENJI_LOCKED')
      await unlock()
      await again(`${prefix}b2`, { base: version.uid })
    },
  },
  {
    name: 'F43: a differential backup whose hints leave something out',
    async run(world) {
      const { benji, rbd, createImage, write, prefix, directory } = world
      const image = await createImage(`${prefix}hints`)
      const { version } = await backUp(world, image, `${prefix}h1`, { snapshot: first })
      await write(image, 0, 33)
      await rbd.createSnapshot(image, second)
      const hints = join(directory, 'empty.json')
      await rbd.diff({ image, snapshot: first, from: first, wholeObject: true, file: hints })
      const request = { uid: `${prefix}h2`, volume: version.volume, snapshot: second, labels: {} }
      const source = sourceUrl(undefined, image, second)
      const failure = await failureOf(benji.backup({ ...request, source, hints, base: version.uid }))
      expect(failure).toMatchObject({ code: 'BENJI_DATA', details: { exitCode: 65 } })
      expect(await benji.find(`${prefix}h2`)).toBeUndefined()
    },
  },
  {
    name: 'labels are set and removed, versions protected, and protected ones not removed',
    async run(world) {
      const { benji, createImage, prefix } = world
      const image = await createImage(`${prefix}upkeep`)
      const { version } = await backUp(world, image, `${prefix}u1`, { snapshot: first, labels: { gone: 'x' } })
      const { uid } = version
      await benji.label(uid, { 'holdfast.dev/a': 'b+c', empty: '', gone: undefined, never: undefined })
      await benji.protect([uid])
      expect(await benji.find(uid)).toMatchObject({ protected: true, labels: { 'holdfast.dev/a': 'b+c', empty: '' } })
      expect((await benji.ls(equalsLabel('empty', ''))).map((each) => each.uid)).toContain(uid)
      expect(await failureOf(benji.rm([uid], { force: true }))).toMatchObject({
        code: 'BENJI_REFUSED',
        details: { exitCode: 77, event: `PermissionError: Version ${uid} is protected, will not delete it.` },
      })
      await benji.metadataBackup(equals('uid', uid))
      await benji.metadataBackup(equals('uid', `${prefix}nope`))
      await benji.unprotect([uid])
      expect(await failureOf(benji.rm([uid]))).toMatchObject({ code: 'BENJI_REFUSED' })
      const failure = await failureOf(benji.rm([uid, `${prefix}nope`], { force: true }))
      expect(failure).toMatchObject({ code: 'BENJI_NOT_FOUND' })
      expect(await benji.find(uid)).toBeUndefined()
      expect((await benji.metadataLs()).has(uid)).toBe(false)
      expect((await failureOf(benji.protect([uid]))).code).toBe('BENJI_NOT_FOUND')
      expect((await failureOf(benji.label(uid, { a: 'b' }))).code).toBe('BENJI_NOT_FOUND')
    },
  },
  {
    name: 'C3: enforce tells what it would remove, and what it has removed',
    async run(world) {
      const { benji, createImage, prefix } = world
      const image = await createImage(`${prefix}enforce`)
      const uids = ['e1', 'e2', 'e3'].map((name) => `${prefix}${name}`)
      for (const [index, uid] of uids.entries()) {
        await backUp(world, image, uid, { snapshot: `b-2026-02-0${index + 1}T00:00:00Z` })
      }
      const filter = equals('volume', `web/${image.name}`)
      expect(await benji.enforce({ rules: 'latest1', filter, dryRun: true })).toEqual({ removed: uids.slice(0, 2) })
      expect(await benji.enforce({ rules: 'latest3', filter, dryRun: true })).toEqual({ removed: [] })
      expect(await benji.ls(filter)).toHaveLength(3)
      expect(await benji.enforce({ rules: 'latest1', filter })).toEqual({ removed: uids.slice(0, 2) })
      expect((await benji.ls(filter)).map(({ uid }) => uid)).toEqual(uids.slice(2))
      expect(await benji.enforce({ rules: 'latest1', filter })).toEqual({ removed: [] })
      expect((await failureOf(benji.enforce({ rules: 'latest0', filter }))).code).toBe('BENJI_USAGE')
      expect((await failureOf(benji.enforce({ rules: 'frob1', filter }))).code).toBe('BENJI_FAILED')
      expect((await failureOf(benji.ls('frob == 1'))).code).toBe('BENJI_USAGE')
      expect((await failureOf(benji.ls('status == "frob"'))).details['exitCode']).toBe(70)
      expect((await benji.cleanup()).report).toMatch(/^Cleanup finished: \d+ false positives, \d+ data deletions\.$/)
    },
  },
  {
    name: 'C1: a comparison with the source finds what differs, whatever the exit code is',
    async run(world) {
      const { benji, createImage, write, prefix } = world
      const image = await createImage(`${prefix}compare`)
      const { version } = await backUp(world, image, `${prefix}c1`, { snapshot: first })
      const { uid } = version
      const source = sourceUrl(undefined, image)
      const seen: string[] = []
      const same = await benji.deepScrub({ uid, source }, (done, total, task) => seen.push(`${task} ${done}/${total}`))
      expect(same).toMatchObject({ versions: [{ uid }], errors: [], problems: [], skipped: [] })
      expect(seen).toContain('Deep-scrubbing 2/2')
      await write(image, 0, 77)
      const different = await benji.deepScrub({ uid, source })
      expect(different).toMatchObject({ versions: [{ uid, status: 'valid' }], errors: [] })
      expect(different.problems).toContain(`Version ${uid} had source mismatches.`)
      await write(image, 0, 1)
      await write(image, 2, 77)
      const notSparse = await benji.deepScrub({ uid, source })
      expect(notSparse).toMatchObject({ errors: [{ uid, status: 'invalid' }] })
      expect(notSparse.problems).toContain(`Version ${uid} had sparse blocks where the source does not.`)
      expect((await failureOf(benji.deepScrub({ uid: `${prefix}nope` }))).code).toBe('BENJI_NOT_FOUND')
    },
  },
  {
    name: 'C2: a restore of damaged data says so, and a scrub finds the damage',
    async run(world) {
      const { benji, rbd, createImage, damage, prefix } = world
      const image = await createImage(`${prefix}restore`)
      const { version } = await backUp(world, image, `${prefix}r1`, { snapshot: first })
      const { uid } = version
      const target = { ...image, name: `${prefix}restored` }
      const to = sourceUrl(undefined, target)
      expect(await benji.restore({ uid, to, sparse: true })).toEqual({ problems: [] })
      expect(await rbd.info(target)).toMatchObject({ size: 4 * object })
      expect((await failureOf(benji.restore({ uid, to }))).code).toBe('BENJI_EXISTS')
      await damage(uid)
      const { problems } = await benji.restore({ uid, to, sparse: true, force: true })
      expect(problems.join('\n')).toMatch(
        /^Checksum mismatch during restore for block \d.*Block restored is invalid\.$/m,
      )
      const scrubbed = await benji.deepScrub({ uid })
      expect(scrubbed).toMatchObject({ errors: [{ uid, status: 'invalid' }] })
      expect(scrubbed.problems.join('\n')).toMatch(/Checksum mismatch during deep-scrub of block/)
      const batch = await benji.batchScrub({ deep: true, filter: equals('uid', uid), blockPercentage: 100 })
      expect(batch).toMatchObject({ versions: [{ uid }], errors: [{ uid }] })
      expect((await failureOf(benji.restore({ uid: `${prefix}nope`, to }))).code).toBe('BENJI_NOT_FOUND')
    },
  },
  {
    name: 'C6: a killed backup leaves an incomplete version and its lock',
    async run(world) {
      const { benji, createImage, killBackup, prefix } = world
      const image = await createImage(`${prefix}killed`)
      const uid = `${prefix}k1`
      await killBackup(uid, image)
      expect(await benji.find(uid)).toMatchObject({ status: 'incomplete', bytesRead: undefined, labels: {} })
      for (const work of [() => benji.rm([uid], { force: true }), () => benji.metadataBackup(equals('uid', uid))]) {
        expect(await failureOf(work())).toMatchObject({
          code: 'BENJI_LOCKED',
          retryable: true,
          details: { exitCode: 77, event: `AlreadyLocked: Version ${uid} is already locked.` },
        })
      }
      const batch = await benji.batchScrub({ deep: false, filter: equals('uid', uid) })
      expect(batch).toMatchObject({ versions: [{ uid }], errors: [], problems: [], skipped: [uid] })
      await benji.rm([uid], { force: true, overrideLock: true })
      expect(await benji.find(uid)).toBeUndefined()
    },
  },
]
