// Small objects, and drivers that may come from anywhere.
import { isHoldfastError, type Bytes, type StorageDriver } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'

/** No manifest or mark comes near; what is larger was not written by us. */
const longestText = 4 * 1024 * 1024

/**
 * A driver whose errors are all typed: what isn't a HoldfastError becomes `STORAGE_IO`, and an aborted call rejects with
 * its signal's reason.
 */
export function typedDriver(driver: StorageDriver): StorageDriver {
  type Operation = 'put' | 'get' | 'list' | 'delete' | 'sweep'
  const typed = (operation: Operation, key: string, signal: AbortSignal, error: unknown): unknown => {
    if (isHoldfastError(error)) return error
    if (signal.aborted) return signal.reason
    return errors.STORAGE_IO({ operation, key, reason: reasonOf(error) }, { cause: error })
  }
  async function* iterate<T>(operation: Operation, key: string, signal: AbortSignal, items: () => AsyncIterable<T>) {
    try {
      yield* items()
    } catch (error) {
      throw typed(operation, key, signal, error)
    }
  }
  const call = async (operation: Operation, key: string, signal: AbortSignal, body: () => Promise<void>) => {
    try {
      await body()
    } catch (error) {
      throw typed(operation, key, signal, error)
    }
  }
  return {
    name: driver.name,
    address: driver.address,
    capabilities: driver.capabilities,
    localDirectory: driver.localDirectory,
    put: (key, body, options) => call('put', key, options.signal, () => driver.put(key, body, options)),
    get: (key, options) => iterate('get', key, options.signal, () => driver.get(key, options)),
    list: (prefix, options) => iterate('list', prefix, options.signal, () => driver.list(prefix, options)),
    delete: (key, options) => call('delete', key, options.signal, () => driver.delete(key, options)),
    sweep: (before, options) => call('sweep', '', options.signal, async () => driver.sweep?.(before, options)),
  }
}

/** Stores a text. */
export async function putText(driver: StorageDriver, key: string, text: string, signal: AbortSignal): Promise<void> {
  await driver.put(key, once(Buffer.from(text)), { signal })
}

async function* once(bytes: Uint8Array): Bytes & AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Reads a text whole; `undefined` where there is no such object. */
export async function getText(driver: StorageDriver, key: string, signal: AbortSignal): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of driver.get(key, { signal })) {
      chunks.push(chunk)
      size += chunk.byteLength
      if (size > longestText) break
    }
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'STORAGE_NOT_FOUND') return undefined
    throw error
  }
  return Buffer.concat(chunks).toString('utf8')
}
