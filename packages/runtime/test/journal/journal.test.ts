import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { Run } from '@holdfast/sdk'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Journal } from '../../src/journal/journal.ts'
import { openJournal } from '../../src/journal/open-journal.ts'
import { migrations, schemaVersion } from '../../src/journal/schema.ts'

let directory: string
let corrupt: Error[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'journal-'))
  corrupt = []
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Each of these, by several at once; fails when one of them is refused. */
async function openAtOnce(directories: readonly string[]): Promise<void> {
  const all = 4
  const workerData = { directories, all, gate: new Int32Array(new SharedArrayBuffer(4)) }
  const opener = new URL('opener.ts', import.meta.url)
  const execArgv = ['--conditions=@holdfast/source', '--no-warnings']
  await Promise.all(Array.from({ length: all }, () => once(new Worker(opener, { workerData, execArgv }), 'exit')))
}

const open = (observe?: (point: string) => void): Journal =>
  openJournal({
    directory,
    now: () => new Date('2026-03-01T10:00:00Z'),
    onCorrupt: (error) => corrupt.push(error),
    observe,
  })
const path = (): string => join(directory, 'journal.sqlite')
const run: Run = {
  id: 'r1',
  plan: 'shop',
  attempt: 1,
  scheduledFor: new Date('2026-03-01T03:00:00Z'),
  trigger: 'schedule',
  dryRun: false,
}
const undo = {
  id: 'u1',
  run: 'r1',
  plan: 'shop',
  instance: 'default',
  participant: 'p',
  undo: 'thaw',
  input: '{}',
  process: 'me',
}

describe('what is written is read back by the next process', () => {
  test('fault F52: the last success survives a restart', () => {
    const first = open()
    first.beginRun(run, 'default', 'me')
    first.endRun('r1', { status: 'succeeded', durationMs: 12.5 })
    first.close()
    const second = open()
    expect(second.history.lastGood({ plan: 'shop' })).toEqual(new Date('2026-03-01T10:00:00Z'))
    expect(second.lastScheduled('shop')).toEqual(run.scheduledFor)
    expect(second.runs()).toMatchObject([{ id: 'r1', status: 'succeeded', durationMs: 12.5, trigger: 'schedule' }])
    expect(second.stateId()).toBe(second.stateId())
    second.close()
  })

  test('since when plans have had a schedule survives a restart, and is forgotten with the schedule', () => {
    const at = (hour: number, plans: readonly string[]): Record<string, number> => {
      const journal = openJournal({
        directory,
        now: () => new Date(Date.UTC(2026, 2, 1, hour)),
        onCorrupt: (error) => corrupt.push(error),
      })
      const since = journal.scheduledSince(plans)
      journal.close()
      return Object.fromEntries([...since].map(([plan, date]) => [plan, date.getUTCHours()]))
    }
    expect(at(1, ['a', 'b%'])).toEqual({ a: 1, 'b%': 1 })
    expect(at(2, ['a', 'b%', 'c'])).toEqual({ a: 1, 'b%': 1, c: 2 })
    expect(at(3, ['c'])).toEqual({ c: 2 })
    expect(at(4, [])).toEqual({})
    expect(at(5, ['a', 'c'])).toEqual({ a: 5, c: 5 })
  })

  test('dry runs, boots and other plans are no success of a plan', () => {
    const journal = open()
    journal.beginRun({ ...run, id: 'dry', dryRun: true }, 'default', 'me')
    journal.endRun('dry', { status: 'succeeded' })
    journal.beginRun({ ...run, id: 'boot', trigger: 'boot' }, 'default', 'me')
    journal.endRun('boot', { status: 'succeeded' })
    expect(journal.history.lastGood({ plan: 'shop' })).toBeUndefined()
    journal.close()
  })
})

