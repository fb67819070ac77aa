import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import type { Journal } from '../../src/journal/journal.ts'
import { openJournal } from '../../src/journal/open-journal.ts'
import { migrations } from '../../src/journal/schema.ts'

function directoryOf(): string {
  const directory = mkdtempSync(join(tmpdir(), 'pauses-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const hour = (number: number): Date => new Date(Date.UTC(2026, 10, 23, number))

/** A journal whose clock is set by hand. */
function open(directory = directoryOf()): { readonly journal: Journal; at(hours: number): Journal } {
  let now = hour(0)
  const journal = openJournal({ directory, now: () => now, onCorrupt: () => undefined })
  onTestFinished(() => {
    try {
      journal.close()
    } catch {
      // The test has closed it.
    }
  })
  return {
    journal,
    at(hours) {
      now = hour(hours)
      return journal
    },
  }
}

const paused = (journal: Journal): readonly (readonly [string, number])[] =>
  [...journal.pauses.all()].map(([plan, at]) => [plan, at.getUTCHours()] as const)

test('a pause survives a restart, with since when, until it is taken back', () => {
  const directory = directoryOf()
  const first = open(directory)
  first.at(1).pauses.set('shop', true)
  first.at(2).pauses.set('mail', true)
  // Told once more, it is no younger.
  first.at(3).pauses.set('shop', true)
  first.journal.close()
  const second = open(directory)
  expect(paused(second.journal)).toEqual([
    ['shop', 1],
    ['mail', 2],
  ])
  second.at(4).pauses.set('shop', false)
  expect(paused(second.journal)).toEqual([['mail', 2]])
  second.at(5).pauses.set('shop', true)
  expect(paused(second.journal)).toContainEqual(['shop', 5])
})

test('what the daemon before was told holds here, but for what was decided here since', () => {
  const { journal, at } = open()
  at(1).pauses.set('resumed there', true)
  at(1).pauses.set('paused there', true)
  at(2).pauses.set('paused there', false)
  at(7).pauses.set('paused here', true)
  at(7).pauses.set('resumed here', true)
  at(8).pauses.set('resumed here', false)
  at(9)
  journal.pauses.inherit({
    paused: new Map([
      ['paused there', hour(4)],
      ['resumed here', hour(3)],
      ['unknown here', hour(5)],
    ]),
    until: hour(6),
  })
  expect(new Map(paused(journal))).toEqual(
    new Map([
      ['paused there', 4],
      ['paused here', 7],
      ['unknown here', 5],
    ]),
  )
})

test('a plan that is gone is forgotten: one that comes back under its name runs', () => {
  const { journal } = open()
  journal.pauses.set('shop', true)
  journal.pauses.set('mail', true)
  journal.pauses.keepOnly(['mail'])
  expect(paused(journal)).toEqual([['mail', 0]])
})

test('a journal from before there were pauses keeps its undos, and finds those of a run without reading all', () => {
  const directory = directoryOf()
  const old = new DatabaseSync(join(directory, 'journal.sqlite'))
  for (const step of migrations.slice(0, 3)) old.exec(step)
  old.exec(`PRAGMA user_version=3;
    INSERT INTO undos (id, run, plan, instance, participant, undo, input, armed, process, state)
    VALUES ('u1', 'r1', 'shop', 'default', 'database', 'thaw', '{}', 1, 'p', 'done')`)
  old.close()
  const { journal } = open(directory)
  expect(journal.undos('r1')).toMatchObject([{ id: 'u1' }])
  journal.pauses.set('shop', true)
  expect(paused(journal)).toEqual([['shop', 0]])
  const database = new DatabaseSync(journal.path)
  onTestFinished(() => database.close())
  for (const sql of ['SELECT * FROM undos WHERE run = ? ORDER BY seq', 'DELETE FROM undos WHERE run = ?']) {
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all('r1') as { readonly detail: string }[]
    expect(steps.map(({ detail }) => detail)).toEqual([expect.stringContaining('USING INDEX undos_by_run')])
  }
})
