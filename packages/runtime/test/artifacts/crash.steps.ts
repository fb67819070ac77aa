import type { FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import type { FileSystem } from '../../src/artifacts/file-system.ts'

/** A file system that tells of each step before it does it: `write 1`, `rename 2`, …, counted for each kind. */
export function stepsOf(fs: FileSystem, before: (step: string, path: string) => Promise<void>): FileSystem {
  const counts = new Map<string, number>()
  const step = async (kind: string, path: string): Promise<void> => {
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    await before(`${kind} ${count}`, path)
  }
  const watched = (handle: FileHandle, path: string): FileHandle =>
    new Proxy(handle, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property)
        if (typeof value !== 'function') return value
        const call = value.bind(target) as (...args: unknown[]) => unknown
        const isTold = property === 'write' || property === 'sync' || property === 'datasync'
        if (!isTold) return call
        return async (...args: unknown[]) => {
          await step(property, basename(path))
          return call(...args)
        }
      },
    })
  return {
    ...fs,
    open: (async (path: string, flags: string, mode?: number) => {
      if (flags === 'wx') await step('open', path)
      return watched(await fs.open(path, flags, mode), path)
    }) as FileSystem['open'],
    rename: async (from, to) => {
      await step('rename', String(to))
      await fs.rename(from, to)
    },
    unlink: async (path) => {
      await step('unlink', String(path))
      await fs.unlink(path)
    },
  }
}
