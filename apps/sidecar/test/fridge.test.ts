import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseFridgeOptions } from '../src/compat/fridge-options.ts'
import { runFridge } from '../src/compat/fridge.ts'
import { testIo, type CliResult } from './support/cli.ts'
import { startProcess, type StartedProcess } from './support/process.ts'
import { workspace, type Workspace } from './support/workspace.ts'

const schedule = { CRON_BACKUP_SCHEDULE: '0 3 * * *' }

/** Runs `fridge` in this process, for scripts that print nothing. */
async function fridge(here: Workspace, args: readonly string[], env: NodeJS.ProcessEnv = schedule): Promise<CliResult> {
  const { io, running } = testIo({ cwd: here.path, env: { HOLDFAST_STATE_DIR: here.state, ...env } })
  const code = await runFridge(args, io)
  return { code, stdout: running.stdout(), stderr: running.stderr() }
}

/** Runs it as a process of its own. */
function fridgeProcess(here: Workspace, args: readonly string[]): StartedProcess {
  const env = { HOLDFAST_STATE_DIR: here.state, ...schedule, TARGET_CONTAINER: 'app', POD_NAME: 'pod', TZ: 'UTC' }
  return startProcess('fridge', [...args, '-csp', here.at('scripts')], { cwd: here.path, env })
}

const time = String.raw`\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d\]`

test('options are read as sidefridge read them', () => {
  const none = { initialize: false, run: false, help: false, scriptsPath: undefined, cronPath: undefined }
  expect(parseFridgeOptions(['-i', '-r'])).toEqual({ ...none, initialize: true, run: true })
  expect(parseFridgeOptions(['-ir'])).toEqual({ ...none, initialize: true, run: true })
  expect(parseFridgeOptions(['--init', '--cron=/x', '-csp', '/y'])).toEqual({
    ...none,
    initialize: true,
    cronPath: '/x',
    scriptsPath: '/y',
  })
  expect(parseFridgeOptions(['-c/x', '--container-scripts-path', '/y'])).toEqual({
    ...none,
    cronPath: '/x',
    scriptsPath: '/y',
  })
  for (const args of [['-x'], ['--c', 'x'], ['-csp'], ['-c', '-r'], ['--run=1'], ['more']]) {
    expect(() => parseFridgeOptions(args)).toThrow(/argument|option/)
  }
})

test('checks come in sidefridge order, each one line on standard output and exit code 1; usage is 2', async () => {
  const here = workspace()
  const scripts = here.script('backups/10', 'true')
  const csp = ['-csp', here.at('scripts')]
  expect((await fridge(here, ['-r'], {})).stdout).toMatch(new RegExp(`^${time} CRON_BACKUP_SCHEDULE is not set`))
  expect((await fridge(here, ['-r'], { CRON_BACKUP_SCHEDULE: 'x' })).stdout).toMatch(/CRON_BACKUP_SCHEDULE: "x" is not/)
  expect((await fridge(here, ['-r', '-csp', scripts])).stdout).toContain('is not a directory')
  expect((await fridge(here, csp)).stdout).toContain('Nothing to do.')
  for (const args of [['-r'], ['-r', '-csp', scripts], csp]) expect((await fridge(here, args)).code).toBe(1)
  const usage = await fridge(here, ['--nonsense'])
  expect(usage.code).toBe(2)
  expect(usage.stderr).toContain('usage: fridge')
  expect((await fridge(here, ['-h'])).stdout).toContain('-csp PATH')
})

test('sidefridge F6: a failure shows in the exit code, and in the history', async () => {
  const here = workspace()
  here.script('backups/10', 'exit 3')
  here.script('on_error/10', `printf '%s' "$1" > ${here.at('told')}`)
  const { code, stdout } = await fridge(here, ['-r', '-csp', here.at('scripts')])
  expect(code).toBe(1)
  const script = here.at('scripts/backups/10')
  expect(readFileSync(here.at('told'), 'utf8')).toBe(`Script '${script}' finished with exit code '3'`)
  expect(stdout).toMatch(new RegExp(`^${time} Running\\.\\.\\.$`, 'm'))
  for (const hook of ['before_backups', 'backups', 'on_error']) expect(stdout).toContain(`] Hook: '${hook}'\n`)
  expect(stdout).toContain(`] Starting '${script}'\n`)
  expect(stdout).toContain(`] Script '${script}' finished with exit code '3'\n`)
  expect(stdout).toContain('] Script execution finished due to errors. Look at logs for details\n')
  expect(stdout).toMatch(new RegExp(`${time} Finished running\\.\n$`))
  const history = await here.run(['history', '--json'])
  expect(JSON.parse(history.stdout)).toMatchObject([
    { plan: 'scripts', status: 'failed', error: { code: 'SCRIPT_FAILED' } },
  ])
})

