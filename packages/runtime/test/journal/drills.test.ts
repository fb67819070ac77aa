import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Run, RunStatus } from '@holdfast/sdk'
import { expect, onTestFinished, test } from 'vitest'
import type { Journal } from '../../src/journal/journal.ts'
import { openJournal } from '../../src/journal/open-journal.ts'
import { runOf } from '../../src/journal/records.ts'
import { migrations } from '../../src/journal/schema.ts'

function directoryOf(): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

let now = new Date('2026-03-01T10:00:00Z')
const open = (directory: string): Journal => {
  const journal = openJournal({ directory, now: () => now, onCorrupt: (error) => expect.unreachable(error.message) })
  onTestFinished(() => journal.close())
  return journal
}

let count = 0
/** One run after the other, an hour apart. */
function ran(journal: Journal, status: RunStatus, more: Partial<Run>): string {
  const id = `r${++count}`
  const trigger = more.drill === undefined ? 'schedule' : 'drill'
  journal.beginRun({ id, plan: 'shop', attempt: 1, scheduledFor: now, trigger, dryRun: false, ...more }, 'default', 'p')
  journal.endRun(id, { status })
  now = new Date(now.getTime() + 3_600_000)
  return id
}

test('a drill is a run of its plan that has a name of its own', () => {
  const journal = open(directoryOf())
  const backup = ran(journal, 'succeeded', {})
  const at = now
  const drill = ran(journal, 'failed', { drill: 'weekly' })
  expect(journal.runs({ plan: 'shop' }).map(({ id }) => id)).toEqual([drill, backup])
  expect(journal.runs({ drill: 'weekly' }).map(({ id }) => id)).toEqual([drill])
  expect(journal.runs({ id: drill }).map(runOf)).toMatchObject([{ drill: 'weekly', trigger: 'drill' }])
  expect(journal.runs({ id: backup }).map(runOf)[0]).not.toHaveProperty('drill')
  expect(journal.lastDrill('weekly')).toEqual(at)
  expect(journal.lastDrill('other')).toBeUndefined()
  // Of the backups it says nothing.
  expect(journal.lastRuns({ plan: 'shop' })).toMatchObject({ status: 'succeeded', failedAt: undefined })
  expect(journal.lastRuns({ drill: 'weekly' })).toMatchObject({
    status: 'failed',
    startedAt: at,
    succeededAt: undefined,
  })
  expect(journal.lastScheduled('shop')).not.toEqual(at)
})

test('drills push no backup out of the history, and of each the newest success stays', () => {
  const journal = open(directoryOf())
  const backup = ran(journal, 'failed', {})
  const success = ran(journal, 'succeeded', { drill: 'weekly' })
  for (let time = 0; time < 5; time++) ran(journal, 'failed', { drill: 'weekly' })
  const last = ran(journal, 'failed', { drill: 'weekly' })
  journal.forgetRunsOfDrill('weekly', 2)
  expect(journal.runs({ drill: 'weekly' })).toHaveLength(3)
  expect(journal.runs({ drill: 'weekly' }).map(({ id }) => id)).toEqual(expect.arrayContaining([success, last]))
  journal.forgetRunsOf('shop', 1)
  expect(journal.runs({ id: backup })).toHaveLength(1)
  journal.forgetRuns(now)
  expect(journal.runs().map(({ id }) => id)).toEqual([success])
  expect(journal.lastRuns({ drill: 'weekly' }).succeededAt).toBeDefined()
})

test('a run that another pod did not finish is taken over as the drill that it was', () => {
  const journal = open(directoryOf())
  const run: Run = {
    id: 'x',
    plan: 'shop',
    drill: 'weekly',
    attempt: 1,
    scheduledFor: now,
    trigger: 'drill',
    dryRun: false,
  }
  const error = { code: 'RUN_ABORTED', message: 'gone', hint: '', docs: '', retryable: false, details: {} }
  journal.adoptRun(run, { instance: 'default', process: 'p', startedAt: now, error, observersDue: false })
  expect(journal.runs({ id: 'x' }).map(runOf)).toEqual([run])
})

test('a journal from before there were drills keeps its runs', () => {
  const directory = directoryOf()
  const old = new DatabaseSync(join(directory, 'journal.sqlite'))
  for (const step of migrations.slice(0, 2)) old.exec(step)
  old.exec(`PRAGMA user_version=2;
    INSERT INTO runs (id, plan, instance, trigger, attempt, dry_run, scheduled_for, started, ended, status, process)
    VALUES ('old', 'shop', 'default', 'schedule', 1, 0, 1, 1, 2, 'succeeded', 'p')`)
  old.close()
  const journal = open(directory)
  expect(journal.runs()).toMatchObject([{ id: 'old', drill: undefined, status: 'succeeded' }])
  ran(journal, 'succeeded', { drill: 'weekly' })
  expect(journal.runs({ drill: 'weekly' })).toHaveLength(1)
})
