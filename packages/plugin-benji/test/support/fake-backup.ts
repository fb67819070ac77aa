import { readFileSync } from 'node:fs'
import { isDeath } from './bad-days.ts'
import { objectsOf, type FakeExtent } from './fake-images.ts'
import { addLabels, checkLabels, isValue } from './fake-labels.ts'
import {
  BenjiFailure,
  document,
  findVersion,
  locked,
  removeVersion,
  writeMetadata,
  type FakeBenjiCommand,
  type FakeCommandInput,
  type FakeStore,
  type FakeVersion,
} from './fake-versions.ts'

/** `benji backup`. Stages: `created`, `valid`, `metadata` (written), `labelled`. */
export const backup: FakeBenjiCommand = async (input) => {
  const { store, log, now, reach, words, option, all } = input
  const [source = '', volume = ''] = words
  const uid = option('uid') ?? `${volume}-aaaaaa`
  const snapshot = option('snapshot') ?? ''
  if (!isValue(uid)) throw new BenjiFailure(65, `InputDataError: Version name ${uid} is invalid.`)
  if (!isValue(volume)) throw new BenjiFailure(64, `UsageError: Version name ${volume} is invalid.`)
  if (snapshot !== '' && !isValue(snapshot))
    throw new BenjiFailure(64, `UsageError: Snapshot name ${snapshot} is invalid.`)
  const labels = checkLabels(all('label'))
  const hints = readHints(option('rbd-hints'))
  const from = openUrl(store, source)
  const storage = option('storage') ?? store.options.storages[0] ?? ''
  if (!store.options.storages.includes(storage)) {
    throw new BenjiFailure(70, "AttributeError: 'NoneType' object has no attribute 'id'")
  }
  const blockSize = Number(option('block-size') ?? store.options.blockSize)
  const base = findBase(input, storage, blockSize)
  if (store.versions.some((version) => version.uid === uid)) {
    throw new BenjiFailure(
      70,
      'IntegrityError: (sqlite3.IntegrityError) UNIQUE constraint failed: versions.uid\n[SQL: …]',
    )
  }
  const version: FakeVersion = {
    uid,
    date: now,
    volume,
    snapshot,
    size: from.size,
    blockSize,
    status: 'incomplete',
    protected: false,
    storage,
    labels: new Map(),
    stats: undefined,
    contents: new Map(base?.contents),
    damaged: new Set(base?.damaged),
  }
  const make = async (): Promise<void> => {
    store.versions.push(version)
    const blocks = objectsOf(from.size)
    log.progress(base ? 'Creating from base version' : 'Creating version', blocks.length)
    await reach('created')
    const hinted = hints && touched(hints, from.size, uid, log)
    if (base && hinted) sanityCheck(input, version, from.contents, hinted)
    log.info(`Starting backup of ${source} to storage ${storage}, the newly created version is ${uid}.`)
    // The image may have grown since the base.
    const read = blocks.filter((index) => !hinted || hinted.has(index) || (base && index * 4 * 2 ** 20 >= base.size))
    if (hinted && !base) version.contents.clear()
    for (const index of version.contents.keys()) if (!blocks.includes(index)) version.contents.delete(index)
    // The block that the old end cut off is neither taken over nor read, unless the hints name it (seen on Benji 0.17.0).
    const cut =
      base && base.size < from.size && base.size % blockSize !== 0 ? Math.floor(base.size / (4 * 2 ** 20)) : -1
    if (hinted && !hinted.has(cut)) version.contents.delete(cut)
    for (const index of read) {
      const content = from.contents.get(index)
      if (content === undefined) version.contents.delete(index)
      else version.contents.set(index, content)
      version.damaged.delete(index)
    }
    log.progress('Backing up', read.length)
    version.status = 'valid'
    log.info(`Set status of version ${uid} to valid.`)
    await reach('valid')
    // C4: before its labels and its statistics are known.
    writeMetadata(store, version)
    log.info(`Backed up metadata of version ${uid}.`)
    await reach('metadata')
    const sparse = read.filter((index) => from.contents.get(index) === undefined).length * blockSize
    const bytes = read.length * blockSize
    version.stats = {
      bytes_read: bytes - sparse,
      bytes_written: bytes - sparse,
      bytes_deduplicated: 0,
      bytes_sparse: sparse,
      duration: 1,
    }
    log.info('Backup successful.')
  }
  await locked(store, uid, make, isDeath)
  await reach('unlabelled')
  addLabels(version, labels, log)
  await reach('labelled')
  return document([version])
}

