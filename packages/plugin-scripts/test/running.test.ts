import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createSecret, defineHook } from '@holdfast/sdk'
import { advanceUntil } from '@holdfast/testing'
import { expect, test, vi } from 'vitest'
import { bin, directoryWith, sh, writeFiles } from './support/files.ts'
import { scriptPath, scriptRun } from './support/run.ts'

test('sidefridge F6: a script that fails makes the run fail, and the rest does not run', async () => {
  const run = await scriptRun({
    'before_backups/10': sh('echo before'),
    'backups/10': sh('echo first'),
    'backups/20': sh('exit 3'),
    'backups/30': sh('echo never'),
    'after_backups/10': sh('echo never'),
    'verify_backups/10': sh('echo never'),
    'maintain/10': sh('echo never'),
    'on_error/10': sh('echo "$#: $1"'),
    'on_finish/10': sh('echo "finish: $HOLDFAST_STATUS"'),
  })
  const { outcome } = await run.run()
  expect(outcome.status).toBe('failed')
  expect(outcome.error).toMatchObject({
    code: 'SCRIPT_FAILED',
    details: { script: scriptPath(run, 'backups/20'), exitCode: 3 },
    hook: 'backups',
    target: 'scripts',
  })
  expect(run.output()).toEqual([
    'before',
    'first',
    `1: Script '${scriptPath(run, 'backups/20')}' finished with exit code '3'`,
    'finish: failed',
  ])
})

test('sidefridge F6: a signal that ends a script is its negative number', async () => {
  const run = await scriptRun({ 'backups/x': sh('kill -9 $$'), 'on_error/t': sh('echo "$1"') })
  const { outcome } = await run.run()
  expect(outcome.error).toMatchObject({ code: 'SCRIPT_FAILED', details: { exitCode: -9, signal: 'SIGKILL' } })
  expect(run.output()).toEqual([`Script '${scriptPath(run, 'backups/x')}' finished with exit code '-9'`])
})

test('sidefridge F7: bytes that are no UTF-8 pass, and a NUL', async () => {
  const run = await scriptRun({ 'backups/x': sh("printf 'caf\\303\\251 \\377 \\000 end\\n'") })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['café \u{fffd} \0 end'])
})

test('sidefridge S4: a non-ASCII character is no failure', async () => {
  const run = await scriptRun({ 'backups/x': sh("printf 'café'"), 'on_error/t': sh('echo never') })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['café'])
})

test('sidefridge S5: a script that loses its execute bit during the run still runs as it was', async () => {
  const run = await scriptRun({
    'before_backups/chmod': sh('chmod a-x "$(dirname "$0")/../backups/x"'),
    'backups/x': sh('echo ran'),
  })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['ran'])
})

test('sidefridge F9: a run that is cancelled ends its script with all that it started', async () => {
  const cancel = new AbortController()
  const pids = join(directoryWith(), 'pids')
  const run = await scriptRun({
    'backups/x': sh('sleep 1000 & echo "$! $$" > ' + pids, 'echo started', 'wait'),
    'on_error/t': sh('echo "$1"'),
  })
  const result = run.test.run({ signal: cancel.signal })
  await run.printed('started')
  cancel.abort(new Error('cancelled by hand'))
  const { outcome } = await result
  expect(outcome.status).toBe('aborted')
  expect(run.output().at(-1)).toContain('cancelled by hand')
  for (const pid of readFileSync(pids, 'utf8').trim().split(' ').map(Number)) {
    await vi.waitFor(() => expect(stateOf(pid)).toMatch(/gone|Z/))
  }
})

/** `Z` for what has ended and only waits for its parent to hear of it. */
function stateOf(pid: number): string {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? 'unknown'
  } catch {
    return 'gone'
  }
}

test('sidefridge F10: a script that hangs is ended after `timeout`, with the rest of the run as for any failure', async () => {
  const run = await scriptRun(
    { 'backups/x': sh('echo started; exec sleep 1000'), 'on_error/t': sh('echo "$1"; echo "$HOLDFAST_ERROR_SCRIPT"') },
    { options: { timeout: '10m' } },
  )
  const result = run.run()
  await run.printed('started')
  await run.test.clock.advance('10m')
  const { outcome } = await result
  expect(outcome.error).toMatchObject({ code: 'SCRIPT_TIMEOUT', details: { script: scriptPath(run, 'backups/x') } })
  expect(run.output().slice(1)).toEqual([
    `Script '${scriptPath(run, 'backups/x')}' did not finish within 10m`,
    scriptPath(run, 'backups/x'),
  ])
})

