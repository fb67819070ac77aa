import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { DaemonStatus } from '../src/daemon/status.ts'
import { socketFile } from '../src/http/socket.ts'
import { startDaemon, type RunningDaemon } from './support/daemon.ts'
import { parseExposition, type Exposition } from './support/exposition.ts'
import { ask } from './support/http.ts'
import { workspace, type Workspace } from './support/workspace.ts'

interface Daemon extends RunningDaemon {
  scrape(): Promise<Exposition>
}

/** A daemon whose metrics are read. */
function daemon(here: Workspace, now: string): Daemon {
  return {
    ...startDaemon(here, { now }),
    async scrape() {
      const { status, body } = await ask({ socketPath: socketFile(here.state) }, '/metrics')
      expect(status, body.slice(0, 500)).toBe(200)
      return parseExposition(body)
    },
  }
}

const statusOf = (here: Workspace): DaemonStatus =>
  JSON.parse(readFileSync(here.at('state/status.json'), 'utf8')) as DaemonStatus

/** A plan at 03:00, and a drill of the same name at 04:00; the drill expects what a file says. */
function drilled(schedule = `cron: '0 4 * * *', timeZone: UTC`): Workspace {
  const here = workspace()
  here.write(
    'holdfast.yaml',
    `plans:
  shop:
    schedule: { cron: '0 3 * * *', timeZone: UTC }
    use: [{ '@holdfast/plugin-scripts#scripts': { path: ${here.at('scripts')} } }]
drills:
  - { name: shop, plan: shop, schedule: { ${schedule} }, expect: ./expect, timeouts: { cleanup: 1s } }
`,
  )
  here.script('backups/10', `printf x > ${here.at('dump')}; save_artifact x ${here.at('dump')}`)
  here.write('expect/10', `#!/bin/sh\n[ "$(cat x)" = x ] && [ ! -e ${here.at('broken')} ]\n`, 0o755)
  return here
}

test('a daemon runs drills on their schedules, beside a plan of the same name', async () => {
  const here = drilled()
  const running = daemon(here, '2026-11-23T02:59:30Z')
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await running.logged('"msg":"plan \\"shop\\" succeeded')
  await running.clock.advance('1h')
  await running.logged('"msg":"drill \\"shop\\" succeeded')
  await running.clock.advance('2s')
  expect(statusOf(here)).toMatchObject({
    ready: true,
    plans: [
      { name: 'shop', next: '2026-11-24T03:00:00.000Z', lastSuccess: expect.stringContaining('T03:00') as string },
    ],
    drills: [
      {
        name: 'shop',
        plan: 'shop',
        cron: '0 4 * * *',
        next: '2026-11-24T04:00:00.000Z',
        running: false,
        lastSuccess: expect.stringContaining('T04:00') as string,
      },
    ],
  })
  const page = await running.scrape()
  const drill = { drill: 'shop' }
  const prefix = 'holdfast_restore_drill'
  expect(page.value(`${prefix}_runs_total`, { ...drill, result: 'succeeded' })).toBe(1)
  expect(page.value(`${prefix}_runs_total`, { ...drill, result: 'failed' })).toBe(0)
  expect(page.value(`${prefix}_schedule_expected_interval_seconds`, drill)).toBe(86_400)
  expect(page.value(`${prefix}_schedule_paused`, drill)).toBe(0)
  expect(page.value(`${prefix}_schedule_missed_total`, { ...drill, reason: 'down' })).toBe(0)
  expect(page.value(`${prefix}_schedule_next_run_timestamp_seconds`, drill)).toBe(
    Date.parse('2026-11-24T04:00:00Z') / 1000,
  )
  expect(page.value(`${prefix}_schedule_created_timestamp_seconds`, drill)).toBeGreaterThan(0)
  // The boot, and the backup.
  expect(page.value('holdfast_runs_total', { plan: 'shop', result: 'succeeded' })).toBe(2)
  const history = await here.run(['history', '--json'])
  expect(JSON.parse(history.stdout)).toMatchObject([
    { trigger: 'drill', drill: 'shop', scheduledFor: '2026-11-23T04:00:00.000Z' },
    { trigger: 'schedule', scheduledFor: '2026-11-23T03:00:00.000Z' },
    { trigger: 'boot' },
  ])
})

test('a drill that fails is counted and logged as an error, and the daemon stays ready: backups are made', async () => {
  const here = drilled()
  writeFileSync(here.at('broken'), '')
  const running = daemon(here, '2026-11-23T02:59:30Z')
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await running.logged('"msg":"plan \\"shop\\" succeeded')
  await running.clock.advance('1h')
  await running.logged('"msg":"drill \\"shop\\" failed')
  const line = running
    .stderr()
    .split('\n')
    .find((each) => each.includes('drill \\"shop\\" failed'))
  expect(JSON.parse(line ?? '')).toMatchObject({
    level: 'error',
    drill: 'shop',
    plan: 'shop',
    error: { code: 'DRILL_EXPECTATION' },
  })
  const page = await running.scrape()
  expect(page.value('holdfast_restore_drill_runs_total', { drill: 'shop', result: 'failed' })).toBe(1)
  expect(page.value('holdfast_runs_total', { plan: 'shop', result: 'failed' })).toBe(0)
  await running.clock.advance('2s')
  expect(statusOf(here).ready).toBe(true)
})

