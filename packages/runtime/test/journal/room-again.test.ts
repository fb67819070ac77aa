// A journal that was opened in memory, for its disk was full, and that goes back to the disk.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { inMemory } from '../../src/journal/connection.ts'
import { migrations } from '../../src/journal/schema.ts'
import { prepareStatements } from '../../src/journal/statements.ts'
import { openUndos } from '../../src/journal/undos.ts'

const undo = {
  id: 'thaw-1',
  run: 'r',
  plan: 'p',
  instance: 'i',
  participant: 'x',
  undo: 'thaw',
  input: 'null',
  process: 'dead',
}

/** As its process has it, in memory, and as others have it, on the disk. */
function setup() {
  const directory = mkdtempSync(join(tmpdir(), 'room-again-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  let isFull = true
  const now = () => new Date(isFull ? 0 : 5000)
  const open = (): DatabaseSync => {
    const database = new DatabaseSync(join(directory, 'journal.sqlite'))
    database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL')
    return database
  }
  const [disk, copy] = [open(), new DatabaseSync(':memory:')]
  for (const database of [disk, copy]) {
    for (const step of migrations) database.exec(step)
    database.exec(`INSERT INTO undos (id, run, plan, instance, participant, undo, input, armed, process, state)
      VALUES ('old', 'r', 'p', 'i', 'x', 'thaw', 'null', 1, 'dead', 'armed')`)
  }
  const connection = inMemory({
    copy,
    open() {
      if (isFull) throw new Error('database or disk is full')
      return open()
    },
    reason: new Error('it can only be read'),
    now,
    onReturn() {},
  })
  onTestFinished(() => {
    connection.close()
    disk.close()
  })
  const synced: unknown[] = []
  const observe = (point: string): void => {
    if (!point.startsWith('before')) return
    synced.push([point, connection.database().prepare('PRAGMA synchronous').get()?.['synchronous']])
  }
  const undos = openUndos(prepareStatements({ connection, now, observe, redact: (text) => text }))
  return { disk, synced, undos, makeRoom: () => void (isFull = false) }
}

test('the first undo that is armed when there is room again is as durable as any other', () => {
  const { undos, synced, makeRoom } = setup()
  makeRoom()
  undos.arm(undo)
  expect(synced).toEqual([['before write: undo-arm', 2]])
})

test.each(['dropped', 'done'])(
  'an undo that failed in memory, and is %s on the disk by another process meanwhile, does not come back',
  (state) => {
    const { undos, disk, makeRoom } = setup()
    undos.claim('old', 'me', undefined)
    undos.settle('old', 'armed', 'not yet')
    disk.prepare('UPDATE undos SET state = ?').run(state)
    makeRoom()
    expect(undos.claim('old', 'me', undefined)).toBe(false)
    expect(undos.find('old')).toMatchObject({ state })
  },
)