test('fault F6: a hook that takes too long is ended after its own time; `timeouts` sets it', async () => {
  const run = await scriptRun(
    {
      'backups/x': sh('echo started; exec sleep 1000'),
      'on_error/t': sh('echo "$HOLDFAST_ERROR_CODE $HOLDFAST_ERROR_HOOK"'),
    },
    { options: { timeouts: { backups: '2m' } } },
  )
  const result = run.run()
  await run.printed('started')
  await run.test.clock.advance('2m')
  expect((await result).outcome.error?.code).toBe('HOOK_TIMEOUT')
  expect(run.output().at(-1)).toBe('HOOK_TIMEOUT backups')
})

test('fault F7: an on_error script that fails changes nothing, and the next one still runs', async () => {
  const run = await scriptRun({
    'backups/x': sh('exit 3'),
    'on_error/1': sh('echo one; exit 5'),
    'on_error/2': sh('echo two; kill -9 $$'),
    'on_error/3': sh('echo three'),
    'on_finish/1': sh('exit 6'),
    'on_finish/2': sh('echo finish'),
  })
  const { outcome } = await run.run()
  expect(run.output()).toEqual(['one', 'two', 'three', 'finish'])
  expect(outcome.error).toMatchObject({ code: 'SCRIPT_FAILED', details: { exitCode: 3 } })
  expect(run.said('error').join('\n')).toMatch(/on_error\/1' finished with exit code '5'/)
})

test('sidefridge F11: standard error is captured, in order, and on_error learns everything', async () => {
  const run = await scriptRun({
    'backups/dump': sh('echo never'),
    'before_backups/q': sh('echo out 1; echo err 1 >&2; echo out 2; echo err 2 >&2; exit 7'),
    'on_error/t': sh('env | grep ^HOLDFAST_ERROR_ | sort'),
  })
  const { outcome } = await run.run()
  const script = scriptPath(run, 'before_backups/q')
  expect(run.output()).toEqual([
    'out 1',
    'err 1',
    'out 2',
    'err 2',
    'HOLDFAST_ERROR_CODE=SCRIPT_FAILED',
    'HOLDFAST_ERROR_EXIT_CODE=7',
    'HOLDFAST_ERROR_HOOK=before_backups',
    `HOLDFAST_ERROR_MESSAGE=Script '${script}' finished with exit code '7'`,
    `HOLDFAST_ERROR_SCRIPT=${script}`,
  ])
  expect(outcome.status).toBe('failed')
})

test('on_error is told also of an error that has a secret in it as text: [secret] in its argument is not refused as one', async () => {
  const password = createSecret('c4nary')
  const thrown = defineHook('beforeBackups', () => {
    throw new Error(`no login with ${String(password)}`)
  })
  const handed = defineHook('beforeBackups', ({ exec }) =>
    exec.local({ command: ['login', `--as=${String(password)}`] }),
  )
  for (const [hook, told] of [
    [thrown, /no login with \[redacted\]$/],
    [handed, /login was not started: its argument 1 has a secret in it/],
  ] as const) {
    const run = await scriptRun({ 'backups/x': sh('true'), 'on_error/t': sh('echo "$1"') }, { use: [hook] })
    expect((await run.run()).outcome.status).toBe('failed')
    expect(run.output()).toEqual([expect.stringMatching(told)])
  }
})

test('sidefridge F12: a line is there as soon as it was printed', async () => {
  const gate = join(directoryWith(), 'gate')
  const run = await scriptRun({ 'backups/x': sh(`echo early; while [ ! -e ${gate} ]; do sleep 0.01; done; echo late`) })
  const result = run.run()
  await run.printed('early')
  expect(run.output()).toEqual(['early'])
  writeFileSync(gate, '')
  await result
  expect(run.output()).toEqual(['early', 'late'])
})

test('sidefridge F13, sidefridge S8: variables belong to one run and reach all its hooks', async () => {
  const run = await scriptRun({
    'before_backups/a': sh('load_var KEY nothing; save_var KEY value'),
    'backups/b': sh('load_var KEY'),
    'after_backups/c': sh('load_var KEY; exit 1'),
    'on_error/d': sh('load_var KEY'),
    'on_finish/e': sh('load_var KEY'),
  })
  await run.run()
  await run.run()
  expect(run.output()).toEqual([...Array(2)].flatMap(() => ['nothing', 'value', 'value', 'value', 'value']))
})

test('variables that were saved outside a run are gone when the next one has begun', async () => {
  const place = directoryWith()
  vi.stubEnv('XDG_RUNTIME_DIR', place)
  const run = await scriptRun({ 'backups/x': sh('load_var KEY default') })
  spawnSync(join(bin, 'save_var'), ['KEY', 'outside'])
  expect(readdirSync(place)).toHaveLength(1)
  await run.test.run({ dryRun: true })
  expect(readdirSync(place)).toHaveLength(1)
  await run.run()
  expect(run.output()).toEqual(['default'])
  expect(readdirSync(place)).toEqual([])
})

test('a run that is tried again begins with the scripts that are there by then', async () => {
  const run = await scriptRun(
    {
      'backups/x': sh(
        'echo "attempt $HOLDFAST_ATTEMPT"; rm "$0"; printf "#!/bin/sh\\necho mended\\n" > "$0"; chmod +x "$0"; exit 1',
      ),
    },
    { test: { plan: { retry: { attempts: 2, backoff: 0 } } } },
  )
  const { outcome } = await advanceUntil(run.test.clock, run.run(), '10ms')
  expect(outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['attempt 1', 'mended'])
})

test('sidefridge F19: the order is that of code points, hidden files and editors’ copies included', async () => {
  const run = await scriptRun(
    Object.fromEntries(['10', '9', 'B', 'a', '.h', 'x~'].map((name) => [`backups/${name}`, sh(`echo ${name}`)])),
  )
  await run.run()
  expect(run.output()).toEqual(['.h', '10', '9', 'B', 'a', 'x~'])
})

test('sidefridge F28: what a run would do can be listed, and a dry run runs only the checks', async () => {
  const run = await scriptRun({
    'validate/v': sh('echo checked "$HOLDFAST_HOOK" "$HOLDFAST_PLAN" "$HOLDFAST_TARGET"'),
    'before_backups/freeze': sh('echo never'),
    'before_backups/freeze.undo': sh('echo never'),
    'backups/dump': sh('echo never'),
    'restore/r': sh('echo never'),
  })
  const { outcome } = await run.test.run({ dryRun: true })
  expect(outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['checked validate test scripts'])
  const steps = await run.describe()
  expect(steps.map(({ kind, what, where }) => `${where}: ${kind} ${what}`)).toEqual([
    `validate: exec runs ${scriptPath(run, 'validate/v')}`,
    `before_backups: undo arms ${scriptPath(run, 'before_backups/freeze.undo')}`,
    `before_backups: exec runs ${scriptPath(run, 'before_backups/freeze')}`,
    `backups: exec runs ${scriptPath(run, 'backups/dump')}`,
  ])
})

test('a script gets its own path as the only word, no shell, no input, and knows which run it belongs to', async () => {
  const run = await scriptRun(
    {
      "backups/it's a $HOME": sh(
        'echo "$# $0"; cat; pwd; env | grep ^HOLDFAST_ | grep -v =$ | cut -d= -f1 | sort | tr "\\n" " "',
      ),
      'backups/values': sh('echo "$HOLDFAST_RUN_ID $HOLDFAST_PLAN $HOLDFAST_HOOK $HOLDFAST_TARGET $HOLDFAST_ATTEMPT"'),
    },
    { name: 'shop', test: { plan: { name: 'nightly' } } },
  )
  const { run: done } = await run.run()
  expect(run.output()).toEqual([
    `0 ${scriptPath(run, "backups/it's a $HOME")}`,
    process.env.HOME,
    'HOLDFAST_ARTIFACT_SOCKET HOLDFAST_ARTIFACT_TOKEN HOLDFAST_ATTEMPT HOLDFAST_BIN HOLDFAST_HOOK HOLDFAST_NODE HOLDFAST_PLAN HOLDFAST_RUN_ID HOLDFAST_TARGET HOLDFAST_VARS ',
    `${done.id} nightly backups shop 1`,
  ])
})

test('variables of a run around this one are not handed on', async () => {
  vi.stubEnv('HOLDFAST_ARTIFACT_SOCKET', '/tmp/other')
  vi.stubEnv('HOLDFAST_ERROR_CODE', 'OTHER')
  const run = await scriptRun({
    'before_backups/x': sh('echo "[$HOLDFAST_ARTIFACT_SOCKET][$HOLDFAST_ERROR_CODE]"; echo x | save_artifact y'),
    'backups/x': sh('true'),
  })
  await run.run()
  expect(run.output()).toEqual(['[][]', expect.stringMatching(/^save_artifact: .*backups directory/)])
})

test('where $HOME cannot be written to, scripts start in a private directory of that name', async () => {
  const files = { 'backups/x': sh('[ "$PWD" = "$HOME" ] && touch "$HOME/x" && stat -c %a .; pwd') }
  for (const home of ['/nonexistent', '/etc/passwd']) {
    const run = await scriptRun(files, { home })
    const { outcome } = await run.run()
    expect(outcome.status).toBe('succeeded')
    const [mode, directory] = run.output()
    expect(mode).toBe('700')
    expect(directory).toContain(run.test.stateDirectory)
    expect(existsSync(directory ?? '')).toBe(false)
  }
})

test('the commands for scripts come last on PATH, and only if one is missing', async () => {
  vi.stubEnv('PATH', '/usr/bin:/bin')
  const run = await scriptRun({ 'backups/x': sh('echo "$PATH"') })
  await run.run()
  const [path = ''] = run.output()
  expect(path).toMatch(/apps\/sidecar\/bin$/)
  vi.stubEnv('PATH', path)
  const again = await scriptRun({ 'backups/x': sh('echo "$PATH"') })
  await again.run()
  expect(again.output()).toEqual([path])
})

test('fault F8: a ConfigMap that is exchanged during a run changes the next one', async () => {
  const run = await scriptRun({})
  const mount = scriptPath(run, 'backups')
  const publish = (version: string): void => {
    writeFiles(mount, {
      [`..${version}/10-publish`]: sh(`echo "${version} one"; "${mount}/../publish"`),
      [`..${version}/20-after`]: sh(`echo "${version} two"`),
    })
    symlinkSync(`..${version}`, join(mount, '..next'))
    renameSync(join(mount, '..next'), join(mount, '..data'))
  }
  writeFiles(run.path, {
    // The kubelet: a new directory, the link exchanged, the old directory removed.
    publish: sh(
      `cd ${mount}`,
      '[ "$(readlink ..data)" = ..old ] || exit 0',
      'ln -s ..new ..next',
      'mv -T ..next ..data',
      'rm -r ..old',
    ),
  })
  mkdirSync(mount, { recursive: true })
  publish('new')
  rmSync(join(mount, '..data'))
  publish('old')
  for (const key of ['10-publish', '20-after']) symlinkSync(`..data/${key}`, join(mount, key))

  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['old one', 'old two'])
  expect(readlinkSync(join(mount, '..data'))).toBe('..new')
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.output().slice(2)).toEqual(['new one', 'new two'])
})

