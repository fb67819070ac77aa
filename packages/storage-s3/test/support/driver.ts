import {
  defineHook,
  isHoldfastError,
  type Bytes,
  type HoldfastError,
  type HookModule,
  type StorageDriver,
} from '@holdfast/sdk'
import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import type { DriverClock } from '../../src/clock.ts'
import { createDriver } from '../../src/create-driver.ts'
import { parseOptions, type S3Options } from '../../src/options.ts'
import { startS3, type S3Server, type S3ServerOptions } from './s3-server.ts'

/** Never aborted. */
export const signal: AbortSignal = new AbortController().signal

export const KiB = 2 ** 10

/** Of the parts of these tests: small, for speed. */
export const partSize = 256 * KiB

/** Time that passes only while somebody sleeps. */
export interface StandingClock extends DriverClock {
  readonly sleeps: readonly number[]
}

export function standingClock(): StandingClock {
  let now = 0
  const sleeps: number[] = []
  return {
    sleeps,
    now: () => now,
    async sleep(ms, abort) {
      abort?.throwIfAborted()
      sleeps.push(ms)
      now += ms
    },
  }
}

/** Credentials for the tests of a file. */
export function useCredentials(): void {
  beforeAll(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  })
  afterAll(() => void vi.unstubAllEnvs())
}

/** @returns starts servers, which are closed after each test of the file */
export function useServers(): (options?: S3ServerOptions) => Promise<S3Server> {
  const servers: S3Server[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })
  return async (options) => {
    const server = await startS3({ smallestPart: partSize, ...options })
    servers.push(server)
    return server
  }
}

/** A driver with small parts, and time that passes only while it waits to try again. */
export function driverOf(
  { url, bucket }: Pick<S3Server, 'url' | 'bucket'>,
  options: Partial<S3Options> = {},
): { readonly driver: StorageDriver; readonly clock: StandingClock } {
  const clock = standingClock()
  const config = parseOptions({ bucket, endpoint: url, ...options })
  return { driver: createDriver({ ...config, partSize }, clock), clock }
}

/** Bytes that repeat with a period that no block size shares. */
export function pattern(length: number): Buffer {
  return Buffer.alloc(length, Buffer.from(Array.from({ length: 251 }, (_, n) => n)))
}

/** Backs these bytes up, in pieces that fit no part. */
export function dumpOf(bytes: Uint8Array): HookModule {
  return defineHook('backups', ({ createArtifact }) =>
    createArtifact('dump', async (sink) => {
      for await (const chunk of chunks(bytes, 100_000)) await sink.write(chunk)
    }),
  )
}

export async function* chunks(bytes: Uint8Array, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export const put = (driver: StorageDriver, key: string, bytes: Uint8Array | string): Promise<void> =>
  driver.put(key, chunks(Buffer.from(bytes)), { signal })

export const read = async (bytes: Bytes): Promise<Buffer> => Buffer.concat(await collect(bytes))

export const keys = async (driver: StorageDriver, prefix = ''): Promise<readonly string[]> =>
  (await collect(driver.list(prefix, { signal }))).map(({ key }) => key)

/** The error that something rejects with, which must be one for people. */
export async function failure(work: Promise<unknown>): Promise<HoldfastError> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (!isHoldfastError(error)) throw error
  if (!error.hint) throw new Error(`${error.code} has no hint`)
  return error
}
