import { compileFilter } from './fake-filter.ts'
import { addLabels, checkLabels } from './fake-labels.ts'
import { dismissed } from './fake-retention.ts'
import {
  BenjiFailure,
  document,
  findVersion,
  removeVersion,
  writeMetadata,
  type FakeBenjiCommand,
  type FakeVersion,
} from './fake-versions.ts'

/** `benji ls`: by volume, then oldest first. */
export const ls: FakeBenjiCommand = ({ store, words, now }) =>
  document(
    store.versions
      .filter(compileFilter(words[0] ?? '', now))
      .toSorted((a, b) => (a.volume === b.volume ? a.date.getTime() - b.date.getTime() : a.volume < b.volume ? -1 : 1)),
  )

/** `benji protect` and `benji unprotect`: one after the other, until one isn't there. */
export const protect =
  (on: boolean): FakeBenjiCommand =>
  ({ store, words, log }) => {
    for (const uid of words) {
      findVersion(store, uid).protected = on
      log.info(`Marked version ${uid} as ${on ? 'protected' : 'unprotected'}.`)
    }
    return ''
  }

/** `benji label`. */
export const label: FakeBenjiCommand = ({ store, words: [uid = '', ...labels], log }) => {
  const checked = checkLabels(labels)
  addLabels(findVersion(store, uid), checked, log)
  return ''
}

/** `benji rm`. Stage: `removed`, after each. */
export const rm: FakeBenjiCommand = async ({ store, words, log, option, now, reach }) => {
  const forced = option('force') !== undefined
  if (option('override-lock') !== undefined) log.warning('Will override any existing lock.')
  for (const uid of words) {
    const version = findVersion(store, uid)
    const lock = `Version ${uid}`
    if (store.locks.has(lock) && option('override-lock') === undefined) {
      throw new BenjiFailure(77, `AlreadyLocked: Version ${uid} is already locked.`)
    }
    if (version.protected) throw refused(`Version ${uid} is protected, will not delete it.`)
    const days = (now.getTime() - version.date.getTime()) / 86_400_000
    if (!forced && days < store.options.disallowRemoveWhenYounger)
      throw refused(`Version ${uid} is too young. Will not delete.`)
    if (!forced && version.status === 'incomplete')
      throw refused(`Version ${uid} cannot be removed without force, it has status incomplete.`)
    store.locks.delete(lock)
    removeVersion(store, version, log, option('keep-metadata-backup') !== undefined)
    await reach('removed')
  }
  return ''
}

/** `benji enforce`. C3: with --dry-run the plan is only in the log. */
export const enforce: FakeBenjiCommand = async ({
  store,
  words: [rules = '', filter = ''],
  log,
  option,
  now,
  reach,
}) => {
  const matches = store.versions.filter(compileFilter(filter, now))
  const considered = matches.filter((version) => {
    if (version.protected) log.info(`Not considering version ${version.uid}, it is protected.`)
    else if (version.status === 'incomplete')
      log.info(`Not considering version ${version.uid}, it has a status of incomplete.`)
    else return true
    return false
  })
  // The rules are checked although nothing may match.
  dismissed(rules, [], now)
  const volumes = Map.groupBy(considered, ({ volume }) => volume)
  const gone = [...volumes.values()].flatMap((versions) => dismissed(rules, versions, now))
  if (gone.length > 0) log.info(`Removing versions: ${gone.map(({ uid }) => uid).join(', ')}.`)
  else log.info('All versions are conforming to the retention policy.')
  if (option('dry-run') !== undefined) {
    log.info('Dry run, will not remove anything.')
    return document([])
  }
  await reach('planned')
  const removed: FakeVersion[] = []
  for (const version of gone) {
    if (store.locks.has(`Version ${version.uid}`)) {
      log.warning(`Version ${version.uid} could not be deleted, it is currently locked.`)
      continue
    }
    removeVersion(store, version, log, option('keep-metadata-backup') !== undefined)
    removed.push(version)
  }
  return document(removed.toSorted((a, b) => (a.uid < b.uid ? -1 : 1)))
}

/** `benji cleanup`. Stage: `locked`. */
export const cleanup: FakeBenjiCommand = async ({ store, log, option, reach }) => {
  if (store.locks.has('cleanup') && option('override-lock') === undefined) {
    throw new BenjiFailure(77, 'AlreadyLocked: Another cleanup is already running.')
  }
  await reach('locked')
  log.info('Cleanup')
  log.info('Cleanup finished: 0 false positives, 0 data deletions.')
  store.locks.delete('cleanup')
  return ''
}

/** `benji metadata-backup`. */
export const metadataBackup: FakeBenjiCommand = ({ store, words, log, option, now }) => {
  for (const version of store.versions.filter(compileFilter(words[0] ?? '', now))) {
    const { uid, storage } = version
    if (store.locks.has(`Version ${uid}`))
      throw new BenjiFailure(77, `AlreadyLocked: Version ${uid} is already locked.`)
    if (option('force') === undefined && store.metadata.get(storage)?.has(uid) === true) {
      throw new BenjiFailure(73, `FileExistsError: Version ${uid} already exists in storage.`)
    }
    writeMetadata(store, version)
    log.info(`Backed up metadata of version ${uid}.`)
  }
  return ''
}

/** `benji metadata-ls`. */
export const metadataLs: FakeBenjiCommand = ({ store, option }) => {
  const storage = option('storage') ?? store.options.storages[0] ?? ''
  return JSON.stringify([...(store.metadata.get(storage)?.keys() ?? [])], null, 2)
}

/** `benji version-info`. */
export const versionInfo: FakeBenjiCommand = () =>
  JSON.stringify({ version: '0.17.0', configuration_version: { current: '1.0.0', supported: '>=1,<2' } }, null, 4)

function refused(event: string): BenjiFailure {
  return new BenjiFailure(77, `PermissionError: ${event}`)
}
