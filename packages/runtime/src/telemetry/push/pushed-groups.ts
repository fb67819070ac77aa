import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PushSubject } from './group.ts'

/** A group that this state directory has pushed. */
export interface PushedGroup {
  readonly subject: PushSubject
  readonly path: string
}

/**
 * The groups that were pushed from this state directory, a file each: what this installation may remove. The
 * Pushgateway can't tell: others push there under the same job, perhaps under the same name.
 */
export interface PushedGroups {
  add(group: PushedGroup): void
  remove(group: PushedGroup): void
  all(): readonly PushedGroup[]
}

/** Opens the list. What can't be read or written is as if it had never been pushed. */
export function openPushedGroups(stateDirectory: string): PushedGroups {
  const directory = join(stateDirectory, 'pushed')
  const known = new Set<string>()
  const fileOf = (path: string): string =>
    join(directory, `${createHash('sha256').update(path).digest('hex').slice(0, 32)}.json`)

  return {
    add({ subject, path }) {
      if (known.has(path)) return
      quietly(() => {
        mkdirSync(directory, { recursive: true })
        writeFileSync(fileOf(path), `${JSON.stringify({ subject, path })}\n`)
        known.add(path)
      })
    },
    remove({ path }) {
      known.delete(path)
      quietly(() => rmSync(fileOf(path), { force: true }))
    },
    all: () =>
      (quietly(() => readdirSync(directory)) ?? []).flatMap((name) => {
        const group = quietly(() => JSON.parse(readFileSync(join(directory, name), 'utf8')) as unknown)
        return isGroup(group) ? [group] : []
      }),
  }
}

function isGroup(value: unknown): value is PushedGroup {
  if (typeof value !== 'object' || value === null || !('path' in value) || !('subject' in value)) return false
  const { path, subject } = value
  return typeof path === 'string' && path.startsWith('/metrics/job/') && typeof subject === 'object' && subject !== null
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
