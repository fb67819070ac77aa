// What is refused, and that everything that is wrong is said at once, by name, with the fix.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { directoryWith, sh, writeFiles, type TestFiles } from './support/files.ts'
import { scriptPath, scriptRun } from './support/run.ts'

const good: TestFiles = { 'backups/dump': sh('echo data > f; save_artifact dump f') }
const tell: TestFiles = { 'on_error/tell': sh('echo "told: $1"') }

test.each<[string, TestFiles, string, RegExp]>([
  ['no execute bit', { 'backups/x': { text: sh('true'), mode: 0o644 } }, 'SCRIPT_NOT_EXECUTABLE', /backups\/x is not/],
  ['no shebang', { 'backups/x': 'echo hello\n' }, 'SCRIPT_NO_SHEBANG', /backups\/x has no shebang/],
  ['an empty file', { 'backups/x': '' }, 'SCRIPT_NO_SHEBANG', /backups\/x is empty/],
  ['no interpreter', { 'backups/x': '#!/no/bash\n' }, 'SCRIPT_INTERPRETER_MISSING', /x needs \/no\/bash/],
  ['nothing for env', { 'backups/x': '#!/usr/bin/env no-bash\n' }, 'SCRIPT_INTERPRETER_MISSING', /x needs no-bash/],
  ['CRLF', { 'backups/x': '#!/bin/sh\r\ntrue\r\n' }, 'SCRIPT_CRLF', /x has Windows line ends/],
  [
    'an undo that cannot run',
    { 'backups/dump.undo': { text: sh(''), mode: 0o600 } },
    'SCRIPT_UNDO_NOT_EXECUTABLE',
    /dump\.undo is not/,
  ],
  ['an undo without shebang', { 'backups/dump.undo': 'true\n' }, 'SCRIPT_NO_SHEBANG', /dump\.undo has no shebang/],
  [
    'an undo that is too large',
    { 'backups/dump.undo': sh('#'.repeat(300_000)) },
    'SCRIPT_UNDO_TOO_LARGE',
    /dump\.undo has 3000/,
  ],
  [
    'an undo of a check',
    { 'validate/c': sh('true'), 'validate/c.undo': sh('true') },
    'SCRIPT_UNDO_UNUSABLE',
    /c\.undo would never run/,
  ],
  [
    'a nearly right directory',
    { 'before_backup/x': sh('true') },
    'SCRIPTS_DIRECTORY_NAME',
    /before_backup is no hook.*before_backups\?/,
  ],
  ['another word for a hook', { 'error/x': sh('true') }, 'SCRIPTS_DIRECTORY_NAME', /error is no hook.*on_error\?/],
  ['a file where a directory should be', { on_finish: sh('true') }, 'SCRIPTS_NOT_A_DIRECTORY', /on_finish is a file/],
])('fault F8: %s is refused by name, and on_error runs', async (_what, files, code, message) => {
  const run = await scriptRun({ ...good, ...tell, ...files })
  const { outcome } = await run.run()
  expect(outcome.status).toBe('failed')
  expect(outcome.error).toMatchObject({
    code,
    message: expect.stringMatching(message),
    hint: expect.stringMatching(/\w/),
  })
  expect(outcome.error?.message).not.toContain('\n')
  // Nothing ran but on_error, with the error's line.
  expect(run.output()).toEqual([`told: ${outcome.error?.message}`])
})

test('fault F8: a dangling link is refused; a directory, a ConfigMap’s ..data and other directories are left alone', async () => {
  const run = await scriptRun({ ...good, 'lib/common.sh': 'sourced\n', 'backups/lib/common.sh': 'sourced\n' })
  mkdirSync(scriptPath(run, 'lost+found'))
  mkdirSync(scriptPath(run, 'backups/..2024_01'))
  symlinkSync('..2024_01', scriptPath(run, 'backups/..data'))
  expect((await run.run()).outcome.status).toBe('succeeded')
  symlinkSync('..data/gone', scriptPath(run, 'backups/gone'))
  expect((await run.run()).outcome.error).toMatchObject({
    code: 'SCRIPT_DANGLING',
    message: `${scriptPath(run, 'backups/gone')} is a link to nothing`,
  })
})

test('fault F8: a refused on_error script is named, and the others still run', async () => {
  const run = await scriptRun({
    'backups/x': sh('exit 3'),
    ...tell,
    'on_error/a-broken': { text: sh('true'), mode: 0o644 },
  })
  await run.run()
  expect(run.output()).toEqual([expect.stringMatching(/^told: .*a-broken is not executable/)])
  expect(run.said('error')).toContainEqual(expect.stringMatching(/a-broken is not executable/))
})