interface Source {
  readonly size: number
  readonly contents: ReadonlyMap<number, string>
}

/** What a URL reads from. @throws BenjiFailure */
export function openUrl({ ceph, options }: FakeStore, url: string): Source {
  const colon = url.indexOf(':')
  if (colon === -1)
    throw new BenjiFailure(64, `UsageError: The supplied URL ${url} is invalid. You must provide a scheme.`)
  const scheme = url.slice(0, colon).toLowerCase()
  const [rest = ''] = url.slice(colon + 1).split('?')
  if (scheme === 'file') {
    try {
      return { size: 4 * 2 ** 20, contents: new Map([[0, readFileSync(rest, 'utf8')]]) }
    } catch {
      throw new BenjiFailure(66, `FileNotFoundError: [Errno 2] No such file or directory: '${rest}'`)
    }
  }
  if (!options.ios.includes(scheme)) throw new BenjiFailure(78, `ConfigurationError: IO scheme ${scheme} is undefined.`)
  const found = ceph.open(rest)
  if (!found) throw new BenjiFailure(66, `FileNotFoundError: RBD image or snapshot ${url} not found.`)
  return { size: found.size, contents: new Map(found.contents) }
}

function findBase({ store, option }: FakeCommandInput, storage: string, blockSize: number): FakeVersion | undefined {
  const uid = option('base-version')
  if (uid === undefined) return undefined
  const base = findVersion(store, uid)
  if (base.status !== 'valid')
    throw new BenjiFailure(64, 'UsageError: You can only base a new version on a valid old version.')
  if (base.blockSize !== blockSize) {
    throw new BenjiFailure(64, 'UsageError: Base version and new version have to have the same block size.')
  }
  if (base.storage !== storage) {
    throw new BenjiFailure(64, 'UsageError: Base version and new version have to be in the same storage.')
  }
  // As Benji 0.17 says it, which means to say that it is locked.
  if (store.locks.has(`Version ${uid}`)) {
    throw new BenjiFailure(70, `InternalError: Lock Version ${uid} isn't held by this instance or doesn't exist.`)
  }
  return base
}

function readHints(file: string | undefined): readonly FakeExtent[] | undefined {
  if (file === undefined) return undefined
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new BenjiFailure(66, `FileNotFoundError: [Errno 2] No such file or directory: '${file}'`)
  }
  try {
    return JSON.parse(text) as readonly FakeExtent[]
  } catch {
    throw new BenjiFailure(70, "JSONDecodeError: Expecting ',' delimiter: line 2 column 1 (char 26)")
  }
}

function touched(hints: readonly FakeExtent[], size: number, uid: string, log: FakeCommandInput['log']): Set<number> {
  const blocks = new Set<number>()
  for (const { offset, length } of hints) {
    if (offset + length > size) {
      log.error(`Lock Version ${uid} not released correctly, releasing it now.`)
      throw new BenjiFailure(65, 'InputDataError: Hints have higher offsets than source file.')
    }
    const last = Math.floor((offset + length - 1) / (4 * 2 ** 20))
    for (let index = Math.floor(offset / (4 * 2 ** 20)); index <= last; index++) blocks.add(index)
  }
  if (hints.length === 0) log.warning('Hints are empty, assuming nothing has changed.')
  return blocks
}

/** F43: hints that leave something out, if it is among the few blocks that are looked at. */
function sanityCheck(
  { store, log }: FakeCommandInput,
  version: FakeVersion,
  source: ReadonlyMap<number, string>,
  hinted: ReadonlySet<number>,
): void {
  log.info('Sanity checking hints')
  const looked = [...version.contents.keys()].filter((index) => !hinted.has(index)).slice(0, store.options.sanityBlocks)
  for (const index of looked) {
    if (source.get(index) === version.contents.get(index)) continue
    log.error(`Source and backup don't match in regions outside of the ones indicated by the hints.`)
    removeVersion(store, version, log, true)
    throw new BenjiFailure(65, 'InputDataError: Source changed in regions outside of ones indicated by the hints.')
  }
  log.info(`Finished sanity check. Checked ${looked.length} blocks.`)
}