test('fault F8: a script that is removed or rewritten during a run runs as it was when the run began', async () => {
  const run = await scriptRun({
    'before_backups/change': sh('cd "$(dirname "$0")/../backups"; rm 10; echo "#!/bin/sh" > 20; echo "echo new" >> 20'),
    'backups/10': sh('echo ten'),
    'backups/20': sh('echo twenty'),
  })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['ten', 'twenty'])
  expect(statSync(scriptPath(run, 'backups/20')).size).toBeLessThan(30)
})

test('a program is a script, too', async () => {
  const run = await scriptRun({ 'backups/true': readFileSync('/bin/true') })
  expect((await run.run()).outcome.status).toBe('succeeded')
  chmodSync(scriptPath(run, 'backups/true'), 0o644)
  expect((await run.run()).outcome.error?.code).toBe('SCRIPT_NOT_EXECUTABLE')
})

test('two sets in one plan are two targets, each with its own fate', async () => {
  const { scripts } = await import('../src/index.ts')
  const other = directoryWith({ 'backups/x': sh('echo "other: $HOLDFAST_TARGET"') })
  const run = await scriptRun({ 'backups/x': sh('exit 1') }, { use: [scripts({ path: other }, { name: 'other' })] })
  const { outcome } = await run.run()
  expect(outcome.status).toBe('partial')
  expect(run.output()).toEqual(['other: other'])
})
