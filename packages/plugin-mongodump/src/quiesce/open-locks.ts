import type { MongoServer } from '../server/mongo-server.ts'

/** A lock that this process has taken, or is about to. */
export interface OpenLock {
  readonly server: MongoServer
  /** Settles when the server has answered: until then nobody can give the lock back. */
  readonly taken: Promise<unknown>
}

/**
 * The connections through which locks were taken, by their tokens. They stay open as long as the lock holds: while a server is
 * locked, a new connection may not get past its login, which has to read (MongoDB says so of `db.fsyncLock`). Another process
 * has none of them, and connects anew.
 */
const open = new Map<string, OpenLock>()

/** Keeps a lock's connection for whoever gives it back. */
export function keepOpen(token: string, lock: OpenLock): void {
  open.set(token, lock)
}

/** @returns the connection of a lock, which is the caller's from now on */
export function takeOpen(token: string): OpenLock | undefined {
  const lock = open.get(token)
  open.delete(token)
  return lock
}
