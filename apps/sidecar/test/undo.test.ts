import { expect, test } from 'vitest'
import { stillFrozen } from './support/freezer.ts'
import type { Workspace } from './support/workspace.ts'

interface UndoJson {
  readonly id: string
  readonly undo: string
  readonly result?: string
}

async function pending(here: Workspace): Promise<readonly UndoJson[]> {
  return JSON.parse((await here.run(['undo', 'list', '--json'])).stdout) as UndoJson[]
}

test('what could not be given back is listed, kept, and given back when a person asks for it', async () => {
  const here = await stillFrozen()
  const [undo] = await pending(here)
  expect(undo).toMatchObject({ undo: 'thaw', plan: 'shop', state: 'armed', error: 'the filesystem does not answer' })
  const shown = await here.run(['undo', 'list'])
  expect(shown.stdout).toMatch(/^[0-9a-f]{8} +thaw +shop\/freezer/m)
  const stuck = await here.run(['undo', 'run', '--all', '--yes', '--json'])
  expect(stuck.code).toBe(1)
  expect(JSON.parse(stuck.stdout)).toMatchObject([{ result: 'failed', error: { code: 'UNDO_FAILED' } }])
  const { rmSync } = await import('node:fs')
  rmSync(here.at('stuck'))
  const given = await here.run(['undo', 'run', undo!.id.slice(0, 8), '--yes'])
  expect(given.code).toBe(0)
  expect(given.stdout).toContain('thaw of freezer is given back')
  expect(await pending(here)).toEqual([])
  expect((await here.run(['undo', 'list'])).stdout).toContain('Nothing is pending')
})

test('an undo is dropped only by a person who confirms it', async () => {
  const here = await stillFrozen()
  const [undo] = await pending(here)
  const nobody = await here.run(['undo', 'drop', undo!.id])
  expect(nobody.code).toBe(2)
  expect(nobody.stderr).toContain('CONFIRMATION_NEEDED')
  const no = await here.run(['undo', 'drop', undo!.id], { columns: 80, answer: 'n' })
  expect(no.code).toBe(1)
  expect(no.stderr).toContain('Forget it?')
  expect(await pending(here)).toHaveLength(1)
  const yes = await here.run(['undo', 'drop', undo!.id], { columns: 80, answer: 'y' })
  expect(yes.code).toBe(0)
  expect(await pending(here)).toEqual([])
})

test('an id that fits nothing is refused, and nothing is run', async () => {
  const here = await stillFrozen()
  for (const args of [['run', 'ffffffff', '--yes'], ['drop', '', '--yes'], ['run']]) {
    expect((await here.run(['undo', ...args])).code).toBeGreaterThan(0)
  }
  // A person is told, not a log.
  const { code, stderr } = await here.run(['undo', 'run'])
  expect(code).toBe(2)
  expect(stderr).toMatch(/^error: `holdfast undo run` was not told which undos\n {2}Nothing was done\. Say their ids/)
  expect(await pending(here)).toHaveLength(1)
})
