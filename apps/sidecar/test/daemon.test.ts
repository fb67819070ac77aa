import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { openJournal } from '@holdfast/runtime'
import { expect, test, vi } from 'vitest'
import type { DaemonStatus } from '../src/daemon/status.ts'
import { startDaemon } from './support/daemon.ts'
import { shop, workspace, type Workspace } from './support/workspace.ts'

function statusOf(here: Workspace): DaemonStatus {
  return JSON.parse(readFileSync(here.at('state/status.json'), 'utf8')) as DaemonStatus
}

test('a daemon runs plans on their schedules, and stopped while idle it exits with 0', async () => {
  const here = shop()
  here.script('backups/10-dump', `printf x | save_artifact orders`)
  const running = startDaemon(here)
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await running.logged('"msg":"plan \\"shop\\" succeeded')
  await running.clock.advance('2s')
  expect(statusOf(here)).toMatchObject({
    ready: true,
    reasons: [],
    plans: [{ name: 'shop', cron: '0 3 * * *', next: '2026-11-24T02:00:00.000Z', running: false }],
  })
  expect(statusOf(here).plans[0]?.lastSuccess).toBeDefined()
  running.signal('SIGTERM')
  expect((await running.result).code).toBe(0)
  expect(statusOf(here)).toMatchObject({ ready: false, reasons: [{ code: 'DAEMON_STOPPING' }] })
  const lines = running.stderr().trim().split('\n')
  expect(lines.filter((line) => line.includes('not ready')).map((line) => /"level":"(\w+)"/.exec(line)?.[1])).toEqual([
    'info',
    'info',
  ])
})

test('refused scripts: the daemon stays up, is not ready and says why, and is ready once they are mended', async () => {
  const here = shop()
  here.write('scripts/backups/10-dump', 'no shebang\n', 0o755)
  const running = startDaemon(here)
  await running.logged('scheduling')
  await running.clock.advance('2s')
  expect(statusOf(here)).toMatchObject({
    ready: false,
    reasons: [{ code: 'SCRIPT_NO_SHEBANG', plan: 'shop', message: expect.stringContaining('10-dump') as string }],
  })
  here.script('backups/10-dump', 'true')
  await running.clock.advance('61s')
  await running.logged('"msg":"ready"')
})

test('a refused script in install_dependencies fails the boot', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  here.write('scripts/install_dependencies/10', 'no shebang\n', 0o755)
  const running = startDaemon(here)
  expect((await running.result).code).toBe(1)
  expect(running.stderr()).toContain('SCRIPT_NO_SHEBANG')
})

test('with CRON_BACKUP_SCHEDULE and no scripts at all the daemon stays up and says what is missing', async () => {
  const here = workspace()
  const env = { CRON_BACKUP_SCHEDULE: '0 3 * * *', HOLDFAST_SCRIPTS: here.at('scripts') }
  const running = startDaemon(here, { env })
  await running.logged('scheduling')
  await running.clock.advance('2s')
  expect(statusOf(here)).toMatchObject({ ready: false, reasons: [{ code: 'SCRIPTS_PATH_MISSING', plan: 'scripts' }] })
})

test('a changed configuration is taken over; an invalid one leaves the old one in force, and says so', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const running = startDaemon(here)
  await running.logged('scheduling')
  const text = readFileSync(here.at('holdfast.yaml'), 'utf8')
  here.write('holdfast.yaml', text.replace('0 3 * * *', 'never'))
  running.signal('SIGHUP')
  await running.logged(`the changed configuration can't be used`)
  await running.clock.advance('2s')
  expect(statusOf(here)).toMatchObject({
    ready: false,
    reasons: [{ code: 'CONFIG_INVALID', message: expect.stringContaining('never') as string }],
    plans: [{ cron: '0 3 * * *' }],
  })
  here.write('holdfast.yaml', text.replace('0 3 * * *', '0 4 * * *'))
  running.signal('SIGHUP')
  await running.logged('the changed configuration is in force')
  await running.clock.advance('2s')
  expect(statusOf(here)).toMatchObject({ ready: true, plans: [{ cron: '0 4 * * *' }] })
})

