import { mkdtempSync, rmSync } from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStorage, testClock, type MemoryStorage, type TestClock } from '@holdfast/testing'
import { isHoldfastError, type HoldfastError, type Logger, type Sink } from '@holdfast/sdk'
import { afterAll } from 'vitest'
import type { FileSystem } from '../../src/artifacts/file-system.ts'
import {
  createArtifactStore,
  type ArtifactStore,
  type CreateArtifactStoreOptions,
  type CreateRequest,
} from '../../src/artifacts/store.ts'

/** Never aborted. */
export const signal: AbortSignal = new AbortController().signal

const directories: string[] = []
afterAll(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** A directory that is removed after the tests of the file. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'artifacts-'))
  directories.push(path)
  return path
}

/** A log whose warnings are kept. */
export function captureLog(): Logger & { readonly warnings: string[] } {
  const warnings: string[] = []
  return { warnings, debug() {}, info() {}, warn: (message) => void warnings.push(message), error() {} }
}

/** A store in memory, a clock that stands, and what was logged. */
export function setup(options: Partial<CreateArtifactStoreOptions> = {}): {
  readonly store: ArtifactStore
  readonly memory: MemoryStorage
  readonly clock: TestClock
  readonly log: ReturnType<typeof captureLog>
} {
  const memory = memoryStorage()
  const clock = testClock({ now: '2026-11-23T03:00:00Z' })
  const log = captureLog()
  const store = createArtifactStore({ driver: memory, instance: 'default', clock, log, ...options })
  return { store, memory, clock, log }
}

/** A request with everything filled in. */
export function request(changes: Partial<CreateRequest> = {}): CreateRequest {
  return {
    plan: 'shop',
    target: 'orders',
    run: 'run1',
    name: 'dump',
    startedAt: new Date('2026-11-23T03:00:00Z'),
    encoding: { compression: 'zstd', recipients: [], identity: undefined },
    signal,
    ...changes,
  }
}

/** Writes a text. */
export const says =
  (text: string) =>
  async (sink: Sink): Promise<void> =>
    sink.write(Buffer.from(text))

/** Everything a stream gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

/** An artifact's bytes, read to the end. */
export async function readAll(store: ArtifactStore, id: string): Promise<Buffer> {
  return Buffer.concat(await collect(store.open(id, { signal })))
}

/** Ids of what is listed. */
export async function ids(store: ArtifactStore): Promise<string[]> {
  return (await collect(store.list())).map(({ id }) => id)
}

/** The keys of everything in a store, sorted. */
export function keysOf(memory: Pick<MemoryStorage, 'objects'>): string[] {
  return [...memory.objects.keys()].toSorted()
}

/** The HoldfastError that a call rejects with. */
export async function failure(call: Promise<unknown>): Promise<HoldfastError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isHoldfastError(error)) throw new Error(`expected a HoldfastError, got ${String(error)}`)
  return error
}

/** The error of a system call. */
export function errno(code: string, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${syscall} failed`), { code, syscall })
}

/** What goes wrong with a {@link faultyFileSystem}; each returns the error of that call, or nothing. */
export interface Faults {
  /** @param total - bytes written so far by this file system, with this call */
  write?(total: number, path: string): Error | undefined
  sync?(path: string): Error | undefined
  open?(path: string, flags: string): Error | undefined
  rename?(to: string): Error | undefined
  unlink?(path: string): Error | undefined
  mkdir?(path: string): Error | undefined
}

/** The machine's file system with faults that work for root too. */
export function faultyFileSystem(faults: Faults): FileSystem {
  let total = 0
  const fail = (error: Error | undefined): void => {
    if (error) throw error
  }
  const file = (path: string, handle: nodeFs.FileHandle): nodeFs.FileHandle =>
    new Proxy(handle, {
      get(target, property) {
        if (property === 'write') {
          return async (buffer: Uint8Array, offset = 0) => {
            total += buffer.byteLength - offset
            const error = faults.write?.(total, path)
            // As a full disk does: a part of it still fits.
            if (error) await target.write(buffer, offset, Math.min(100, buffer.byteLength - offset))
            fail(error)
            return target.write(buffer, offset)
          }
        }
        if (property === 'sync' || property === 'datasync') {
          return async () => {
            fail(faults.sync?.(path))
            await target[property]()
          }
        }
        const value: unknown = Reflect.get(target, property)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  return {
    ...nodeFs,
    open: (async (path: string, flags: string, mode?: number) => {
      fail(faults.open?.(path, flags))
      return file(path, await nodeFs.open(path, flags, mode))
    }) as FileSystem['open'],
    rename: async (from, to) => {
      fail(faults.rename?.(String(to)))
      await nodeFs.rename(from, to)
    },
    unlink: async (path) => {
      fail(faults.unlink?.(String(path)))
      await nodeFs.unlink(path)
    },
    mkdir: (async (path: string, options: { mode: number }) => {
      fail(faults.mkdir?.(path))
      return nodeFs.mkdir(path, options)
    }) as FileSystem['mkdir'],
  }
}
