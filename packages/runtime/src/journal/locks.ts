// Mutual exclusion between processes that share a state directory. A lock is an exclusive transaction, held open, on
// a small SQLite file: the kernel releases it when its holder dies, so there are no stale locks and a reused pid means
// nothing (docs/adr/0004, faults F13 and F14).
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseDuration, type Awaitable, type Duration } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'

/** A lock that is held. */
export interface HeldLock {
  release(): void
}

/** The locks of one state directory. */
export interface Locks {
  /** The lock, or `undefined` while somebody else holds it. */
  tryAcquire(name: string, owner: string): HeldLock | undefined
  /** Releases everything that was acquired here. */
  releaseAll(): void
  /** Who holds it, as they described themselves; for messages only. */
  ownerOf(name: string): string
  /**
   * Runs the body while holding the lock.
   *
   * @throws HoldfastError `LOCK_BUSY` when it isn't free within `wait`; the signal's reason when aborted
   */
  withLock<T>(
    name: string,
    body: () => Awaitable<T>,
    options: { owner: string; wait?: Duration | undefined; signal?: AbortSignal | undefined },
  ): Promise<T>
}

// A database that nobody refers to is collected and closed, and its lock with it.
const held = new Set<DatabaseSync>()

const pollMs = { first: 10, longest: 250 }
/** Of a file's name, which has 255 bytes at most; what else is in it comes behind. */
const longestName = 200

/** Opens the locks below `directory`, which is made. */
export function openLocks(directory: string, clock: RuntimeClock): Locks {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const own = new Set<DatabaseSync>()
  /** Whoever waits in this process, by lock: woken when it is free, not by the clock. */
  const waiting = new Map<string, Set<() => void>>()
  const fileOf = (name: string): string => fileIn(directory, name)

  const tryAcquire = (name: string, owner: string): HeldLock | undefined => {
    const file = fileOf(name)
    let database: DatabaseSync | undefined
    try {
      database = begin(file)
    } catch (error) {
      if (!mend(file, error)) throw error
      database = begin(file)
    }
    if (!database) return undefined
    const taken = database
    held.add(taken)
    own.add(taken)
    // Beside the lock, not in it: reading the locked file from this process would drop the kernel's lock.
    try {
      writeFileSync(`${file}.owner`, owner)
    } catch {
      // For messages only: a full disk must not leave a lock that nobody releases.
    }
    return {
      release() {
        own.delete(taken)
        if (held.delete(taken)) taken.close()
        for (const wake of waiting.get(name) ?? []) wake()
      },
    }
  }

  /** Waits for a while, or until the lock is released here. */
  const wait = async (name: string, ms: number, signal: AbortSignal | undefined): Promise<void> => {
    const woken = new AbortController()
    const wake = (): void => woken.abort()
    const others = waiting.get(name) ?? new Set()
    waiting.set(name, others.add(wake))
    try {
      await clock.sleep(ms, AbortSignal.any([woken.signal, ...(signal ? [signal] : [])]))
    } catch (error) {
      if (!woken.signal.aborted || signal?.aborted === true) throw error
    } finally {
      others.delete(wake)
      if (others.size === 0) waiting.delete(name)
    }
  }

  const ownerOf = (name: string): string => {
    try {
      return readFileSync(`${fileOf(name)}.owner`, 'utf8') || 'another process'
    } catch {
      return 'another process'
    }
  }

  return {
    tryAcquire,
    ownerOf,
    releaseAll() {
      for (const database of own) if (held.delete(database)) database.close()
      own.clear()
    },
    async withLock(name, body, { owner, wait: longest, signal }) {
      const end = longest === undefined ? Infinity : clock.monotonic() + parseDuration(longest)
      let pause = pollMs.first
      let lock = tryAcquire(name, owner)
      while (lock === undefined) {
        signal?.throwIfAborted()
        if (clock.monotonic() >= end) throw errors.LOCK_BUSY({ lock: name, owner: ownerOf(name) })
        await wait(name, Math.min(pause, end - clock.monotonic()), signal)
        pause = Math.min(pause * 2, pollMs.longest)
        lock = tryAcquire(name, owner)
      }
      try {
        return await body()
      } finally {
        lock.release()
      }
    },
  }
}

/** Removes the files of a lock that nobody needs any more. */
export function removeLock(directory: string, name: string): void {
  const file = fileIn(directory, name)
  for (const path of [file, `${file}.owner`]) rmSync(path, { force: true })
}

function fileIn(directory: string, name: string): string {
  const plain = encodeURIComponent(name).replaceAll('.', '%2E')
  const short = plain.length <= longestName ? plain : `%%${createHash('sha256').update(name).digest('hex')}`
  return join(directory, `${short}.lock`)
}

/** @returns the lock; `undefined` while somebody else holds it */
function begin(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    // An exclusive transaction takes the file lock at once and writes nothing: what it would take back it keeps in memory,
    // so that a full disk locks nobody out.
    database.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    // SQLITE_BUSY and SQLITE_LOCKED.
    if (isOneOf(error, [5, 6])) return undefined
    throw error
  }
}

/**
 * Empties a file that is damaged, in its place: whoever is faster by now has locked this very file, and keeps the lock. A
 * damaged one nobody holds: that would have been said first. An empty directory goes.
 *
 * @returns whether it is to be tried again
 */
function mend(file: string, error: unknown): boolean {
  try {
    // SQLITE_CORRUPT and SQLITE_NOTADB; and SQLITE_CANTOPEN.
    if (isOneOf(error, [11, 26])) truncateSync(file)
    else if (isOneOf(error, [14])) rmdirSync(file)
    else return false
    return true
  } catch {
    return false
  }
}

/** Codes of SQLite, extended ones included. */
function isOneOf(error: unknown, codes: readonly number[]): boolean {
  const code = (error as { errcode?: number }).errcode
  return code !== undefined && codes.includes(code & 0xff)
}
