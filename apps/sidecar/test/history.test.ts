import { expect, test } from 'vitest'
import { shop, workspace } from './support/workspace.ts'

test('history shows runs newest first, and one run with its hooks, targets and how long things stood still', async () => {
  const here = shop()
  here.script('before_backups/10-freeze', 'touch frozen')
  here.write('scripts/before_backups/10-freeze.undo', '#!/bin/sh\nrm -f frozen\n', 0o755)
  here.script('backups/10-dump', 'exit 3')
  expect((await here.run(['run', 'shop'])).code).toBe(1)
  const list = await here.run(['history', '--json'])
  const runs = JSON.parse(list.stdout) as { id: string; status: string; trigger: string }[]
  expect(runs.map(({ status, trigger }) => [status, trigger])).toEqual([
    ['failed', 'manual'],
    ['succeeded', 'boot'],
  ])
  const id = runs[0]!.id
  const details = await here.run(['history', id, '--json'])
  const run = JSON.parse(details.stdout) as { readonly error: { readonly hint: string } }
  expect(run).toMatchObject({
    status: 'failed',
    targets: [{ target: 'scripts', status: 'failed' }],
    undos: [{ state: 'done', heldMs: expect.any(Number) as number }],
    error: { code: 'SCRIPT_FAILED', hint: expect.any(String) as string },
  })
  const shown = await here.run(['history', id])
  expect(shown.stdout).toMatch(/^shop failed in /)
  expect(shown.stdout).toMatch(/^UNDO +WHO +TAKEN +HELD +STATE/m)
  expect(shown.stdout).toContain(run.error.hint)
})

test('the beginning of an id is enough; an unknown one is refused', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  await here.run(['run', 'shop'])
  const [newest] = JSON.parse((await here.run(['history', '--json'])).stdout) as { id: string }[]
  expect((await here.run(['history', newest!.id.slice(0, -2)])).code).toBe(0)
  expect((await here.run(['history', '1999'])).stderr).toContain('RUN_UNKNOWN')
  expect((await here.run(['history', newest!.id.slice(0, 2)])).stderr).toContain('RUN_AMBIGUOUS')
})

test('before anything ran, history says so, and makes no state directory', async () => {
  const here = workspace()
  const { code, stderr } = await here.run(['history'])
  expect(code).toBe(1)
  expect(stderr).toContain(`there is no journal in ${here.state}`)
})

test('a plan, a drill or a run that nobody knows is not taken for one that has not run yet', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  await here.run(['run', 'shop'])
  expect((await here.run(['history', '--plan', 'shpo'])).stdout).toBe('No run of plan "shpo" is on record.\n')
  expect((await here.run(['history', '--drill', 'weekly'])).stdout).toBe('No run of drill "weekly" is on record.\n')
  expect((await here.run(['history', '%'])).stderr).toContain('RUN_UNKNOWN')
})