test('fault F12: an end that can not be written is written as soon as it can', () => {
  let isFull = false
  const journal = open((point) => {
    if (isFull && point === 'before write: run-end') throw new Error('database or disk is full')
  })
  journal.beginRun(run, 'default', 'me')
  isFull = true
  expect(() => journal.endRun('r1', { status: 'succeeded' })).toThrow('full')
  expect(journal.runs()).toMatchObject([{ status: undefined }])
  isFull = false
  journal.beginRun({ ...run, id: 'r2' }, 'default', 'me')
  expect(journal.runs({ id: 'r1' })).toMatchObject([{ status: 'succeeded' }])
  journal.close()
})

test('fault F12: observers that were called are not due again when the end is written at last', () => {
  let isFull = true
  const journal = open((point) => {
    if (isFull && point === 'before write: run-end') throw new Error('database or disk is full')
  })
  journal.beginRun(run, 'default', 'me')
  expect(() => journal.endRun('r1', { status: 'failed', reason: 'why', observersDue: true })).toThrow('full')
  isFull = false
  journal.observersCalled('r1')
  expect(journal.openRuns()).toEqual([])
  journal.beginRun({ ...run, id: 'r2' }, 'default', 'me')
  expect(journal.openRuns()).toMatchObject([{ id: 'r2' }])
  expect(journal.runs({ id: 'r1' })).toMatchObject([{ status: 'failed', reason: 'why' }])
  journal.close()
})

describe('undos', () => {
  test('one claims, everybody else finds it taken', () => {
    const journal = open()
    journal.armUndo(undo)
    expect(journal.claimUndo('u1', 'me')).toBe(true)
    expect(journal.claimUndo('u1', 'other')).toBe(false)
    // The claimant may try again, and whoever knows that it died may take over.
    expect(journal.claimUndo('u1', 'me')).toBe(true)
    expect(journal.claimUndo('u1', 'other', 'me')).toBe(true)
    journal.settleUndo('u1', 'done')
    expect(journal.claimUndo('u1', 'other')).toBe(false)
    expect(journal.pendingUndos()).toEqual([])
    expect(journal.undo('u1')).toMatchObject({ state: 'done', attempts: 3, firedBy: 'other' })
    journal.close()
  })

  test('are pending newest first', () => {
    const journal = open()
    for (const id of ['u1', 'u2', 'u3']) journal.armUndo({ ...undo, id })
    journal.settleUndo('u2', 'disarmed')
    expect(journal.pendingUndos().map(({ id }) => id)).toEqual(['u3', 'u1'])
    journal.close()
  })

  test('keep the record of their run', () => {
    const journal = open()
    journal.beginRun(run, 'default', 'me')
    journal.armUndo(undo)
    journal.endRun('r1', { status: 'aborted' })
    journal.forgetRuns(new Date('2027-01-01T00:00:00Z'))
    expect(journal.runs()).toHaveLength(1)
    journal.settleUndo('u1', 'done')
    journal.forgetRuns(new Date('2027-01-01T00:00:00Z'))
    expect(journal.runs()).toHaveLength(0)
    journal.close()
  })
})