test('a changed configuration waits until nothing runs', async () => {
  const here = shop()
  here.script('backups/10', `touch ${here.at('here')}; while [ ! -e ${here.at('go')} ]; do sleep 0.05; done`)
  const running = startDaemon(here)
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await vi.waitFor(() => expect(existsSync(here.at('here'))).toBe(true), { timeout: 10_000 })
  here.write('holdfast.yaml', readFileSync(here.at('holdfast.yaml'), 'utf8').replace('0 3 * * *', '0 4 * * *'))
  running.signal('SIGHUP')
  await running.logged('it comes into force when nothing runs')
  await running.clock.advance('2s')
  expect(statusOf(here)).toMatchObject({
    configuration: { waiting: true },
    plans: [{ cron: '0 3 * * *', running: true }],
  })
  here.write('go', '')
  await running.logged('the changed configuration is in force')
})

test('a run that is aborted by the end of the daemon decides its exit code', async () => {
  const here = shop()
  here.script('backups/10', `touch ${here.at('here')}; sleep 100`)
  const running = startDaemon(here)
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await vi.waitFor(() => expect(existsSync(here.at('here'))).toBe(true), { timeout: 10_000 })
  running.signal('SIGINT')
  expect((await running.result).code).toBe(130)
  expect(running.stderr()).toContain('plan \\"shop\\" aborted')
})

test('fault F12: a state directory that can no longer be written is why the daemon is not ready, until it can be', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const running = startDaemon(here)
  await running.logged('"msg":"scheduling"')
  await running.clock.advance('2s')
  expect(statusOf(here).ready).toBe(true)
  // Not even root writes a file where a directory is.
  mkdirSync(here.at('state/status.json.new/full'), { recursive: true })
  await running.clock.advance('30s')
  await running.logged('not ready: the state directory')
  expect((await here.run(['health'])).stderr).toContain('DAEMON_STATE_UNWRITABLE')
  rmSync(here.at('state/status.json.new'), { recursive: true })
  // Nobody waits for the next run: it may be tomorrow's.
  await running.clock.advance('31s')
  await vi.waitFor(() => expect(statusOf(here)).toMatchObject({ ready: true, reasons: [] }))
  expect((await here.run(['health'])).stdout).toContain('ready')
})

test('fault F52: the last success survives restarts', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const first = startDaemon(here)
  await first.logged('"msg":"ready"')
  await first.clock.advance('31s')
  await first.logged('"msg":"plan \\"shop\\" succeeded')
  first.signal('SIGTERM')
  await first.result
  rmSync(here.at('state/status.json'))
  const second = startDaemon(here)
  await second.logged('scheduling')
  await second.clock.advance('2s')
  expect(statusOf(here).plans[0]?.lastSuccess).toMatch(/^2026-11-23T02:00/)
})

test('fault F19: a slot that falls on a running plan is counted, logged and in the history', async () => {
  const here = shop()
  here.write('holdfast.yaml', readFileSync(here.at('holdfast.yaml'), 'utf8').replace('0 3 * * *', '* * * * *'))
  here.script('backups/10', `touch ${here.at('here')}; while [ ! -e ${here.at('go')} ]; do sleep 0.05; done`)
  const running = startDaemon(here)
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await vi.waitFor(() => expect(existsSync(here.at('here'))).toBe(true), { timeout: 10_000 })
  await running.clock.advance('60s')
  await running.logged('did not run: overlap')
  here.write('go', '')
  await running.logged('"msg":"plan \\"shop\\" succeeded')
  const history = JSON.parse((await here.run(['history', '--json'])).stdout) as { status: string; reason?: string }[]
  expect(history).toContainEqual(expect.objectContaining({ status: 'skipped', reason: 'overlap' }))
})

