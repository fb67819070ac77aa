import { isDeath } from './bad-days.ts'
import { openUrl } from './fake-backup.ts'
import { compileFilter } from './fake-filter.ts'
import { objectsOf } from './fake-images.ts'
import {
  BenjiFailure,
  document,
  findVersion,
  locked,
  type FakeBenjiCommand,
  type FakeCommandInput,
  type FakeVersion,
} from './fake-versions.ts'

/** `benji deep-scrub` and `benji scrub`. Stage: `locked`. */
export const scrub =
  (deep: boolean): FakeBenjiCommand =>
  async (input) => {
    const version = findVersion(input.store, input.words[0] ?? '')
    try {
      await scrubOne(input, version, deep)
    } catch (error) {
      if (!(error instanceof BenjiFailure) || error.exitCode !== 65) throw error
      throw new BenjiFailure(65, error.message, document([version], [version]))
    }
    return document([version], [])
  }

/** `benji batch-deep-scrub` and `benji batch-scrub`: what is locked is passed over. */
export const batchScrub =
  (deep: boolean): FakeBenjiCommand =>
  async (input) => {
    const { store, log, words, option, now } = input
    const matches = store.versions.filter(compileFilter(words[0] ?? '', now))
    const some = sample(matches, option('version-percentage')).toSorted((a, b) => (a.uid < b.uid ? -1 : 1))
    if (some.length === 0) log.info('No matching versions found.')
    const errors: FakeVersion[] = []
    for (const version of some) {
      try {
        log.info(
          `${deep ? 'Deep-scrubbing' : 'Scrubbing'} ${option('block-percentage') ?? 100}% of version ${version.uid} (volume ${version.volume}).`,
        )
        await scrubOne(input, version, deep)
      } catch (error) {
        if (!(error instanceof BenjiFailure)) throw error
        if (error.exitCode === 77) log.warning(`Skipping version ${version.uid}, it is locked. `)
        else if (error.exitCode === 65) {
          log.error(error.message.replace('ScrubbingError: ', ''))
          errors.push(version)
        } else throw error
      }
    }
    if (errors.length > 0) {
      throw new BenjiFailure(
        65,
        `ScrubbingError: One or more version had scrubbing errors: ${errors.map(({ uid }) => uid).join(', ')}.`,
        document(some, errors),
      )
    }
    return document(some, [])
  }

async function scrubOne(input: FakeCommandInput, version: FakeVersion, deep: boolean): Promise<void> {
  const { store, log, option, reach } = input
  const { uid } = version
  const task = deep ? 'Deep-scrub' : 'Scrub'
  const work = async (): Promise<void> => {
    if (version.status === 'incomplete' || (!deep && version.status === 'invalid')) {
      const scrubbed = deep ? 'deep-scrubbed' : 'scrubbed'
      throw new BenjiFailure(
        65,
        `ScrubbingError: Version ${uid} cannot be ${scrubbed}, it has a status of ${version.status}.`,
      )
    }
    await reach('locked')
    if (version.status === 'invalid') log.warning(`Version ${uid} has a status of invalid.`)
    const blocks = sample([...version.contents.keys()], option('block-percentage'))
    log.progress(`Preparing ${task.toLowerCase()}`, objectsOf(version.size).length)
    log.progress(`${task}bing`, blocks.length)
    const bad = deep ? blocks.filter((index) => version.damaged.has(index)) : []
    for (const index of bad) {
      log.error(
        `Checksum mismatch during ${task.toLowerCase()} of block ${index} of version ${uid} (UID 1-${index}) (is: 8af12a8f... should-be: b0995369...).`,
      )
      log.error(`Marked block with UID 1-${index} as invalid in all affected versions: ${uid}.`)
    }
    const url = deep ? option('source') : undefined
    if (url !== undefined && bad.length === 0) compareWithSource(input, version, url, blocks)
    if (bad.length > 0) {
      version.status = 'invalid'
      log.error(`Marked version ${uid} as invalid because it has errors.`)
      throw new BenjiFailure(65, `ScrubbingError: ${task} of version ${uid} failed.`)
    }
    if (deep && Number(option('block-percentage') ?? 100) === 100) {
      version.status = 'valid'
      log.info(`Set status of version ${uid} to valid.`)
    }
    log.info(`${task} of version ${uid} successful.`)
  }
  await locked(store, uid, work, isDeath)
}

/** C1: data that differ are only logged; a sparse block that isn't zeros in the source is a failure. */
function compareWithSource(
  { store, log }: FakeCommandInput,
  version: FakeVersion,
  url: string,
  blocks: readonly number[],
): void {
  const { uid, contents } = version
  const source = openUrl(store, url).contents
  const different = blocks.filter((index) => source.get(index) !== contents.get(index))
  for (const index of different) {
    log.error(
      `Source data has changed for block ${index} of version ${uid} (UID 1-${index}) (is: 0162eaf3... should-be: 7d27bd2f...). Will not mark this block as invalid, because the source looks wrong.`,
    )
  }
  if (different.length > 0) log.error(`Version ${uid} had source mismatches.`)
  const sparse = objectsOf(version.size).filter((index) => !contents.has(index))
  log.progress('Checking sparse blocks', sparse.length)
  if (!sparse.some((index) => source.has(index))) return
  log.error(`Version ${uid} had sparse blocks where the source does not.`)
  version.status = 'invalid'
  throw new BenjiFailure(65, `ScrubbingError: Deep-scrub of version ${uid} failed.`)
}

function sample<T>(all: readonly T[], percentage: string | undefined): readonly T[] {
  const share = Number(percentage ?? 100) / 100
  return share >= 1 ? all : all.slice(0, Math.max(1, Math.floor(all.length * share)))
}
