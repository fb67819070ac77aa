import { existsSync } from 'node:fs'
import { isHoldfastError, type StorageDriver } from '@holdfast/sdk'
import { fsStorage, problemsOf, reasonOf, type LoadedConfig } from '@holdfast/runtime'
import { defaultStore, loadQuietly, openStorageAt } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { count, formatBytes } from '../output/format.ts'
import { ok, problem, warning, type Finding } from './check.ts'
import { roomOf, tryWrite } from './directory.ts'
import { copiesIn } from '../plans.ts'
import { storesArtifacts } from '../points.ts'

const storeTimeoutMs = 10_000

/** The configuration, and the store that it names. */
export async function checkConfiguration(context: CommandContext): Promise<readonly Finding[]> {
  const { loaded, findings } = await load(context)
  // Which store a configuration names that can't be read, nobody knows.
  const isKnown = context.settings.storage !== undefined || findings.every(({ status }) => status !== 'problem')
  return [...findings, ...(isKnown ? await checkStore(context, loaded) : []), ...(await checkCopies(loaded))]
}

async function load(
  context: CommandContext,
): Promise<{ readonly loaded?: LoadedConfig | undefined; readonly findings: readonly Finding[] }> {
  const check = 'configuration'
  try {
    const loaded = await loadQuietly(context)
    const { plans, source } = loaded.config
    const warnings = loaded.warnings.map(({ message, hint = '' }) => warning(check, message, hint))
    return { loaded, findings: [ok(check, `${source}: ${count(plans.length, 'plan')}`), ...warnings] }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    const problems = problemsOf(error)
    const none = problems.some(({ code }) => code === 'CONFIG_NOT_FOUND')
    const { message, hint = '' } = (none ? problems[0] : undefined) ?? error
    return { findings: [none ? warning(check, message, hint) : problem(check, message, hint)] }
  }
}

async function checkStore(context: CommandContext, loaded: LoadedConfig | undefined): Promise<readonly Finding[]> {
  const { settings, io } = context
  const check = 'store'
  const byDefault = defaultStore(settings.stateDirectory)
  const url = settings.storage ?? (loaded?.config.storage ? undefined : settings.defaultStorage)
  try {
    const driver =
      url === undefined ? (loaded?.config.storage ?? fsStorage({ path: byDefault })) : await openStorageAt(url, io.cwd)
    await look(driver)
    const name = url ?? driver.localDirectory ?? driver.address ?? driver.name
    const unwritable = driver.localDirectory === undefined ? undefined : checkDirectory(driver.localDirectory)
    if (unwritable) return [unwritable]
    if (url !== undefined || loaded?.config.storage) return [ok(check, describe(name, driver.localDirectory))]
    if (loaded && !loaded.config.plans.some(storesArtifacts))
      return [ok(check, 'no plan needs one: its plugins keep backups elsewhere')]
    const hint = 'Name a store that outlives this machine: `storage` in the configuration, or --storage.'
    return [warning(check, `artifacts go to ${name}, and are lost with the state directory`, hint)]
  } catch (error) {
    const hint = isHoldfastError(error) ? (error.hint ?? '') : 'Nothing can be stored there now.'
    return [problem(check, reasonOf(error), hint)]
  }
}

/** The store's directory is looked at as runs use it: what can only be read takes no backup. */
function checkDirectory(directory: string): Finding | undefined {
  if (!existsSync(directory)) return undefined
  // As an unfinished object is called: no reader of the store takes it for one, and what a crash leaves is swept.
  const refused = tryWrite(directory, '%tmp-doctor')
  if (refused === undefined) return undefined
  const hint =
    'No backup can be stored until it is writable for this user and has room; what it has can be restored. A file system that turned read-only by itself often has a failing disk.'
  return problem('store', `${directory} can be read, but not written: ${refused}`, hint)
}

function describe(name: string, directory: string | undefined): string {
  if (directory === undefined) return `${name} can be read`
  if (!existsSync(directory))
    return `${name} is not there: the first backup makes it. If there were backups, its volume is not mounted`
  const { filesystem, free } = roomOf(directory)
  return `${name} can be read and written (${filesystem}, ${formatBytes(free)} free)`
}

/** Each copy by itself: one that can't be reached doesn't hide the others. */
async function checkCopies(loaded: LoadedConfig | undefined): Promise<readonly Finding[]> {
  const check = 'copy'
  return Promise.all(
    copiesIn(loaded?.config.plans ?? []).map(async ({ name, driver }) => {
      try {
        await look(driver)
        return ok(check, `${name} can be read`)
      } catch (error) {
        const hint = isHoldfastError(error) ? (error.hint ?? '') : 'Runs will be partial until it can be reached.'
        return warning(check, `${name}: ${reasonOf(error)}`, hint)
      }
    }),
  )
}

/** Lists the first key: enough to know that the address and the credentials are right. */
async function look(driver: StorageDriver): Promise<void> {
  for await (const _ of driver.list('', { signal: AbortSignal.timeout(storeTimeoutMs) })) return
}
