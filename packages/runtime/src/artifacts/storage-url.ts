import { fileURLToPath } from 'node:url'
import { isHoldfastError, type HoldfastError, type StorageDriver } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { fsStorage } from './fs-driver.ts'
import { isRecord } from './manifest.ts'

/** Options of {@link openStorage}. */
export interface OpenStorageOptions {
  /**
   * Imports a module by its specifier.
   *
   * @defaultValue `import()`, as seen from this package
   */
  readonly import?: ((specifier: string) => Promise<unknown>) | undefined
}

/**
 * The store behind an address: `file:///path`; `<scheme>://…` of a package `@holdfast/storage-<scheme>`, whose export
 * `openStorage` takes the whole URL; or `module#export:{json}`, where the export takes the JSON as its options.
 *
 * @throws HoldfastError `STORAGE_URL_INVALID`, `STORAGE_UNKNOWN`, and what the driver throws
 * @example
 * ```ts
 * const driver = await openStorage('file:///backup')
 * ```
 */
export async function openStorage(address: string, options: OpenStorageOptions = {}): Promise<StorageDriver> {
  const { import: load = (specifier: string) => import(specifier) as Promise<unknown> } = options
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(address)?.[1]
  if (scheme === 'file') return fsStorage({ path: filePath(address) })
  if (scheme !== undefined) {
    const url = parseUrl(address)
    const module = `@holdfast/storage-${scheme}`
    const open = await loadExport(load, { module, name: 'openStorage', address })
    return checked(await open(url), address)
  }
  const [, module, name, json] = /^([^#]+)#([\w$]+)(?::(.*))?$/s.exec(address) ?? []
  if (module === undefined || name === undefined) {
    const reason = address.startsWith('/') ? `it is a path; write file://${encodeURI(address)}` : 'it is not a URL'
    throw invalid(address, reason)
  }
  const settings = parseOptions(json, address)
  const create = await loadExport(load, { module, name, address })
  return checked(await create(settings), address)
}

function filePath(address: string): string {
  const url = parseUrl(address)
  if (url.search !== '' || url.hash !== '') throw invalid(address, 'a file URL has no ? or #; write %3F or %23')
  try {
    return fileURLToPath(url)
  } catch (error) {
    throw invalid(address, reasonOf(error), error)
  }
}

function parseUrl(address: string): URL {
  try {
    return new URL(address)
  } catch (error) {
    throw invalid(address, 'it is not a URL', error)
  }
}

function parseOptions(json: string | undefined, address: string): unknown {
  if (json === undefined || json === '') return {}
  try {
    return JSON.parse(json) as unknown
  } catch (error) {
    throw invalid(address, 'what follows the export is not JSON', error)
  }
}

async function loadExport(
  load: (specifier: string) => Promise<unknown>,
  { module, name, address }: { readonly module: string; readonly name: string; readonly address: string },
): Promise<(argument: unknown) => unknown> {
  const unknown = (reason: string, cause?: unknown): HoldfastError =>
    errors.STORAGE_UNKNOWN({ address: shown(address), module, reason }, { cause })
  let loaded: unknown
  try {
    loaded = await load(module)
  } catch (error) {
    if (isHoldfastError(error)) throw error
    // A module that is there, but one that it needs isn't, is another matter.
    const missing =
      reasonOf(error).includes(module) && /cannot find|not found|does the file exist/i.test(reasonOf(error))
    throw unknown(missing ? 'is not installed' : `could not be loaded: ${reasonOf(error)}`, error)
  }
  const found = isRecord(loaded) ? loaded[name] : undefined
  if (typeof found !== 'function') throw unknown(`exports no function "${name}"`)
  return found as (argument: unknown) => unknown
}

function checked(driver: unknown, address: string): StorageDriver {
  const isDriver =
    isRecord(driver) && ['put', 'get', 'list', 'delete'].every((method) => typeof driver[method] === 'function')
  if (!isDriver) throw invalid(address, 'what it names is not a storage driver')
  return driver as unknown as StorageDriver
}

function invalid(address: string, reason: string, cause?: unknown): HoldfastError {
  return errors.STORAGE_URL_INVALID({ address: shown(address), reason }, { cause })
}

// Options and user info may hold what nobody should read in a log.
function shown(address: string): string {
  return address
    .replace(/^([^#]+#[\w$]+):.*$/s, '$1:…')
    .replace(/^([a-z][a-z0-9+.-]*:\/\/).*@/s, '$1…@')
    .replace(/\?.*$/s, '?…')
}
