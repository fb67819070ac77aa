// Opens the journal: makes it, migrates it, moves a damaged one aside, refuses one that is newer or can't be written.
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { Journal } from './journal.ts'
import { migrations, schemaVersion } from './schema.ts'

/** Options of {@link openJournal}. */
export interface OpenJournalOptions {
  readonly directory: string
  readonly now: () => Date
  /** Told when a damaged journal was moved aside. */
  readonly onCorrupt: (error: Error) => void
  /** Called before and after every write: the crash sweep kills the process here. */
  readonly observe?: ((point: string) => void) | undefined
  /** Blanks secrets in errors and reasons. Default: nothing is a secret. */
  readonly redact?: ((text: string) => string) | undefined
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
  try {
    return new Journal(path, openDatabase(path), options.now, options.observe, options.redact)
  } catch (error) {
    if (!isCorrupt(error) && !isDirectory(path)) throw unwritable(path, error)
    const movedTo = moveAside(path, options.now())
    options.onCorrupt(errors.JOURNAL_CORRUPT({ path, movedTo }, { cause: error }))
    try {
      return new Journal(path, openDatabase(path), options.now, options.observe, options.redact)
    } catch (again) {
      throw unwritable(path, again)
    }
  }
}

function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    const wal = !remoteFilesystems.has(statfsSync(path).type)
    db.exec(`PRAGMA journal_mode=${wal ? 'WAL' : 'DELETE'}; PRAGMA synchronous=NORMAL`)
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

function migrate(db: DatabaseSync, path: string): void {
  const version = (): number => Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version() > schemaVersion) throw errors.JOURNAL_NEWER({ path, found: version(), known: schemaVersion })
  if (version() === schemaVersion) {
    const check = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
    if (check !== 'ok') throw Object.assign(new Error(String(check)), { errcode: 11 })
    return
  }
  if (version() > 0) {
    const copy = `${path}.schema-${version()}`
    // Of a migration that was interrupted; SQLite writes over nothing.
    rmSync(copy, { force: true })
    db.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`)
  }
  db.exec('BEGIN IMMEDIATE')
  try {
    // Looked at again inside the transaction: another process may have migrated meanwhile.
    for (const step of migrations.slice(version())) db.exec(step)
    db.exec(`PRAGMA user_version=${schemaVersion}; COMMIT`)
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
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

function isDirectory(path: string): boolean {
  try {
    return lstatSync(path).isDirectory()
  } catch {
    // Not there, or in a directory that another user closed.
    return false
  }
}

function unwritable(path: string, error: unknown): Error {
  const code = (error as { code?: string }).code
  if (code === 'JOURNAL_NEWER' || code === 'JOURNAL_UNWRITABLE') return error as Error
  return errors.JOURNAL_UNWRITABLE({ path, reason: reasonOf(error) }, { cause: error })
}
