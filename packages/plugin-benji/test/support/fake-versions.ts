import type { BadDays } from './bad-days.ts'
import type { FakeCeph } from './fake-ceph.ts'
import type { Contents } from './fake-images.ts'

/** What a backup counted. */
export interface FakeStats {
  readonly bytes_read: number
  readonly bytes_written: number
  readonly bytes_deduplicated: number
  readonly bytes_sparse: number
  readonly duration: number
}

/** A version of a fake Benji. */
export interface FakeVersion {
  readonly uid: string
  readonly date: Date
  readonly volume: string
  readonly snapshot: string
  readonly size: number
  readonly blockSize: number
  status: 'incomplete' | 'valid' | 'invalid'
  protected: boolean
  readonly storage: string
  readonly labels: Map<string, string>
  stats: FakeStats | undefined
  readonly contents: Map<number, string>
  /** Blocks that aren't any more what was stored. */
  readonly damaged: Set<number>
}

/** What a metadata backup in the storage says about a version. */
export interface FakeMetadata {
  readonly labels: Contents | ReadonlyMap<string, string>
  readonly stats: FakeStats | undefined
}

/** What a fake Benji remembers between its calls. */
export interface FakeStore {
  readonly ceph: FakeCeph
  readonly badDays: BadDays
  readonly versions: FakeVersion[]
  /** `Version <uid>` and `cleanup`. */
  readonly locks: Set<string>
  /** By storage, then by uid. */
  readonly metadata: Map<string, Map<string, FakeMetadata>>
  readonly options: FakeBenjiOptions
}

/** How a fake Benji is set up. */
export interface FakeBenjiOptions {
  readonly ceph: FakeCeph
  /** The first is the default one. Default `['s1']`. Change it in place to change the configuration. */
  readonly storages: string[]
  /** Default 4 MiB. */
  blockSize: number
  /** Schemes of URLs that reach Ceph. Default `['rbd']`. */
  readonly ios: readonly string[]
  /** Days. Default 6. */
  readonly disallowRemoveWhenYounger: number
  /** Most blocks that a differential backup compares before it trusts its hints. Default 10, as Benji's of small images. */
  sanityBlocks: number
}

/** What Benji exits with, and says as its last event. */
export class BenjiFailure extends Error {
  readonly exitCode: number
  readonly stdout: string
  constructor(exitCode: number, event: string, stdout = '') {
    super(event)
    this.exitCode = exitCode
    this.stdout = stdout
  }
}

/** Writes Benji's log and knows its level. */
export interface FakeLog {
  info(event: string): void
  warning(event: string): void
  error(event: string): void
  /** `<task> n/m blocks (p%)`, first and last. */
  progress(task: string, total: number): void
  readonly text: string
}

/** A version as Benji prints it. */
export function toJson(version: FakeVersion): Record<string, unknown> {
  const { uid, date, volume, snapshot, size, blockSize, status, storage, labels, stats } = version
  return {
    uid,
    date: date.toISOString().replace('Z', '000Z'),
    volume,
    snapshot,
    size,
    block_size: blockSize,
    status,
    protected: version.protected,
    bytes_read: null,
    bytes_written: null,
    bytes_deduplicated: null,
    bytes_sparse: null,
    duration: null,
    ...stats,
    storage,
    labels: Object.fromEntries([...labels].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** Benji's document, without a newline at its end. */
export function document(versions: readonly FakeVersion[], errors?: readonly FakeVersion[]): string {
  return JSON.stringify(
    {
      metadata_version: '3.0.0',
      versions: versions.map(toJson),
      ...(errors && { errors: errors.map(toJson) }),
    },
    null,
    2,
  )
}

/** @throws BenjiFailure 66 */
export function findVersion(store: FakeStore, uid: string): FakeVersion {
  if (!/^[\w.:/@+](?:[\w.:/@+-]*[\w.:/@+])?$/.test(uid)) {
    throw new BenjiFailure(65, `InputDataError: Version name ${uid} is invalid.`)
  }
  const found = store.versions.find((version) => version.uid === uid)
  if (!found) throw new BenjiFailure(66, `KeyError: 'Version ${uid} not found.'`)
  return found
}

/** Holds a version's lock; what dies keeps it. @throws BenjiFailure 77 */
export async function locked<T>(
  store: FakeStore,
  uid: string,
  work: () => Promise<T>,
  dies: (error: unknown) => boolean,
): Promise<T> {
  const lock = `Version ${uid}`
  if (store.locks.has(lock)) throw new BenjiFailure(77, `AlreadyLocked: Version ${uid} is already locked.`)
  store.locks.add(lock)
  try {
    const result = await work()
    store.locks.delete(lock)
    return result
  } catch (error) {
    if (!dies(error)) store.locks.delete(lock)
    throw error
  }
}

/** Writes a version's metadata into its storage, as it is now. */
export function writeMetadata({ metadata }: FakeStore, { storage, uid, labels, stats }: FakeVersion): void {
  const inStorage = metadata.get(storage) ?? new Map<string, FakeMetadata>()
  inStorage.set(uid, { labels: new Map(labels), stats })
  metadata.set(storage, inStorage)
}

/** Removes versions as Benji does, metadata included. */
export function removeVersion(store: FakeStore, version: FakeVersion, log: FakeLog, keepMetadata: boolean): void {
  store.versions.splice(store.versions.indexOf(version), 1)
  if (!keepMetadata) {
    if (store.metadata.get(version.storage)?.delete(version.uid) === true) {
      log.info(`Removed version ${version.uid} metadata backup from storage.`)
    } else {
      log.warning(`Unable to remove version ${version.uid} metadata backup from storage, the object was not found.`)
    }
  }
  log.info(`Removed backup version ${version.uid} with ${Math.ceil(version.size / version.blockSize)} blocks.`)
}

/** Creates a {@link FakeLog}. */
export function createFakeLog(machine: boolean, level: string, now: () => Date): FakeLog {
  const levels = ['DEBUG', 'INFO', 'WARNING', 'ERROR']
  const from = levels.indexOf(level)
  let text = ''
  const write = (name: string, event: string): void => {
    if (levels.indexOf(name) < from) return
    text += machine
      ? `${JSON.stringify({
          event,
          level: name.toLowerCase(),
          timestamp: now().getTime() / 1000,
          file: '/benji/benji.py',
          line: 1,
          function: 'main',
          process: 42,
          thread_name: 'MainThread',
          thread_id: 1,
        })}\n`
      : `${name.padStart(8)}: ${event}\n`
  }
  return {
    info: (event) => write('INFO', event),
    warning: (event) => write('WARNING', event),
    error: (event) => write('ERROR', event),
    progress(task, total) {
      for (const done of new Set([1, total])) {
        if (total > 0) write('INFO', `${task} ${done}/${total} blocks (${((done / total) * 100).toFixed(1)}%)`)
      }
    },
    get text() {
      return text
    },
  }
}

/** What a command is given. */
export interface FakeCommandInput {
  readonly store: FakeStore
  readonly log: FakeLog
  readonly now: Date
  readonly reach: (stage: string) => Promise<void>
  readonly words: readonly string[]
  /** The last value of an option. */
  readonly option: (name: string) => string | undefined
  readonly all: (name: string) => readonly string[]
}

/** One of Benji's commands: its standard output. */
export type FakeBenjiCommand = (input: FakeCommandInput) => Promise<string> | string