describe('fault F11: a journal that is', () => {
  const damage: Readonly<Record<string, () => void>> = {
    'truncated in the middle': () => truncateSync(path(), 5000),
    'all garbage': () => writeFileSync(path(), Buffer.alloc(20_000, 'garbage')),
    'garbage behind a good header': () => {
      const bytes = readFileSync(path())
      bytes.fill(0xff, 100)
      writeFileSync(path(), bytes)
    },
    'a directory': () => {
      rmSync(path())
      mkdirSync(path())
      writeFileSync(join(path(), 'file'), '')
    },
    'some other database': () => {
      rmSync(path())
      const other = new DatabaseSync(path())
      other.exec(`CREATE TABLE mine (x); PRAGMA user_version=${schemaVersion}`)
      other.close()
    },
  }
  test.each(Object.keys(damage))('%s is moved aside, kept, and a new one begun', (kind) => {
    const first = open()
    first.beginRun(run, 'default', 'me')
    first.close()
    for (const side of ['-wal', '-shm']) rmSync(path() + side, { force: true })
    damage[kind]?.()
    const journal = open()
    expect(corrupt).toMatchObject([{ code: 'JOURNAL_CORRUPT' }])
    expect(readdirSync(directory).some((name) => name.startsWith('journal.sqlite.corrupt-'))).toBe(true)
    journal.beginRun(run, 'default', 'me')
    expect(journal.runs()).toHaveLength(1)
    journal.close()
  })

  test('empty is begun anew without a word', () => {
    writeFileSync(path(), '')
    open().close()
    expect(corrupt).toEqual([])
  })

  test('of a newer version is refused, and left as it is', () => {
    open().close()
    const other = new DatabaseSync(path())
    other.exec(`PRAGMA user_version=${schemaVersion + 1}`)
    other.close()
    copyFileSync(path(), join(directory, 'before'))
    expect(() => open()).toThrow(expect.objectContaining({ code: 'JOURNAL_NEWER' }))
    expect(readFileSync(path())).toEqual(readFileSync(join(directory, 'before')))
    expect(existsSync(`${path()}.corrupt`)).toBe(false)
  })
})

test('a journal of schema 1 is migrated, and the old file is kept', () => {
  const old = new DatabaseSync(path())
  old.exec(migrations[0] ?? '')
  old.exec(`INSERT INTO processes VALUES ('p', 7, 'host', 'boot', 'uid', 0); PRAGMA user_version=1`)
  old.close()
  const journal = open()
  expect(journal.process('p')).toMatchObject({ pid: 7, pod: 'uid', podName: undefined, containerStart: undefined })
  const process = { ...journal.process('p')!, podName: 'web-0', namespace: 'shop', container: 'c', processStart: '9' }
  journal.addProcess(process)
  expect(journal.processes()).toEqual([process])
  journal.close()
  const kept = new DatabaseSync(`${path()}.schema-1`)
  expect(kept.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 })
  kept.close()
  expect(corrupt).toEqual([])
})

test('a journal of schema 1 that several open at once, as after an upgrade, is migrated, and none of them is refused', async () => {
  const old = new DatabaseSync(path())
  old.exec(migrations[0] ?? '')
  old.exec('PRAGMA user_version=1; PRAGMA journal_mode=WAL; BEGIN')
  const enter = old.prepare(`INSERT INTO hooks VALUES (?, 'backups', 'p', NULL, 1, 0, 0, NULL)`)
  for (let count = 0; count < 20_000; count++) enter.run(`run ${count}`)
  old.exec('COMMIT')
  old.close()
  await openAtOnce([directory])
})

test('a new journal can be opened by several at once', async () => {
  await openAtOnce(Array.from({ length: 20 }, (_, round) => join(directory, `new ${round}`)))
})

test('a run and an undo of another state directory are entered once, as they were', () => {
  const journal = open()
  const error = { code: 'RUN_ABORTED', message: 'gone', hint: '', docs: '', retryable: false, details: {} }
  const of = {
    instance: 'default',
    process: 'other',
    startedAt: new Date('2026-03-01T03:00:01Z'),
    error,
    observersDue: true,
  }
  expect(journal.adoptRun(run, of)).toBe(true)
  expect(journal.adoptRun(run, of)).toBe(false)
  expect(journal.openRuns()).toMatchObject([
    { id: 'r1', status: 'aborted', startedAt: of.startedAt, observersDue: true },
  ])
  expect(journal.lastScheduled('shop')).toEqual(run.scheduledFor)
  const armedAt = new Date('2026-03-01T03:00:02Z')
  journal.adoptUndo({ ...undo, process: 'other', armedAt })
  expect(() => journal.adoptUndo({ ...undo, process: 'other', armedAt })).toThrow('UNIQUE')
  expect(journal.pendingUndos()).toMatchObject([{ id: 'u1', process: 'other', state: 'armed', armedAt }])
  journal.close()
})
