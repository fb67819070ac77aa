import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { systemClock, type RuntimeClock } from '@holdfast/runtime'
import { testClock } from '@holdfast/testing'
import { expect, test, vi } from 'vitest'
import { socketFile } from '../src/http/socket.ts'
import { startDaemon, type RunningDaemon } from './support/daemon.ts'
import { stillFrozen } from './support/freezer.ts'
import { ask, type HttpAnswer } from './support/http.ts'
import { shop, type Workspace } from './support/workspace.ts'

const token = 'a-token-that-is-long-enough'

interface Daemon extends RunningDaemon {
  get(path: string): Promise<unknown>
  page(path: string): Promise<HttpAnswer>
  post(path: string, body?: string, authorization?: string): Promise<HttpAnswer>
}

/** Starts a daemon that does what it is told. */
async function daemon(
  here: Workspace,
  args: readonly string[] = ['--api-token-file', 'token'],
  realClock?: RuntimeClock,
): Promise<Daemon> {
  here.write('token', `${token}\n`)
  const running = startDaemon(here, { now: '2026-11-23T01:00:00Z', args, realClock })
  const at = { socketPath: socketFile(here.state) }
  await running.logged('"msg":"scheduling"')
  return {
    ...running,
    get: async (path) => JSON.parse((await ask(at, path)).body) as unknown,
    page: (path) => ask(at, path, { headers: { accept: 'text/html,*/*' } }),
    post: (path, body = '', authorization = `Bearer ${token}`) =>
      ask(at, path, { method: 'POST', headers: { host: 'localhost', authorization }, body }),
  }
}

const isThere = (here: Workspace, file: string): Promise<void> =>
  vi.waitFor(() => expect(existsSync(here.at(file))).toBe(true), { timeout: 10_000, interval: 5 })

test('a run that somebody starts: at once, once, and on the page with what it stored', async () => {
  const here = shop()
  here.script(
    'backups/10',
    `touch ${here.at('here')}; while [ ! -e ${here.at('go')} ]; do sleep 0.02; done; printf 0123456789 | save_artifact orders`,
  )
  const running = await daemon(here)
  const started = await running.post('/api/v1/plans/shop/run')
  expect(started.status).toBe(202)
  const { run } = JSON.parse(started.body) as { readonly run: string }
  await isThere(here, 'here')
  expect(await running.get('/api/v1/plans/shop')).toMatchObject({ running: true })
  // The same lock as that of `holdfast run`, whoever asks.
  const busy = await running.post('/api/v1/plans/shop/run')
  expect([busy.status, busy.body]).toEqual([409, expect.stringContaining('PLAN_BUSY')])
  expect((await here.run(['run', 'shop'])).code).toBe(75)
  writeFileSync(here.at('go'), '')
  await running.logged('"msg":"plan \\"shop\\" succeeded')
  await vi.waitFor(async () =>
    expect(await running.get(`/api/v1/runs/${run}`)).toMatchObject({ status: 'succeeded', trigger: 'manual' }),
  )
  const page = await running.page('/')
  expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  expect(page.headers['content-security-policy']).toContain("default-src 'none'")
  expect(page.body).toContain(`href="/runs/${run}"`)
  const points = await running.get('/api/v1/restore-points')
  expect(points).toMatchObject({ items: [{ plan: 'shop', run, size: 10 }] })
  expect(await running.get('/api/v1/status')).toMatchObject({ ready: true, plans: 1 })
})

test('a run that `holdfast run` has is not begun a second time', async () => {
  const here = shop()
  here.script('backups/10', `touch ${here.at('here')}; while [ ! -e ${here.at('go')} ]; do sleep 0.02; done`)
  const running = await daemon(here)
  const command = here.run(['run', 'shop'])
  await isThere(here, 'here')
  expect((await running.post('/api/v1/plans/shop/run')).status).toBe(409)
  // Nothing on record of what never was.
  expect(await running.get('/api/v1/runs')).toMatchObject({ items: [{ trigger: 'manual', status: 'running' }] })
  writeFileSync(here.at('go'), '')
  expect((await command).code).toBe(0)
})

/** How a plan is, everywhere where somebody may look. */
async function everywhere(here: Workspace, running: Daemon): Promise<object> {
  const metrics = (await running.page('/metrics')).body
  const [schedule] = JSON.parse((await here.run(['schedule', '--json'], { clock: running.clock })).stdout) as object[]
  return {
    api: await running.get('/api/v1/plans/shop'),
    page: /paused<\/span> by\s+hand,\s*<time datetime="([^"]+)"/.exec((await running.page('/')).body)?.[1],
    metric: Number(/^holdfast_schedule_paused\{plan="shop"\} (\d)$/m.exec(metrics)?.[1]),
    since: Number(/^holdfast_schedule_paused_since_timestamp_seconds\{plan="shop"\} (\S+)$/m.exec(metrics)?.[1] ?? 0),
    schedule,
    words: (await here.run(['schedule'], { clock: running.clock })).stdout,
  }
}