test('sidefridge F7, F11, F12: output arrives at once, in order, and byte by byte as it was written', async () => {
  const here = workspace()
  const bytes = String.raw`\377\000\303\050caf\303\251`
  here.script('backups/10', `echo out1; echo err1 >&2; echo out2; printf '${bytes}\\n' >&2`)
  const { ended, output, stderr } = fridgeProcess(here, ['-r'])
  expect((await ended).code).toBe(0)
  const raw = Buffer.from([0xff, 0, 0xc3, 0x28, ...Buffer.from('café\n')])
  const expected = Buffer.concat([Buffer.from('out1\nerr1\nout2\n'), raw])
  const at = output().indexOf(expected)
  expect(at).toBeGreaterThan(output().indexOf('Starting'))
  expect(output().indexOf('Finished running.')).toBeGreaterThan(at)
  expect(stderr()).toBe('')
})

test('sidefridge F9: told to stop, it stops its scripts, undoes what was armed, runs on_error, and says so', async () => {
  const here = workspace()
  here.script('before_backups/10-freeze', `touch ${here.at('frozen')}`)
  here.write('scripts/before_backups/10-freeze.undo', `#!/bin/sh\nrm ${here.at('frozen')}\n`, 0o755)
  here.script('backups/10', 'echo backing up; sleep 100 & wait')
  here.script('on_error/10', `printf '%s' "$1" > ${here.at('told')}`)
  const { child, printed, ended, stdout } = fridgeProcess(here, ['-r'])
  await printed('backing up\n')
  expect(existsSync(here.at('frozen'))).toBe(true)
  child.kill('SIGTERM')
  expect((await ended).code).toBe(143)
  expect(existsSync(here.at('frozen'))).toBe(false)
  expect(readFileSync(here.at('told'), 'utf8')).toContain('told to stop')
  expect(stdout()).toContain('Finished running.')
})

test('sidefridge F15: a run beside a run is refused, and the first goes on', async () => {
  const here = workspace()
  here.script('backups/10', `touch ${here.at('here')}; while [ ! -e ${here.at('go')} ]; do sleep 0.05; done`)
  const args = ['-r', '-csp', here.at('scripts')]
  const first = fridge(here, args)
  while (!existsSync(here.at('here'))) await new Promise((resolve) => setTimeout(resolve, 10))
  const second = await fridge(here, args)
  writeFileSync(here.at('go'), '')
  expect(second.code).toBe(75)
  expect(second.stdout).toContain('is already running')
  expect((await first).code).toBe(0)
})

test.for(['*/5 * * * * *', '0 3 * * * 2024', '@reboot', 'L * * * *', '60 * * * *'])(
  'sidefridge F16: the schedule "%s", which cron would take for something else, is refused',
  async (cron) => {
    const here = workspace()
    here.script('backups/10', 'true')
    const { code, stdout } = await fridge(here, ['-i', '-csp', here.at('scripts')], { CRON_BACKUP_SCHEDULE: cron })
    expect(code).toBe(1)
    expect(stdout).toContain('CRON_BACKUP_SCHEDULE: ')
  },
)

test('sidefridge F17: the crontab carries the scripts path on', async () => {
  const here = workspace()
  here.script('backups/10', 'true')
  const { code } = await fridge(here, ['-i', '-csp', 'scripts', '-c', 'crontab'])
  expect(code).toBe(0)
  expect(readFileSync(here.at('crontab'), 'utf8')).toBe(
    `0 3 * * * fridge -r -csp ${here.at('scripts')}\n# This file must end in a newline.\n`,
  )
  const odd = here.at("100% it's")
  writeFileSync(here.write("100% it's/backups/10", '#!/bin/sh\n', 0o755), '#!/bin/sh\n')
  expect((await fridge(here, ['-i', '-csp', odd, '-c', 'crontab'])).code).toBe(0)
  expect(readFileSync(here.at('crontab'), 'utf8')).toContain(String.raw`100\% it'\''s`)
})