test('a drill that could not run makes the daemon unready, by its name, until it is mended', async () => {
  const here = drilled()
  here.write('expect/10', 'no shebang\n', 0o755)
  const running = daemon(here, '2026-11-23T02:59:30Z')
  await running.logged('scheduling')
  await running.clock.advance('2s')
  expect(statusOf(here)).toMatchObject({
    ready: false,
    reasons: [{ code: 'SCRIPT_NO_SHEBANG', plan: 'shop', drill: 'shop' }],
  })
  const { status, body } = await ask({ socketPath: socketFile(here.state) }, '/readyz')
  expect(status).toBe(503)
  expect(body).toContain('SCRIPT_NO_SHEBANG (drill "shop")')
  here.write('expect/10', '#!/bin/sh\n', 0o755)
  await running.clock.advance('61s')
  await running.logged('"msg":"ready"')
})

test('slots that passed while nothing ran are counted for the drill, and caught up if it says so', async () => {
  const here = drilled(`cron: '0 4 * * *', timeZone: UTC, misfire: run-once`)
  const first = daemon(here, '2026-11-23T02:59:30Z')
  await first.logged('"msg":"ready"')
  await first.clock.advance('31s')
  await first.logged('"msg":"plan \\"shop\\" succeeded')
  await first.clock.advance('1h')
  await first.logged('"msg":"drill \\"shop\\" succeeded')
  first.signal('SIGTERM')
  await first.result
  const second = daemon(here, '2026-11-25T12:00:00Z')
  await second.logged('scheduling')
  await second.clock.advance('1s')
  await second.logged('"msg":"drill \\"shop\\" succeeded')
  const page = await second.scrape()
  expect(page.value('holdfast_restore_drill_schedule_missed_total', { drill: 'shop', reason: 'down' })).toBe(1)
  expect(page.value('holdfast_schedule_missed_total', { plan: 'shop', reason: 'down' })).toBe(2)
  const runs = JSON.parse((await here.run(['history', '--drill', 'shop', '--json'])).stdout) as object[]
  expect(runs).toMatchObject([
    { status: 'succeeded', scheduledFor: '2026-11-25T04:00:00.000Z' },
    { status: 'skipped', reason: 'down' },
    { status: 'succeeded', scheduledFor: '2026-11-23T04:00:00.000Z' },
  ])
})

test('a drill that goes on when its next slot comes is counted, and never there twice', async () => {
  const here = drilled(`cron: '*/5 * * * *', timeZone: UTC`)
  here.write(
    'expect/10',
    `#!/bin/sh\ntouch ${here.at('here')}\nwhile [ ! -e ${here.at('go')} ]; do sleep 0.02; done\n`,
    0o755,
  )
  expect((await here.run(['run', 'shop'])).code).toBe(0)
  const running = daemon(here, '2026-11-23T12:04:30Z')
  onTestFinished(() => writeFileSync(here.at('go'), ''))
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await vi.waitFor(() => expect(existsSync(here.at('here'))).toBe(true), { timeout: 10_000 })
  // By hand, beside the daemon: busy, too.
  expect((await here.run(['drill', 'shop'])).code).toBe(75)
  await running.clock.advance('5m')
  await running.logged('drill \\"shop\\" did not run: overlap')
  const page = await running.scrape()
  expect(page.value('holdfast_restore_drill_schedule_missed_total', { drill: 'shop', reason: 'overlap' })).toBe(1)
  expect(page.value('holdfast_restore_drill_phase', { drill: 'shop', phase: 'running' })).toBe(1)
  writeFileSync(here.at('go'), '')
  await running.logged('"msg":"drill \\"shop\\" succeeded')
})

test('a daemon that is told to stop ends a drill as aborted, with nothing left of it', async () => {
  const here = drilled(`cron: '*/5 * * * *', timeZone: UTC`)
  here.write('expect/10', `#!/bin/sh\ntouch ${here.at('here')}\nsleep 1000\n`, 0o755)
  expect((await here.run(['run', 'shop'])).code).toBe(0)
  const running = daemon(here, '2026-11-23T12:04:30Z')
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await vi.waitFor(() => expect(existsSync(here.at('here'))).toBe(true), { timeout: 10_000 })
  running.signal('SIGTERM')
  expect((await running.result).code).toBe(143)
  expect(readdirSync(here.at('state/drills'))).toEqual([])
  const runs = JSON.parse((await here.run(['history', '--drill', 'shop', '--json'])).stdout) as object[]
  expect(runs).toMatchObject([{ status: 'aborted' }])
})

test('a drill that is gone from the configuration is gone from the metrics', async () => {
  const here = drilled()
  const running = daemon(here, '2026-11-23T12:00:00Z')
  await running.logged('"msg":"ready"')
  expect((await running.scrape()).samples('holdfast_restore_drill_runs_total')).toHaveLength(5)
  const file = here.at('holdfast.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^drills:[^]*/m, ''))
  running.signal('SIGHUP')
  await running.logged('the changed configuration is in force')
  const page = await running.scrape()
  for (const [name, { samples }] of page.families) {
    if (name.startsWith('holdfast_restore_drill')) expect(samples, name).toEqual([])
  }
  await running.clock.advance('2s')
  expect(statusOf(here).drills).toEqual([])
})
