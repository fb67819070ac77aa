// A store that hangs must not hang a run: every operation ends, whether its driver listens to signals or not.
import { formatDuration, type Bytes, type StorageDriver } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import { abortable } from './abortable.ts'
import { untilAborted } from '../until-aborted.ts'

/** Options of {@link boundedDriver}. */
export interface BoundedDriverOptions {
  readonly clock: Pick<RuntimeClock, 'setTimer'>
  /** Milliseconds that an operation may do nothing: no byte, no key, no end. */
  readonly idleMs: number
}

/** A store that does nothing for so long is given up. */
export const longestIdleMs = 10 * 60_000

type Operation = 'put' | 'get' | 'list' | 'delete' | 'sweep'

/**
 * A driver whose operations end as soon as their signal aborts, and with `STORAGE_STALLED` when nothing of them moves
 * for too long. The time that others take, a source that a put reads or the reader of a get, doesn't count.
 */
export function boundedDriver(driver: StorageDriver, { clock, idleMs }: BoundedDriverOptions): StorageDriver {
  const patience = (operation: Operation, key: string, parent: AbortSignal): Patience =>
    startPatience(clock, idleMs, parent, () => errors.STORAGE_STALLED({ operation, key, idle: formatDuration(idleMs) }))

  async function call(
    operation: Operation,
    key: string,
    parent: AbortSignal,
    body: (signal: AbortSignal, patience: Patience) => Promise<unknown>,
  ): Promise<void> {
    const waiting = patience(operation, key, parent)
    try {
      await untilAborted(body(waiting.signal, waiting), waiting.signal)
    } catch (error) {
      // What a driver makes of an abort says less.
      throw waiting.signal.aborted ? waiting.signal.reason : error
    } finally {
      waiting.end()
    }
  }

  async function* iterate<T>(
    operation: Operation,
    key: string,
    parent: AbortSignal,
    items: (signal: AbortSignal) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    const waiting = patience(operation, key, parent)
    try {
      for await (const item of abortable(items(waiting.signal), waiting.signal)) {
        waiting.pause()
        yield item
        waiting.restart()
      }
    } catch (error) {
      throw waiting.signal.aborted ? waiting.signal.reason : error
    } finally {
      waiting.end()
    }
  }

  return {
    name: driver.name,
    address: driver.address,
    capabilities: driver.capabilities,
    localDirectory: driver.localDirectory,
    async put(key, body, options) {
      const source = body[Symbol.asyncIterator]()
      try {
        await call('put', key, options.signal, (signal, waiting) =>
          driver.put(key, watched(source, waiting), { ...options, signal }),
        )
      } finally {
        // A driver that was left behind doesn't close it.
        source.return?.().catch(() => {})
      }
    },
    get: (key, options) => iterate('get', key, options.signal, (signal) => driver.get(key, { ...options, signal })),
    list: (prefix, options) =>
      iterate('list', prefix, options.signal, (signal) => driver.list(prefix, { ...options, signal })),
    delete: (key, options) =>
      call('delete', key, options.signal, (signal) => driver.delete(key, { ...options, signal })),
    sweep: (before, options) =>
      call('sweep', options.prefix ?? '', options.signal, async (signal) =>
        driver.sweep?.(before, { ...options, signal }),
      ),
  }
}

/**
 * A driver that is bounded where it reads. A put that hangs is left to the time of whoever called it, and waited for: what
 * came to its end after it was given up could be a manifest whose data was removed.
 */
export function boundedReads(driver: StorageDriver, options: BoundedDriverOptions): StorageDriver {
  const { get, list } = boundedDriver(driver, options)
  return {
    name: driver.name,
    address: driver.address,
    capabilities: driver.capabilities,
    localDirectory: driver.localDirectory,
    get,
    list,
    put: (...args) => driver.put(...args),
    delete: (...args) => driver.delete(...args),
    sweep: async (...args) => driver.sweep?.(...args),
  }
}

/** A source whose reader's patience rests while it waits for the source. */
async function* watched(source: AsyncIterator<Uint8Array>, waiting: Patience): Bytes & AsyncGenerator<Uint8Array> {
  for (;;) {
    waiting.pause()
    let next: IteratorResult<Uint8Array, unknown>
    try {
      next = await source.next()
    } finally {
      // Also when it fails: what the driver does then is its own time again.
      waiting.restart()
    }
    if (next.done) return
    yield next.value
  }
}

interface Patience {
  /** Follows its parent, and aborts when nothing moved for too long. */
  readonly signal: AbortSignal
  pause(): void
  restart(): void
  end(): void
}

function startPatience(
  clock: Pick<RuntimeClock, 'setTimer'>,
  idleMs: number,
  parent: AbortSignal,
  reason: () => Error,
): Patience {
  const controller = new AbortController()
  const abort = (): void => controller.abort(parent.reason)
  if (parent.aborted) abort()
  else parent.addEventListener('abort', abort, { once: true })
  let cancel = (): void => {}
  const restart = (): void => {
    cancel()
    cancel = clock.setTimer(idleMs, () => controller.abort(reason()))
  }
  restart()
  return {
    signal: controller.signal,
    pause: () => cancel(),
    restart,
    end() {
      cancel()
      parent.removeEventListener('abort', abort)
    },
  }
}
