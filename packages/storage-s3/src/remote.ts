// Requests to a store's service: tried again while that can help, and with errors that say what to do.
import type { DriverClock } from './clock.ts'
import { openClient, type S3 } from './client.ts'
import { storageFailure, type About, type Place } from './failures.ts'
import type { S3Config } from './options.ts'
import { createPace, type Pace } from './pace.ts'
import { isExpired, isTransient, isUnknownKey, isWithoutCredentials, readRefusal, type Refusal } from './refusals.ts'

/** Options of every request. */
export interface RequestOptions {
  readonly abortSignal: AbortSignal
}

/** Decides after each failure whether to go on. */
export interface Patience {
  /**
   * Waits until it is time to try again.
   *
   * @throws HoldfastError when trying again can't help, or the time is up; the signal's reason when it aborts
   */
  afterFailure(error: unknown): Promise<void>
}

/** A store's service. */
export interface Remote {
  readonly config: S3Config
  readonly place: Place
  /** What is read comes at this pace. */
  readonly download: Pace
  /**
   * Does something that may be done twice.
   *
   * @throws HoldfastError `STORAGE_…`; the signal's reason when it aborts
   */
  call<T>(about: About, signal: AbortSignal, request: (s3: S3, options: RequestOptions) => Promise<T>): Promise<T>
  patience(about: About, signal: AbortSignal): Patience
}

/** A service that has never answered is more likely mistyped than away. */
const firstPatienceMs = 20_000
const firstDelayMs = 200
const longestDelayMs = 20_000

/** The SDK is loaded by the first request. */
export function createRemote(config: S3Config, place: Place, clock: DriverClock): Remote {
  const upload = createPace(config.bandwidth, clock)
  const download = createPace(config.bandwidth, clock)
  let opening: Promise<S3> | undefined
  let hasAnswered = false

  const open = (): Promise<S3> => {
    opening ??= openClient(config, upload).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }

  const patience = (about: About, signal: AbortSignal): Patience => {
    const began = clock.now()
    let failures = 0
    let renewed = false
    return {
      async afterFailure(error) {
        signal.throwIfAborted()
        const refusal = readRefusal(error)
        if (!renewed && (isExpired(refusal) || isUnknownKey(refusal))) {
          // Keys are rotated under a process that runs for months: what the chain knows now is asked once.
          renewed = true
          opening = undefined
          return
        }
        failures++
        const limit = hasAnswered ? config.retryForMs : Math.min(firstPatienceMs, config.retryForMs)
        const delay = delayAfter(failures, refusal)
        const canHelp = isTransient(refusal) || (hasAnswered && isWithoutCredentials(refusal))
        if (!canHelp || clock.now() - began + delay > limit) throw storageFailure(error, about, place)
        await clock.sleep(delay, signal)
      },
    }
  }

  return {
    config,
    place,
    download,
    patience,
    async call(about, signal, request) {
      signal.throwIfAborted()
      const { afterFailure } = patience(about, signal)
      for (;;) {
        try {
          const result = await request(await open(), { abortSignal: signal })
          hasAnswered = true
          return result
        } catch (error) {
          await afterFailure(error)
        }
      }
    },
  }
}

/** Twice as long each time, and never quite, so that many that failed together don't come back together. */
function delayAfter(failures: number, { headers }: Refusal): number {
  const asked = Number(headers['retry-after']) * 1000
  const backoff = Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)
  return asked > 0 ? Math.max(backoff, Math.min(asked, longestDelayMs)) : backoff
}