test('sidefridge F8: all problems are reported at once', async () => {
  const run = await scriptRun({
    'before_backups/a': { text: sh('true'), mode: 0o644 },
    'backups/b': 'no shebang\n',
    'error/c': sh('true'),
    'validate/own': sh('exit 4'),
  })
  const { outcome } = await run.run()
  expect(outcome.error?.code).toBe('SCRIPTS_REFUSED')
  const problems = outcome.error?.details.problems as readonly { code: string; hint: string }[]
  expect(problems.map(({ code }) => code).toSorted()).toEqual([
    'SCRIPTS_DIRECTORY_NAME',
    'SCRIPT_FAILED',
    'SCRIPT_NOT_EXECUTABLE',
    'SCRIPT_NO_SHEBANG',
  ])
  for (const word of ['before_backups/a', 'backups/b', 'error', "validate/own' finished with exit code '4'"]) {
    expect(outcome.error?.message).toContain(word)
  }
})

test('sidefridge S9: a set that would back up nothing does not succeed', async () => {
  const run = await scriptRun({ 'before_backups/x': sh('echo ran') })
  const { outcome } = await run.run()
  expect(outcome).toMatchObject({ status: 'failed', error: { code: 'SCRIPTS_EMPTY' } })
  expect(run.output()).toEqual([])
})

test('sidefridge S9: nor does one that is not there', async () => {
  const run = await scriptRun({}, { options: { path: join(directoryWith(), 'nowhere') } })
  expect((await run.run()).outcome).toMatchObject({ status: 'failed', error: { code: 'SCRIPTS_PATH_MISSING' } })
})

test('sidefridge F27: kubectlexec without its variables is refused where a script names it, else a warning, once', async () => {
  vi.stubEnv('TARGET_CONTAINER', undefined)
  vi.stubEnv('POD_NAME', undefined)
  const run = await scriptRun(good)
  await run.run()
  await run.run()
  expect(run.said('warn')).toEqual([expect.stringMatching(/TARGET_CONTAINER and POD_NAME not set/)])
  vi.stubEnv('TARGET_CONTAINER', 'app')
  writeFiles(run.path, { 'after_backups/thaw': sh('kubectlexec thaw') })
  expect((await run.run()).outcome.error).toMatchObject({
    code: 'SCRIPTS_VARIABLE_MISSING',
    message: expect.stringMatching(/after_backups\/thaw uses kubectlexec, which needs POD_NAME/),
  })
  vi.stubEnv('POD_NAME', 'pod-0')
  expect(await run.check()).toEqual([])
})

test('scripts that can never run, and half-checked pipes, are warned of', async () => {
  const run = await scriptRun({ 'backups/dump': sh('mysqldump | save_artifact x'), 'backups/a.undo': sh('true') })
  await run.check()
  expect(run.said('warn').join('\n')).toMatch(/dump pipes into save_artifact without pipefail/)
  expect(run.said('warn').join('\n')).toMatch(/a\.undo runs as a script/)
  const unverified = await scriptRun({ 'backups/x': sh('true'), 'prune_backups/p': sh('true') })
  await unverified.check()
  expect(unverified.said('warn').join('\n')).toMatch(/prune_backups will not run/)
  const maintenance = await scriptRun({ 'maintain/x': sh('true'), 'before_backups/b': sh('true') })
  await maintenance.check()
  expect(maintenance.said('warn').join('\n')).toMatch(/before_backups never run/)
})

test('the refused script of install_dependencies fails the boot; other problems wait for the run', async () => {
  const run = await scriptRun({ 'backup/x': sh('true'), 'install_dependencies/i': sh('echo installed') })
  expect((await run.test.engine.boot()).ok).toBe(true)
  expect(run.output()).toEqual(['installed'])
  writeFiles(run.path, { 'install_dependencies/j': { text: sh('true'), mode: 0o644 } })
  const { ok, results } = await run.test.engine.boot()
  expect(ok).toBe(false)
  expect(results[0]?.outcome.error).toMatchObject({ code: 'SCRIPT_NOT_EXECUTABLE' })
})

test('the first script of a hook, added later, runs in the next run', async () => {
  const run = await scriptRun(good)
  await run.run()
  writeFiles(run.path, { 'before_backups/later': sh('echo before'), 'verify_backups/later': sh('cat'), ...tell })
  writeFiles(run.path, { 'maintain/later': sh('echo maintain') })
  await run.run()
  expect(run.output()).toEqual(['before', 'data', 'maintain'])
})

test('a set that only maintains makes a maintenance plan, and says so when it gets its first backup', async () => {
  const run = await scriptRun({ 'maintain/scrub': sh('echo scrubbed'), 'on_finish/f': sh('echo "$HOLDFAST_STATUS"') })
  expect(run.test.engine.plan('test').maintenance).toBe(true)
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['scrubbed', 'succeeded'])
  writeFiles(run.path, good)
  expect((await run.run()).outcome).toMatchObject({ status: 'failed', error: { code: 'SCRIPTS_KIND_CHANGED' } })
})

test('a set that backed up and lost its scripts does not turn into maintenance', async () => {
  const run = await scriptRun({ ...good, 'maintain/scrub': sh('echo scrubbed') })
  rmSync(scriptPath(run, 'backups'), { recursive: true })
  expect((await run.run()).outcome).toMatchObject({ status: 'failed', error: { code: 'SCRIPTS_KIND_CHANGED' } })
  writeFileSync(join(run.path, 'note'), 'files beside the directories are left alone')
  expect(run.output()).toEqual([])
})