test('a crontab that was asked for must be written; the default one is no reason to fail', async () => {
  const here = workspace()
  here.script('backups/10', 'true')
  const asked = await fridge(here, ['-i', '-csp', here.at('scripts'), '-c', 'nowhere/crontab'])
  expect(asked.code).toBe(1)
  expect(asked.stdout).toContain('could not be written')
  if (existsSync('/etc/crontabs')) return
  const byDefault = await fridge(here, ['-i', '-csp', here.at('scripts')])
  expect(byDefault.code).toBe(0)
  expect(byDefault.stdout).toMatch(/Initializing\.\.\.\n[^]*No crontab was written[^]*Initialization complete\.\n$/)
})

test('-i installs dependencies: a failure runs on_error and ends with 1; a refused script ends with 78', async () => {
  const here = workspace()
  here.script('backups/10', 'true')
  here.script('install_dependencies/10', `touch ${here.at('installed')}; exit 4`)
  here.script('on_error/10', `touch ${here.at('told')}`)
  const failed = await fridge(here, ['-i', '-csp', here.at('scripts'), '-c', 'crontab'])
  expect(failed.code).toBe(1)
  expect(existsSync(here.at('installed'))).toBe(true)
  expect(existsSync(here.at('told'))).toBe(true)
  here.write('scripts/before_backups/10', 'no shebang', 0o755)
  const refused = await fridge(here, ['-i', '-csp', here.at('scripts'), '-c', 'crontab2'])
  expect(refused.code).toBe(78)
  expect(refused.stdout).toContain(here.at('scripts/before_backups/10'))
  expect(existsSync(here.at('crontab2'))).toBe(false)
})

test('sidefridge F27: missing variables are said at the start, and refused where a script needs them', async () => {
  const here = workspace()
  here.script('backups/10', 'true')
  const { TARGET_CONTAINER } = process.env
  delete process.env['TARGET_CONTAINER']
  try {
    const args = ['-i', '-csp', here.at('scripts'), '-c', 'crontab']
    const warned = await fridge(here, args)
    expect(warned.code).toBe(0)
    expect(warned.stdout).toContain('TARGET_CONTAINER not set')
    here.script('backups/10', 'kubectlexec true')
    const refused = await fridge(here, args)
    expect(refused.code).toBe(78)
    expect(refused.stdout).toContain('TARGET_CONTAINER')
  } finally {
    process.env['TARGET_CONTAINER'] = TARGET_CONTAINER
  }
})

test('sidefridge F28: dry run, what would run, and one target, without a file of configuration', async () => {
  const here = workspace()
  here.script('backups/10', `touch ${here.at('ran')}`)
  const env = { ...schedule, HOLDFAST_SCRIPTS: here.at('scripts') }
  const dry = await here.run(['run', 'scripts', '--dry-run', '--json'], { env })
  expect(dry.code).toBe(0)
  expect(dry.stdout).toContain(`runs ${here.at('scripts/backups/10')}`)
  expect((await here.run(['plan'], { env })).stdout).toContain(here.at('scripts/backups/10'))
  expect((await here.run(['explain'], { env })).code).toBe(0)
  expect(existsSync(here.at('ran'))).toBe(false)
})

test('artifacts of fridge go to HOLDFAST_STORAGE, where `holdfast list` finds them', async () => {
  const here = workspace()
  here.script('backups/10', 'printf data | save_artifact orders')
  const storage = `file://${here.at('store')}`
  const { code, stdout } = await fridge(here, ['-r', '-csp', here.at('scripts')], {
    ...schedule,
    HOLDFAST_STORAGE: storage,
  })
  expect(code).toBe(0)
  expect(stdout).toMatch(/Stored 'scripts\/scripts\//)
  const list = await here.run(['list', '--storage', storage, '--json'])
  expect(JSON.parse(list.stdout)).toMatchObject([
    { plan: 'scripts', target: 'scripts', name: 'orders', state: 'valid' },
  ])
})