test('a plan that is paused by hand stays so over a restart of the daemon, wherever one looks, until it is resumed', async () => {
  const here = shop()
  here.script('backups/10', `printf x | save_artifact orders`)
  const first = await daemon(here)
  const pausedAt = '2026-11-23T01:00:00.000Z'
  const paused = {
    api: { paused: 'hand', pausedAt, pausedAgeMs: 0 },
    page: pausedAt,
    metric: 1,
    since: Date.parse(pausedAt) / 1000,
    schedule: { plan: 'shop', paused: 'hand', pausedAt },
    words: expect.stringContaining(`paused by hand since ${pausedAt}`) as string,
  }
  expect(await everywhere(here, first)).toMatchObject({ page: undefined, metric: 0, since: 0 })
  expect((await first.post('/api/v1/plans/shop/pause')).status).toBe(200)
  expect(await everywhere(here, first)).toMatchObject(paused)
  first.signal('SIGTERM')
  await first.result
  const running = await daemon(here)
  expect(running.stderr()).toContain('is paused by hand: nothing is backed up until it is resumed')
  expect(await everywhere(here, running)).toMatchObject(paused)
  await running.clock.advance('2h')
  await running.logged('did not run: paused')
  expect(running.stderr()).not.toContain('"msg":"plan \\"shop\\" succeeded')
  expect((await running.post('/api/v1/plans/shop/resume')).status).toBe(200)
  expect(await running.get('/api/v1/plans/shop')).toMatchObject({ next: '2026-11-24T02:00:00.000Z' })
  expect(await everywhere(here, running)).toMatchObject({ page: undefined, metric: 0, since: 0 })
  // To the slot, and no further: a run takes real time.
  await running.clock.advance('23h')
  await running.logged('"msg":"plan \\"shop\\" succeeded')
  expect((await running.post('/api/v1/plans/none/pause')).status).toBe(404)
})

test('holdfast pause and resume: a daemon that runs hears of it, and one that does not begins with it', async () => {
  const here = shop()
  here.script('backups/10', `printf x | save_artifact orders`)
  // Without a daemon, and before anything ran.
  expect(await here.run(['pause', 'shop'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('until `holdfast resume shop`') as string,
  })
  // It looks every five seconds from now on, so three before each slot.
  const clock = testClock({ now: '2026-11-23T01:00:02Z' })
  const running = await daemon(here, ['--api-token-file', 'token'], clock)
  expect(await running.get('/api/v1/plans/shop')).toMatchObject({ paused: 'hand' })
  const { stdout } = await here.run(['resume', 'shop', '--json'])
  expect(JSON.parse(stdout)).toEqual({ plan: 'shop', paused: false })
  await clock.advance('5s')
  expect(await running.get('/api/v1/plans/shop')).not.toHaveProperty('paused')
  await clock.advance('3591s')
  expect(clock.now().toISOString()).toBe('2026-11-23T01:59:58.000Z')
  expect((await here.run(['pause', 'shop'], { clock })).code).toBe(0)
  await clock.advance('2s')
  await running.logged('did not run: paused')
  expect(running.stderr()).not.toContain('"msg":"plan \\"shop\\" succeeded')
  expect((await here.run(['pause', 'mail'])).stderr).toContain('PLAN_UNKNOWN')
  here.write('by-hand.yaml', readFileSync(here.at('holdfast.yaml'), 'utf8').replace(/ +schedule.*\n/, ''))
  const unscheduled = await here.run(['pause', 'shop', '--config', 'by-hand.yaml'])
  expect([unscheduled.code, unscheduled.stderr]).toEqual([1, expect.stringContaining('no schedule')])
  here.write('state/status.json', JSON.stringify({ role: 'standby' }))
  expect((await here.run(['resume', 'shop'])).stderr).toContain('Ask the pod that schedules')
})

test('wrong tokens are counted from 0 on; without --api-token-file there is nothing to guess', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const running = await daemon(here)
  const metric = async (): Promise<string> => (await running.page('/metrics')).body
  expect(await metric()).toContain('holdfast_api_refused_total{reason="token"} 0')
  const refused = await running.post('/api/v1/plans/shop/run', '', 'Bearer wrong')
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer realm="holdfast"'])
  expect(await metric()).toContain('holdfast_api_refused_total{reason="token"} 1')
  const large = await running.post('/api/v1/plans/shop/run', 'x'.repeat(20_000))
  expect([large.status, large.body]).toEqual([400, expect.stringContaining('API_BODY')])
  running.signal('SIGTERM')
  await running.result
  const without = await daemon(here, [])
  expect((await without.post('/api/v1/plans/shop/run')).status).toBe(404)
  expect((await without.post('/api/v1/plans')).status).toBe(405)
  expect((await without.page('/metrics')).body).toContain('holdfast_api_refused_total{reason="token"} 0')
})

test('what an earlier process could not give back is in red, and is given back when somebody says so', async () => {
  const here = await stillFrozen()
  const running = await daemon(here, ['--api-token-file', 'token'], systemClock)
  const { items } = (await running.get('/api/v1/undos')) as { readonly items: readonly { readonly id: string }[] }
  expect(items).toMatchObject([
    { undo: 'thaw', plan: 'shop', state: 'pending', error: 'the filesystem does not answer' },
  ])
  expect((await running.page('/')).body).toMatch(
    /class="box alarm"[\s\S]*<bdi>thaw<\/bdi>[\s\S]*the filesystem does not answer/,
  )
  const path = `/api/v1/undos/${items[0]?.id}/run`
  const stuck = await running.post(path)
  expect([stuck.status, stuck.body]).toEqual([500, expect.stringContaining('UNDO_FAILED')])
  rmSync(here.at('stuck'))
  const given = await running.post(path)
  expect([given.status, JSON.parse(given.body)]).toMatchObject([200, { result: 'done' }])
  expect(existsSync(here.at('frozen'))).toBe(false)
  expect((await running.post(path)).status).toBe(404)
  expect((await running.page('/')).body).not.toContain('class="box alarm"')
})