test('the clock jumping back is said, and runs nothing twice', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const running = startDaemon(here)
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await running.logged('"msg":"plan \\"shop\\" succeeded')
  running.clock.jump(-3_600_000)
  await running.clock.advance('31s')
  await running.logged('CLOCK_JUMPED')
  await running.clock.advance('61m')
  const history = JSON.parse((await here.run(['history', '--json'])).stdout) as { trigger: string }[]
  expect(history.filter(({ trigger }) => trigger === 'schedule')).toHaveLength(1)
})

test('a promise that a hook forgot does not end the daemon; an exception out of nowhere ends it in order', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const running = startDaemon(here)
  await running.logged('"msg":"ready"')
  running.fault({ kind: 'rejection', error: new Error('forgotten') })
  await running.logged('a promise was rejected and nobody looked: forgotten. Probably in a hook or plugin')
  running.fault({ kind: 'exception', error: new Error('out of nowhere') })
  expect((await running.result).code).toBe(1)
})

test('a second daemon with the same state directory waits for the end of the first', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const first = startDaemon(here)
  await first.logged('"msg":"ready"')
  await first.clock.advance('2s')
  const second = startDaemon(here)
  await second.logged('DAEMON_WAITING')
  await second.clock.advance('5s')
  expect(second.stderr()).not.toContain('scheduling')
  expect(statusOf(here).ready).toBe(true)
  first.signal('SIGTERM')
  await first.result
  await second.clock.advance('2s')
  await second.logged('"msg":"ready"')
})

test('without a schedule there is nothing for a daemon to do, and it says so', async () => {
  const here = workspace({ 'hook.mjs': `export default { $type: 'holdfast.hook/v1', hook: 'maintain', entry() {} }\n` })
  here.write('holdfast.yaml', 'plans: { byhand: { use: [./hook.mjs] } }\n')
  const running = startDaemon(here)
  await running.logged('PLANS_UNSCHEDULED')
})

/** As `holdfast run` leaves it that was killed between the freeze and the thaw. */
function leaveFrozen(here: Workspace): void {
  const now = new Date('2026-11-23T01:59:00Z')
  const journal = openJournal({ directory: here.state, now: () => now, onCorrupt() {} })
  journal.addProcess({
    id: '00000000-0000-4000-8000-000000000000',
    pid: 4_194_304,
    host: hostname(),
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    pod: undefined,
    podName: undefined,
    namespace: undefined,
    workload: undefined,
    container: undefined,
    containerStart: undefined,
    processStart: undefined,
    startedAt: now,
  })
  const run = { id: '20261123T015900Z-0badf00d', plan: 'shop', attempt: 1, scheduledFor: now, dryRun: false }
  const process = '00000000-0000-4000-8000-000000000000'
  journal.beginRun({ ...run, trigger: 'manual' }, 'default', process)
  const thaw = { name: 'freeze.undo', path: here.at('freeze.undo'), interpreter: ['/bin/sh'] }
  const base64 = Buffer.from(`rm ${here.at('frozen')}`).toString('base64')
  journal.armUndo({
    id: '00000000-0000-4000-8000-000000000001',
    run: run.id,
    plan: 'shop',
    instance: 'default',
    participant: 'scripts',
    undo: 'script',
    input: JSON.stringify({ ...thaw, script: 'freeze', directory: 'before_backups', target: 'scripts', base64 }),
    process,
  })
  journal.close()
}

test('fault F3: what a killed run beside the daemon has left frozen is given back within a minute, without a cluster', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  here.script('on_error/10', `touch ${here.at('told')}`)
  const running = startDaemon(here)
  await running.logged('"msg":"ready"')
  here.write('frozen', '')
  leaveFrozen(here)
  await running.clock.advance('61s')
  await vi.waitFor(() => expect(existsSync(here.at('frozen'))).toBe(false))
  await vi.waitFor(() => expect(existsSync(here.at('told'))).toBe(true))
})
