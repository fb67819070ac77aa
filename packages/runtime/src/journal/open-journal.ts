// Opens the journal: makes it, migrates it, moves a damaged one aside, refuses one that is newer or can't be written.
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { copyToMemory, inMemory, onDisk, type Connection } from './connection.ts'
import { Journal } from './journal.ts'
import { migrations, schemaVersion } from './schema.ts'

/** Options of {@link openJournal}. */
export interface OpenJournalOptions {
  readonly directory: string
  readonly now: () => Date
  /** Told when a damaged journal was moved aside. */
  readonly onCorrupt: (error: Error) => void
  /**
   * For whoever gives back what dead processes have taken: where that is on record and the journal can only be read, because
   * the disk is full, it is opened all the same, as a copy in memory. What can't wait for the disk fails meanwhile.
   */
  readonly orReadOnly?: ReadOnlyListener | undefined
  /** Called before and after every write: the crash sweep kills the process here. */
  readonly observe?: ((point: string) => void) | undefined
  /** Blanks secrets in errors and reasons. Default: nothing is a secret. */
  readonly redact?: ((text: string) => string) | undefined
}

/** Is told of a journal that can only be read. */
export interface ReadOnlyListener {
  /** It is in memory from now on. */
  begins(error: HoldfastError): void
  /** It is on the disk again, and what was remembered is written. */
  ends(): void
}

/** Filesystems on which SQLite's shared memory, and so WAL, does not work: by statfs magic number. */
const remoteFilesystems = new Set([
  0x6969, 0xff534d42, 0xfe534d42, 0x517b, 0x65735546, 0x00c36400, 0x01021997, 0x0bd00bd0,
])

/**
 * Opens the journal of a state directory, making or migrating it. A damaged one is moved aside and a new one begun
 * (fault F11): a state file can never stop a backup.
 *
 * @throws HoldfastError `JOURNAL_NEWER`, `JOURNAL_UNWRITABLE`; nothing has been done then
 */
export function openJournal(options: OpenJournalOptions): Journal {
  const path = join(options.directory, 'journal.sqlite')
  try {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw errors.JOURNAL_UNWRITABLE({ path, reason: reasonOf(error) }, { cause: error })
  }
  const journalOn = (connection: Connection): Journal =>
    new Journal(path, connection, options.now, options.observe, options.redact)
  try {
    return journalOn(onDisk(openDatabase(path)))
  } catch (error) {
    if (!isCorrupt(error) && !isDirectory(path)) return journalOn(readOnly(path, unwritable(path, error), options))
    const movedTo = moveAside(path, options.now())
    options.onCorrupt(errors.JOURNAL_CORRUPT({ path, movedTo }, { cause: error }))
    try {
      return journalOn(onDisk(openDatabase(path)))
    } catch (again) {
      throw unwritable(path, again)
    }
  }
}

/** @throws the error, unless something is to be given back, and can be read */
function readOnly(path: string, error: HoldfastError, { now, orReadOnly }: OpenJournalOptions): Connection {
  if (!orReadOnly || error.code !== 'JOURNAL_UNWRITABLE') throw error
  let copy: DatabaseSync
  try {
    copy = copyToMemory(path)
    migrate(copy, path)
    const pending = copy.prepare(`SELECT count(*) AS count FROM undos WHERE state IN ('armed', 'firing')`).get()
    if (pending?.['count'] === 0) throw error
  } catch {
    throw error
  }
  const reason = errors.JOURNAL_READ_ONLY({ path, reason: reasonOf(error.cause) }, { cause: error })
  orReadOnly.begins(reason)
  return inMemory({ copy, open: () => openDatabase(path), reason, now, onReturn: () => orReadOnly.ends() })
}

function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    const wal = !remoteFilesystems.has(statfsSync(path).type)
    setJournalMode(db, wal ? 'WAL' : 'DELETE')
    db.exec('PRAGMA synchronous=NORMAL')
    migrate(db, path)
    // A read-only medium or a full disk is found now, before any effect.
    db.exec(`BEGIN IMMEDIATE; INSERT OR REPLACE INTO meta VALUES ('opened', datetime()); COMMIT`)
    chmodSync(path, 0o600)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** SQLite doesn't wait here for another process that sets it too, as when a daemon and a command begin together. */
function setJournalMode(db: DatabaseSync, mode: 'WAL' | 'DELETE'): void {
  for (let attempt = 1; ; attempt++) {
    try {
      db.exec(`PRAGMA journal_mode=${mode}`)
      return
    } catch (error) {
      if (!isBusy(error) || attempt === 100) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}

function migrate(db: DatabaseSync, path: string): void {
  const version = (): number => Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version() > schemaVersion) throw errors.JOURNAL_NEWER({ path, found: version(), known: schemaVersion })
  if (version() === schemaVersion) {
    const check = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
    if (check !== 'ok') throw Object.assign(new Error(String(check)), { errcode: 11 })
    return
  }
  db.exec('BEGIN IMMEDIATE')
  try {
    // Looked at again inside the transaction: another process may have migrated meanwhile.
    const from = version()
    if (from > 0 && from < schemaVersion) keepCopy(path, `${path}.schema-${from}`)
    for (const step of migrations.slice(from)) db.exec(step)
    db.exec(`PRAGMA user_version=${schemaVersion}; COMMIT`)
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/** Copies the journal as it was before the transaction that the caller is in, which keeps others from doing the same. */
function keepCopy(path: string, copy: string): void {
  // Of a migration that was interrupted; SQLite writes over nothing.
  rmSync(copy, { force: true })
  // By another connection: SQLite copies nothing inside a transaction.
  const reader = new DatabaseSync(path, { timeout: 10_000 })
  try {
    reader.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`)
  } finally {
    reader.close()
  }
}

function moveAside(path: string, now: Date): string {
  const movedTo = `${path}.corrupt-${now.toISOString().replaceAll(/[-:]/g, '')}`
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    try {
      renameSync(path + suffix, movedTo + suffix)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unwritable(path, error)
    }
  }
  return movedTo
}

/** SQLITE_CORRUPT, SQLITE_NOTADB, or SQLITE_ERROR: tables that are not ours. */
function isCorrupt(error: unknown): boolean {
  const { errcode } = error as { errcode?: number }
  return errcode !== undefined && [1, 11, 26].includes(errcode & 0xff)
}

/** SQLITE_BUSY */
function isBusy(error: unknown): boolean {
  return (((error as { errcode?: number }).errcode ?? 0) & 0xff) === 5
}

function isDirectory(path: string): boolean {
  try {
    return lstatSync(path).isDirectory()
  } catch {
    // Not there, or in a directory that another user closed.
    return false
  }
}

function unwritable(path: string, error: unknown): HoldfastError {
  if (isHoldfastError(error) && ['JOURNAL_NEWER', 'JOURNAL_UNWRITABLE'].includes(error.code)) return error
  return errors.JOURNAL_UNWRITABLE({ path, reason: reasonOf(error) }, { cause: error })
}
