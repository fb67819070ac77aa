// What the journal's database is: a file or, while that can only be read, a copy of it in memory. What a dead process has
// taken is given back all the same; nothing new begins, for in memory nothing is safe.
import { DatabaseSync } from 'node:sqlite'

/** The database behind the journal. */
export interface Connection {
  /** The one that is in use now. */
  database(): DatabaseSync
  /**
   * Makes a write.
   *
   * @param point - what it is called
   * @throws HoldfastError `JOURNAL_READ_ONLY` when it counts only once it is on the disk, and the disk takes nothing
   */
  write<T>(point: string, sql: string, values: readonly (string | number | null)[], make: () => T): T
  close(): void
}

/** The journal as a file. */
export function onDisk(database: DatabaseSync): Connection {
  return {
    database: () => database,
    write: (_point, _sql, _values, make) => make(),
    close: () => database.close(),
  }
}

/** Options of {@link inMemory}. */
export interface InMemoryOptions {
  /** A copy of what can only be read. */
  readonly copy: DatabaseSync
  /** Opens the file to write to it, and throws as long as that can't be done. */
  open(): DatabaseSync
  /** What a write fails with meanwhile. */
  readonly reason: Error
  now(): Date
  /** What was remembered is on the disk, and everything else goes there again. */
  onReturn(): void
}

/** What becomes of dead processes' undos and runs may be written later; at worst, an undo runs once more. */
const postponed: ReadonlySet<string> = new Set([
  'process',
  'undo-claim',
  'undo-armed',
  'undo-done',
  'run-end',
  'observers',
])
/** Between two looks whether there is room again. */
const lookMs = 1000

/** A copy of the journal, until its file can be written again. */
export function inMemory({ copy, open, reason, now, onReturn }: InMemoryOptions): Connection {
  let database = copy
  let returned = false
  let looked = -Infinity
  let remembered: { readonly sql: string; readonly values: readonly (string | number | null)[] }[] = []

  const comeBack = (): void => {
    const at = now().getTime()
    if (returned || Math.abs(at - looked) < lookMs) return
    looked = at
    let file: DatabaseSync | undefined
    try {
      file = open()
      file.exec('PRAGMA synchronous=FULL; BEGIN IMMEDIATE')
      for (const { sql, values } of remembered) file.prepare(sql).run(...values)
      file.exec('COMMIT; PRAGMA synchronous=NORMAL')
    } catch {
      // There is no room yet.
      file?.close()
      return
    }
    database.close()
    database = file
    returned = true
    remembered = []
    onReturn()
  }

  return {
    database: () => database,
    write(point, sql, values, make) {
      comeBack()
      if (returned) return make()
      if (!postponed.has(point)) throw reason
      const made = make()
      remembered.push({ sql, values })
      return made
    },
    close() {
      looked = -Infinity
      comeBack()
      database.close()
    },
  }
}

/**
 * Copies a journal that can only be read into memory.
 *
 * @throws Error when it can't even be read
 */
export function copyToMemory(path: string): DatabaseSync {
  try {
    return copyOf(path, 'NORMAL')
  } catch {
    // Without the memory that it shares with other processes, for which there is no room either.
    return copyOf(path, 'EXCLUSIVE')
  }
}

function copyOf(path: string, locking: 'NORMAL' | 'EXCLUSIVE'): DatabaseSync {
  const copy = new DatabaseSync(':memory:')
  try {
    // Before anything is read.
    copy.exec(`PRAGMA locking_mode=${locking}; ATTACH '${path.replaceAll("'", "''")}' AS disk; BEGIN`)
    const made = copy.prepare(`SELECT name, type, sql FROM disk.sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC`)
    for (const { name, type, sql } of made.all()) {
      if (String(name).startsWith('sqlite_')) continue
      copy.exec(String(sql))
      if (type === 'table')
        copy.exec(`INSERT INTO main.${String(name)} SELECT * FROM disk.${String(name)} ORDER BY rowid`)
    }
    const version = Number(copy.prepare('PRAGMA disk.user_version').get()?.['user_version'])
    copy.exec(`PRAGMA main.user_version=${version}; COMMIT; DETACH disk`)
    return copy
  } catch (error) {
    copy.close()
    throw error
  }
}
