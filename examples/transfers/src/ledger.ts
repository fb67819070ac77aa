// The application's data: accounts between which money moves. Whatever happens, the sum of all accounts stays the same.
import { DatabaseSync } from 'node:sqlite'

const accounts = 100
const each = 1000

/** What an audit of a ledger finds. */
export interface Audit {
  /** Whether the sum of all accounts is what it was at the start. */
  readonly balanced: boolean
  readonly sum: number
  readonly transfers: number
}

/** Makes a ledger, or opens the one that is there. */
export function openLedger(path: string): DatabaseSync {
  const ledger = new DatabaseSync(path)
  ledger.exec(`
    PRAGMA journal_mode=WAL;
    CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS transfers (id INTEGER PRIMARY KEY, source INTEGER, target INTEGER, amount INTEGER, at TEXT);
    BEGIN IMMEDIATE;
    INSERT INTO accounts SELECT value, ${each} FROM (
      WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ${accounts}) SELECT value FROM n
    ) WHERE NOT EXISTS (SELECT 1 FROM accounts);
    COMMIT`)
  return ledger
}

/** Moves money between two accounts, in two writes of which a copy must never see only one. */
export function transfer(ledger: DatabaseSync): void {
  const pick = (): number => 1 + Math.floor(Math.random() * accounts)
  const [source, target, amount] = [pick(), pick(), 1 + Math.floor(Math.random() * 50)]
  ledger.exec('BEGIN IMMEDIATE')
  ledger.prepare('UPDATE accounts SET balance = balance - ? WHERE id = ?').run(amount, source)
  ledger.prepare('UPDATE accounts SET balance = balance + ? WHERE id = ?').run(amount, target)
  ledger
    .prepare('INSERT INTO transfers (source, target, amount, at) VALUES (?, ?, ?, ?)')
    .run(source, target, amount, new Date().toISOString())
  ledger.exec('COMMIT')
}

/** Checks a ledger, or a copy of one. */
export function audit(path: string): Audit {
  const ledger = new DatabaseSync(path, { readOnly: true })
  const { sum } = ledger.prepare('SELECT sum(balance) AS sum FROM accounts').get() as { sum: number }
  const { transfers } = ledger.prepare('SELECT count(*) AS transfers FROM transfers').get() as { transfers: number }
  ledger.close()
  return { balanced: sum === accounts * each, sum, transfers }
}
