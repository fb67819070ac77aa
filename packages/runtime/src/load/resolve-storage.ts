import { isHoldfastError, type HoldfastError, type StorageDriver } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { describeValue } from './describe-export.ts'
import { importModule, parseReference, pickExport, type ImportContext } from './import-module.ts'
import { isPlainObject } from './plain-object.ts'
import type { Position } from './problems.ts'

/** A store that could not be opened, and the place in its module's code, where that is known. */
export interface StorageFailure {
  readonly error: HoldfastError
  readonly position?: Position | undefined
}

/** How stores are opened. */
export interface StorageContext extends ImportContext {
  readonly openStorage: ((url: string) => Promise<StorageDriver>) | undefined
}

/**
 * Opens the store that is named: by a URL, `module#export`, `module#export:{json}`, or
 * `{ 'module#export': options }`.
 */
export async function openStore(address: unknown, context: StorageContext): Promise<StorageDriver | StorageFailure> {
  const [only, ...others] = isPlainObject(address) ? Object.entries(address) : []
  try {
    if (only !== undefined && others.length === 0) return await openModule(only[0], only[1] ?? {}, context)
    if (typeof address !== 'string') return invalid(`it is ${describeValue(address)}`)
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) {
      if (context.openStorage === undefined) return invalid('URLs are not supported here')
      return checkDriver(await context.openStorage(address), 'what was opened')
    }
    const [, reference = address, json] = /^(.*?#[\w$]+):(.*)$/s.exec(address) ?? []
    const options = json === undefined ? {} : parseJson(json)
    if (options === undefined) return invalid(`the options after "${reference}:" are not JSON`)
    return await openModule(reference, options, context)
  } catch (error) {
    return isHoldfastError(error) ? { error } : invalid(reasonOf(error), error)
  }
}

async function openModule(
  text: string,
  options: unknown,
  context: StorageContext,
): Promise<StorageDriver | StorageFailure> {
  const reference = parseReference(text)
  if (reference.export === undefined) return invalid(`"${text}" is neither a URL nor module#export`)
  const imported = await importModule(reference.module, context)
  if ('error' in imported) return imported
  const open = pickExport(imported, reference.export)
  if (typeof open !== 'function') return invalid(`${text} is ${describeValue(open)}, not a function that opens a store`)
  return checkDriver(await (open as (options: unknown) => unknown)(options), text)
}

// Without the parser's message, which repeats what it was given: that may be a secret.
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether something is a storage driver: it has every function of one. */
export function checkDriver(driver: unknown, what: string): StorageDriver | StorageFailure {
  if (!isPlainObject(driver)) return invalid(`${what} is ${describeValue(driver)}, not a storage driver`)
  const missing = ['put', 'get', 'list', 'delete'].filter((name) => typeof driver[name] !== 'function')
  if (missing.length > 0) return invalid(`${what} is no storage driver: it has no function ${missing.join(', ')}`)
  if (typeof driver['name'] !== 'string' || !isPlainObject(driver['capabilities'])) {
    return invalid(`${what} is no storage driver: it has no name or no capabilities`)
  }
  return driver as unknown as StorageDriver
}

function invalid(reason: string, cause?: unknown): StorageFailure {
  return { error: errors.STORAGE_INVALID({ reason }, { cause }) }
}
