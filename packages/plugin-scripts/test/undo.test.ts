import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { advanceUntil } from '@holdfast/testing'
import { beforeEach, expect, test } from 'vitest'
import { scripts } from '../src/index.ts'
import { bin, directoryWith, sh, writeFiles } from './support/files.ts'
import { scriptRun } from './support/run.ts'

/** What is frozen is a file that exists. */
let frozen: string
beforeEach(() => {
  frozen = join(directoryWith(), 'frozen')
})
const freeze = () => sh(`echo freeze; touch ${frozen}; save_var WHO me`)
const thaw = () => sh(`echo "thaw $HOLDFAST_HOOK $(load_var WHO) $HOLDFAST_RUN_ID"; rm -f ${frozen}`)
const state = () => sh(`[ -e ${frozen} ] && echo frozen || echo thawed`)

test('X.undo runs as soon as the backups are through', async () => {
  const run = await scriptRun({
    'before_backups/freeze': freeze(),
    'before_backups/freeze.undo': thaw(),
    'backups/dump': state(),
    'after_backups/check': state(),
  })
  const result = await run.run()
  expect(result.outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['freeze', 'frozen', `thaw before_backups me ${result.run.id}`, 'thawed'])
  expect(run.test.journal.filter((event) => /armed|done/.test(event))).toEqual(['armed script', 'script done'])
})

test('sidefridge S3: a failure thaws, before on_error runs', async () => {
  const run = await scriptRun({
    'before_backups/freeze': freeze(),
    'before_backups/freeze.undo': thaw(),
    'before_backups/x': sh('exit 1'),
    'backups/dump': sh('echo never'),
    'on_error/check': state(),
  })
  await run.run()
  expect(run.output()).toEqual(['freeze', expect.stringMatching(/^thaw/), 'thawed'])
})

test('a script that fails half-way is undone itself; in backups its undo runs when the hook has ended', async () => {
  const run = await scriptRun({
    'backups/a': sh(`touch ${frozen}; echo a; exit 1`),
    'backups/a.undo': thaw(),
    'on_error/check': state(),
  })
  await run.run()
  expect(run.output()).toEqual(['a', expect.stringMatching(/^thaw backups/), 'thawed'])
})

test('undos run newest first', async () => {
  const run = await scriptRun({
    'before_backups/1': sh('echo 1'),
    'before_backups/1.undo': sh('echo undo 1'),
    'before_backups/2': sh('echo 2'),
    'before_backups/2.undo': sh('echo undo 2'),
    'backups/x': sh('echo backup'),
  })
  await run.run()
  expect(run.output()).toEqual(['1', '2', 'backup', 'undo 2', 'undo 1'])
})

test('an undo that fails is tried again', async () => {
  const tries = join(directoryWith(), 'tries')
  const run = await scriptRun({
    'before_backups/freeze': freeze(),
    'before_backups/freeze.undo': sh(`echo try >> ${tries}; [ "$(wc -l < ${tries})" -ge 3 ] || exit 1; rm ${frozen}`),
    'backups/x': sh('true'),
  })
  const { outcome } = await advanceUntil(run.test.clock, run.run(), '50ms')
  expect(outcome.status).toBe('succeeded')
  expect(readFileSync(tries, 'utf8')).toBe('try\ntry\ntry\n')
  expect(existsSync(frozen)).toBe(false)
})

test('the copy that was remembered runs, even if all scripts are gone by then', async () => {
  const run = await scriptRun({
    'before_backups/freeze': freeze(),
    'before_backups/freeze.undo': thaw(),
    'backups/remove': sh('rm -r "$(dirname "$0")/../before_backups"'),
  })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.output().at(-1)).toMatch(/^thaw before_backups me/)
  expect(existsSync(frozen)).toBe(false)
})

test('sidefridge F9, fault F3: the next start runs it, with the variables of the run that died, though all scripts are others by then', async () => {
  const place = directoryWith()
  const run = await scriptRun({
    'before_backups/freeze': freeze(),
    'before_backups/freeze.undo': thaw(),
    'backups/hang': sh(`echo hanging; while [ -d ${place} ] && [ ! -e ${place}/gate ]; do sleep 0.02; done`),
  })
  void run.run().catch(() => {})
  await run.printed('hanging')
  expect(existsSync(frozen)).toBe(true)
  rmSync(run.path, { recursive: true })
  writeFiles(run.path, { 'backups/other': sh('echo other'), 'on_error/tell': sh('echo "$HOLDFAST_STATUS"') })
  await run.test.restart([scripts({ path: run.path, bin })])
  const { undos, interrupted } = await run.test.engine.recover()
  expect(undos).toMatchObject([{ result: 'done' }])
  expect(existsSync(frozen)).toBe(false)
  await run.test.engine.finishRecovery()
  expect(run.output()).toEqual(['freeze', 'hanging', `thaw before_backups me ${interrupted[0]?.id}`, 'aborted'])
  expect((await run.run()).outcome.status).toBe('succeeded')
  // The script of the one that counts as dead; it also ends with its directory.
  writeFileSync(join(place, 'gate'), '')
})

test('an undo that is too large for the journal, or not executable, keeps its script from running', async () => {
  const run = await scriptRun({ 'backups/x': sh('echo never'), 'backups/x.undo': { text: sh(''), mode: 0o644 } })
  expect((await run.run()).outcome.error?.code).toBe('SCRIPT_UNDO_NOT_EXECUTABLE')
  expect(run.output()).toEqual([])
})

test('a program can be an undo, and a script of another interpreter', async () => {
  const run = await scriptRun({
    'backups/x': sh('true'),
    'backups/x.undo': readFileSync('/bin/true'),
    'backups/y': sh('true'),
    'backups/y.undo': '#!/usr/bin/env bash\necho "${BASH_VERSION:+bash}"\n',
  })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['bash'])
})

test('a file that only ends in .undo is a script', async () => {
  const run = await scriptRun({ 'backups/x.undo': sh('echo ran') })
  await run.run()
  expect(run.output()).toEqual(['ran'])
})

test.each([
  ['', undefined],
  [', nor has a home', '/nowhere'],
])('fault F12: an undo runs although the state directory takes no file any more%s', async (_, home) => {
  const files = {
    'before_backups/freeze': freeze(),
    'before_backups/freeze.undo': thaw(),
    // A dump may fill the disk: no workspace can be made from now on.
    'backups/fill': sh('cd "$HOLDFAST_VARS/../.." && rm -rf work && : >work'),
  }
  const run = await scriptRun(files, home === undefined ? {} : { home })
  await advanceUntil(run.test.clock, run.run(), '1s')
  expect(run.output().at(-1)).toMatch(/^thaw before_backups me/)
  expect(existsSync(frozen)).toBe(false)
})
