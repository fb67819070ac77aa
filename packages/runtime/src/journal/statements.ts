// Statements on the journal's database: what all its parts read and write by.
import type { DatabaseSync, StatementResultingChanges } from 'node:sqlite'
import { plainValue } from '../telemetry/plain-value.ts'
import type { Connection } from './connection.ts'
import type { Row } from './rows.ts'

/** What a column may hold. */
export type Value = string | number | null

/** Runs the statement on the journal. */
export type Query = (sql: string, ...values: Value[]) => readonly Row[]

/** Changes the journal. @param point - what the write is called before those who observe it */
export type Write = (point: string, sql: string, ...values: Value[]) => StatementResultingChanges

/** What a part of the journal is made from. */
export interface Statements {
  readonly query: Query
  readonly write: Write
  /** Durable when it returns: committed with synchronous=FULL. */
  readonly writeDurably: Write
  /** What people wrote, as it is kept: without secrets. */
  shown(value: string | object | undefined): string | null
  now(): Date
}

/** What {@link prepareStatements} needs. */
export interface PrepareStatementsOptions {
  readonly connection: Connection
  now(): Date
  observe(point: string): void
  redact(text: string): string
}

/** Each is prepared once. */
export function prepareStatements({ connection, now, observe, redact }: PrepareStatementsOptions): Statements {
  const prepared = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  let db = connection.database()
  const prepare = (sql: string): ReturnType<DatabaseSync['prepare']> => {
    if (db !== connection.database()) prepared.clear()
    db = connection.database()
    let statement = prepared.get(sql)
    if (!statement) prepared.set(sql, (statement = db.prepare(sql)))
    return statement
  }
  const run = (point: string, sql: string, values: readonly Value[]): StatementResultingChanges => {
    observe(`before write: ${point}`)
    const result = prepare(sql).run(...values)
    observe(`after write: ${point}`)
    return result
  }
  const write: Write = (point, sql, ...values) => connection.write(point, sql, values, () => run(point, sql, values))
  return {
    query: (sql, ...values) => prepare(sql).all(...values) as Row[],
    write,
    writeDurably: (point, sql, ...values) =>
      connection.write(point, sql, values, () => {
        // Of the database that is in use now: with this write it may have come back to the disk.
        const database = connection.database()
        database.exec('PRAGMA synchronous=FULL')
        try {
          return run(point, sql, values)
        } finally {
          database.exec('PRAGMA synchronous=NORMAL')
        }
      }),
    shown(value) {
      if (value === undefined) return null
      if (typeof value === 'string') return redact(value)
      // Each text for itself: a secret of digits, blanked in the JSON, would leave something that nobody can parse.
      return JSON.stringify(plainValue(value, redact))
    },
    now,
  }
}
