import crypto from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMetrics, type StoredArtifact } from '@holdfast/runtime'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Actions } from '../src/daemon/by-hand.ts'
import { armUndo, artifact, enterRun, now, statusWorld, type StatusWorld } from './support/status.ts'

interface List<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
  readonly total?: number
}

test('plans: the last result, its age, and what needs somebody first', async () => {
  const world = statusWorld({ plans: ['shop', 'mail', 'stock'] })
  enterRun(world, { id: 'r1', plan: 'shop' })
  enterRun(world, { id: 'r2', plan: 'stock', status: 'failed', message: 'pg_dump ended with 1' })
  await world.clock.advance('3h')
  const { items, total } = (await world.json('/api/v1/plans')) as List<object>
  expect(total).toBe(3)
  expect(items).toMatchObject([
    {
      name: 'stock',
      state: 'failed',
      last: { id: 'r2', ageMs: 3 * 3_600_000, error: { code: 'EXEC_EXIT', hint: 'Look.' } },
    },
    { name: 'mail', state: 'never', recent: [] },
    { name: 'shop', state: 'succeeded', schedule: { cron: '0 3 * * *' }, recent: [{ id: 'r1', status: 'succeeded' }] },
  ])
  expect(await world.json('/api/v1/plans/shop')).toMatchObject({ name: 'shop' })
  expect(await world.ask('/api/v1/plans/shops')).toMatchObject({ status: 404 })
})

test('a success that is older than two intervals is too old, however well the newest run ended, unless it is paused', async () => {
  const hoursAgo = (hours: number): Date => new Date(Date.parse(now) - hours * 3_600_000)
  const ages: Readonly<Record<string, number>> = { fresh: 47, old: 49, paused: 49 }
  const world = statusWorld({
    plans: ['fresh', 'old', 'paused'],
    paused: new Map([['paused', hoursAgo(48)]]),
    times: (name) => ({ lastSuccess: hoursAgo(ages[name] ?? 0) }),
  })
  for (const plan of Object.keys(ages)) enterRun(world, { id: plan, plan })
  const { items, ...rest } = (await world.json('/api/v1/plans')) as List<{ name: string; tooOld: boolean }>
  expect(items.map(({ name, tooOld }) => [name, tooOld])).toEqual([
    ['old', true],
    ['fresh', false],
    ['paused', false],
  ])
  expect(rest).toMatchObject({ counts: { succeeded: 3, tooOld: 1, paused: 1 } })
  const { body } = await world.ask('/')
  expect(body).toContain('<title>1 too old')
  expect(body).toContain('Some plans have not succeeded for longer than twice the time between two of their slots.')
})

test('runs come a page at a time, each once, and the way to the next one is in the answer', async () => {
  const world = statusWorld()
  for (let index = 0; index < 12; index++) {
    enterRun(world, { id: `run-${index}`, plan: index % 2 ? 'shop' : 'mail' })
    await world.clock.advance('1s')
  }
  const all = async (path: string): Promise<readonly string[]> => {
    const { items, next } = (await world.json(path)) as List<{ readonly id: string }>
    return [...items.map(({ id }) => id), ...(next === null ? [] : await all(next))]
  }
  const newestFirst = Array.from({ length: 12 }, (_, index) => `run-${11 - index}`)
  expect(await all('/api/v1/runs?limit=5')).toEqual(newestFirst)
  expect(await all('/api/v1/runs?limit=4&plan=shop')).toEqual(newestFirst.filter((_, index) => index % 2 === 0))
  expect(await all('/api/v1/runs?plan=nobody')).toEqual([])
})

test('one run: hooks as spans of time, windows of undos, and how long anything stood still', async () => {
  const world = statusWorld()
  const { journal, clock } = world
  const at = clock.now()
  journal.beginRun(
    { id: 'r1', plan: 'shop', attempt: 1, scheduledFor: at, trigger: 'manual', dryRun: false },
    'default',
    'p1',
  )
  await clock.advance('1s')
  armUndo(world, 'u1', 'r1')
  const row = journal.hookStarted('r1', 'backups', 'database', 'orders', 1)
  await clock.advance('4s')
  journal.hookEnded(row, 4000)
  armUndo(world, 'u2', 'r1', { undo: 'unlock' })
  await clock.advance('2s')
  journal.settleUndo('u1', 'done')
  await clock.advance('1s')
  journal.settleUndo('u2', 'done')
  journal.endRun('r1', { status: 'succeeded', durationMs: 8000 })
  expect(await world.json('/api/v1/runs/r1')).toMatchObject({
    id: 'r1',
    totalMs: 8000,
    heldMs: 7000,
    held: [{ offsetMs: 1000, durationMs: 7000 }],
    hooks: [{ hook: 'backups', target: 'orders', offsetMs: 1000, durationMs: 4000, ended: true }],
    undos: [
      { undo: 'thaw', offsetMs: 1000, durationMs: 6000, state: 'done' },
      { undo: 'unlock', offsetMs: 5000, durationMs: 3000 },
    ],
  })
  const { body } = await world.ask('/runs/r1')
  expect(body).toContain('For 7.0 s of 8.0 s something was frozen, locked or paused.')
  // Whoever does not see the shade behind a bar is told of it.
  expect(body).toContain('aria-label="from 1.0 s to 5.0 s, 4.0 s of it while something stood still"')
})

test('a drill: what it made until it is removed is no time in which anything stood still', async () => {
  const world = statusWorld()
  const { journal, clock } = world
  const scheduledFor = clock.now()
  const run = {
    id: 'd1',
    plan: 'shop',
    drill: 'weekly',
    attempt: 1,
    scheduledFor,
    trigger: 'drill',
    dryRun: false,
  } as const
  journal.beginRun(run, 'default', 'p1')
  armUndo(world, 'u1', 'd1', { undo: 'drill-cleanup', participant: 'drill:weekly' })
  await clock.advance('2s')
  armUndo(world, 'u2', 'd1')
  await clock.advance('1s')
  journal.settleUndo('u2', 'done')
  await clock.advance('60s')
  expect((await world.json('/api/v1/undos')) as List<object>).toMatchObject({ items: [{ id: 'u1', kind: 'cleanup' }] })
  const pending = (await world.ask('/')).body
  expect(pending).toContain('What a restore drill made is still there')
  expect(pending).not.toContain('still frozen, locked or paused')
  journal.settleUndo('u1', 'done')
  journal.endRun('d1', { status: 'succeeded', durationMs: 63_000 })
  expect(await world.json('/api/v1/runs/d1')).toMatchObject({
    heldMs: 1000,
    held: [{ offsetMs: 2000, durationMs: 1000 }],
    undos: [
      { id: 'u1', kind: 'cleanup', durationMs: 63_000 },
      { id: 'u2', kind: 'held' },
    ],
  })
  expect((await world.ask('/runs/d1')).body).toContain('For 1.0 s of 1m 3s something was frozen')
})

test('what is pending, and what its run gives back itself', async () => {
  const world = statusWorld({ heldUndos: new Set(['u2']) })
  enterRun(world, { id: 'r1' })
  armUndo(world, 'u1', 'r1')
  armUndo(world, 'u2', 'r1')
  await world.clock.advance('90s')
  const { items } = (await world.json('/api/v1/undos')) as List<object>
  expect(items).toMatchObject([
    { id: 'u1', undo: 'thaw', state: 'pending', heldMs: 90_000 },
    { id: 'u2', state: 'held' },
  ])
})

test('targets have the history of their sizes, restore points the age of their verification', async () => {
  const at = (hour: number): Date => new Date(Date.parse(now) - hour * 3_600_000)
  const world = statusWorld({
    async *list() {
      yield artifact({ run: 'r2', target: 'orders', createdAt: at(1), size: 300, name: 'a' })
      yield artifact({ run: 'r2', target: 'orders', createdAt: at(1), size: 200, name: 'b', verifiedAt: at(1) })
      yield artifact({ run: 'r1', target: 'orders', createdAt: at(25), size: 400, verifiedAt: at(20) })
    },
  })
  const targets = (await world.json('/api/v1/targets')) as List<object>
  expect(targets).toMatchObject({
    items: [
      {
        target: 'orders',
        count: 2,
        // Half of what r2 made was not read back.
        verifiedAgeMs: 20 * 3_600_000,
        newest: { id: 'r2', size: 500, artifacts: 2 },
        sizes: [{ size: 400 }, { size: 500 }],
      },
    ],
    store: { readAgeMs: 0, reading: false },
  })
  const points = (await world.json('/api/v1/restore-points?target=orders&limit=1&offset=1')) as List<object>
  expect(points).toMatchObject({ items: [{ id: 'r1', verifiedAgeMs: 20 * 3_600_000 }], total: 2, next: null })
})

test('a store that takes minutes keeps nobody waiting, is read once at a time, and its age is told', async () => {
  const gate = Promise.withResolvers<void>()
  let listings = 0
  async function* list(): AsyncGenerator<StoredArtifact> {
    listings++
    await gate.promise
    yield artifact({ run: 'r1', target: 'orders' })
  }
  const world = statusWorld({ list })
  const first = Promise.all([world.json('/api/v1/targets'), world.ask('/')])
  await vi.waitFor(() => expect(listings).toBe(1))
  // Timers of requests that wait for a moment; the clock stands still otherwise.
  await world.clock.advance('300ms')
  await world.clock.advance('300ms')
  const [json, page] = await first
  expect(json).toMatchObject({ items: [], store: { reading: true } })
  expect(page.body).toContain('The store is being read for this page')
  gate.resolve()
  await vi.waitFor(async () =>
    expect(await world.json('/api/v1/targets')).toMatchObject({ items: [{ target: 'orders' }] }),
  )
  await world.clock.advance('20s')
  expect(await world.json('/api/v1/targets')).toMatchObject({ store: { readAgeMs: 20_000 } })
  expect(listings).toBe(1)
  await world.clock.advance('11m')
  await world.json('/api/v1/targets')
  expect(listings).toBe(2)
})

test('a store that can not be read: what was read before stays, and why is said', async () => {
  let isBroken = false
  const world = statusWorld({
    async *list() {
      if (isBroken) throw new Error('the disk is gone')
      yield artifact({ run: 'r1', target: 'orders' })
    },
  })
  await world.json('/api/v1/targets')
  isBroken = true
  await world.clock.advance('1m')
  const answer = await world.json('/api/v1/targets')
  expect(answer).toMatchObject({
    items: [{ target: 'orders' }],
    store: { error: { message: expect.stringContaining('the disk is gone') as string } },
  })
})

test.for([
  ['/api/v1/runs?limit=0', 400, 'API_PARAMETER'],
  ['/api/v1/runs?limit=201', 400, 'API_PARAMETER'],
  ['/api/v1/plans?offset=-1', 400, 'API_PARAMETER'],
  ['/api/v1/plans?offset=x', 400, 'API_PARAMETER'],
  ['/api/v1/runs/nobody', 404, 'RUN_UNKNOWN'],
  ['/api/v1/runs?before=nobody', 404, 'RUN_UNKNOWN'],
  ['/api/v1/nothing', 404, 'API_UNKNOWN'],
  ['/api/v1/plans/a/b', 404, 'API_UNKNOWN'],
  ['/api/v1/runs/%zz', 404, 'API_UNKNOWN'],
  ['/api/v2', 404, 'API_UNKNOWN'],
] as const)('%s: %d with a code and what to do', async ([path, status, code]) => {
  const answer = await statusWorld().ask(path)
  expect(answer).toMatchObject({ status, type: 'application/json; charset=utf-8' })
  expect(JSON.parse(answer.body)).toMatchObject({ error: { code, hint: expect.any(String) as string } })
})

test('fault F54: a secret that got into the journal is in no answer and on no page', async () => {
  const world = statusWorld()
  enterRun(world, { id: 'r1', status: 'failed', message: 'login with hunter2-hunter2 failed' })
  world.redactor.add('hunter2-hunter2')
  for (const path of [
    '/api/v1/runs',
    '/api/v1/runs/r1',
    '/api/v1/plans',
    '/',
    '/runs',
    '/runs/r1',
    '/plans?plan=shop',
  ]) {
    const { body, status } = await world.ask(path)
    expect([path, status, body.includes('hunter2')]).toEqual([path, 200, false])
    expect(body).toContain('[redacted]')
  }
})

const token = 'c0ffee-c0ffee-c0ffee-c0ffee'

interface ActingWorld extends StatusWorld {
  readonly byHand: { readonly [Name in keyof Actions]: ReturnType<typeof vi.fn> }
  readonly file: string
  post(path: string, headers?: Record<string, string>, body?: string): ReturnType<StatusWorld['ask']>
  refused(reason: string): Promise<string | undefined>
}

/** A world in which things can be done. */
function actingWorld(): ActingWorld {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-token-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'token')
  writeFileSync(file, `${token}\n`)
  const metrics = createMetrics()
  const byHand = {
    run: vi.fn(async () => ({ run: 'r1', ended: undefined })),
    pause: vi.fn(),
    resume: vi.fn(),
    undo: vi.fn(async () => 'done' as const),
  }
  const refused = metrics.counter('holdfast_api_refused_total', 'Refused', ['reason'])
  const world = statusWorld({ actions: { byHand, tokenFile: file, hosts: ['backup.example.org'], refused } })
  return {
    ...world,
    byHand,
    file,
    post: (url, headers = {}, body = '') =>
      world.ask(url, {
        method: 'POST',
        headers: { host: '127.0.0.1:9480', authorization: `Bearer ${token}`, ...headers },
        body: async () => body,
      }),
    refused: async (reason) =>
      new RegExp(`holdfast_api_refused_total\\{reason="${reason}"\\} (\\d+)`).exec(await metrics.text())?.[1],
  }
}

test('docs/api.md has every path, and no other; what can be looked at answers', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/api.md'), 'utf8')
  const documented = [...page.matchAll(/^\| `(GET|POST) (\/api\/v1\S*)` +\|/gm)].map(
    ([, method, path]) => `${method} ${path}`,
  )
  const { paths } = (await actingWorld().json('/api/v1')) as { readonly paths: readonly string[] }
  expect(documented.toSorted()).toEqual(['GET /api/v1', ...paths].toSorted())
  const world = statusWorld()
  enterRun(world, { id: 'r1', plan: 'shop' })
  for (const path of documented.filter((each) => each.startsWith('GET '))) {
    const asked = path.slice(4).replace('{plan}', 'shop').replace('{run}', 'r1')
    expect([path, (await world.ask(asked)).status]).toEqual([path, 200])
  }
})

test('without a token file there is nothing to do anything with', async () => {
  const world = statusWorld()
  const headers = { host: 'localhost', authorization: `Bearer ${token}` }
  const post = (path: string): Promise<{ status: number; allow?: string | undefined }> =>
    world.ask(path, { method: 'POST', headers })
  expect((await post('/api/v1/plans/shop/run')).status).toBe(404)
  expect((await post('/api/v1/undos/u1/run')).status).toBe(404)
  expect(await post('/api/v1/plans')).toMatchObject({ status: 405, allow: 'GET, HEAD' })
  expect(await post('/')).toMatchObject({ status: 405, allow: 'GET, HEAD' })
  expect((await world.ask('/api/v1')).body).not.toContain('POST')
})

test('with the token: run, pause, resume, give back', async () => {
  const world = actingWorld()
  const run = await world.post('/api/v1/plans/shop/run', {}, '{"targets":["orders"]}')
  expect([run.status, JSON.parse(run.body)]).toEqual([202, { plan: 'shop', run: 'r1' }])
  expect(world.byHand.run).toHaveBeenCalledWith('shop', ['orders'])
  expect((await world.post('/api/v1/plans/a%2Fb/pause')).status).toBe(200)
  expect(world.byHand.pause).toHaveBeenCalledWith('a/b')
  expect((await world.post('/api/v1/plans/shop/resume')).status).toBe(200)
  expect(JSON.parse((await world.post('/api/v1/undos/u1/run')).body)).toEqual({ undo: 'u1', result: 'done' })
  expect(await world.ask('/api/v1/plans/shop/run')).toMatchObject({ status: 405, allow: 'POST' })
  expect((await world.post('/api/v1/plans/shop/burn')).status).toBe(404)
  expect(await world.post('/api/v1/plans')).toMatchObject({ status: 405, allow: 'GET, HEAD' })
})

test('a wrong token is 401, counted, and nothing is done; a changed file is another token', async () => {
  const world = actingWorld()
  for (const authorization of ['', 'Bearer', `Bearer ${token}x`, `Bearer ${token.slice(1)}`, `Basic ${token}`, token]) {
    const answer = await world.post('/api/v1/plans/shop/run', { authorization })
    expect(answer, authorization).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="holdfast"' },
    })
    expect(answer.body).toContain('API_TOKEN')
  }
  expect(await world.refused('token')).toBe('6')
  writeFileSync(world.file, 'another-token-of-this-file')
  expect((await world.post('/api/v1/plans/shop/run')).status).toBe(401)
  expect(world.byHand.run).not.toHaveBeenCalled()
  expect(
    (await world.post('/api/v1/plans/shop/run', { authorization: 'bearer another-token-of-this-file' })).status,
  ).toBe(202)
})

test('a token is compared in constant time, however long what was sent, and however much of it is right', async () => {
  const compared: [number, number][] = []
  const compare = vi.spyOn(crypto, 'timingSafeEqual').mockImplementation((a, b) => {
    compared.push([a.byteLength, b.byteLength])
    return Buffer.from(a as Uint8Array).equals(b as Uint8Array)
  })
  onTestFinished(() => {
    compare.mockRestore()
    syncBuiltinESMExports()
  })
  syncBuiltinESMExports()
  const world = actingWorld()
  for (const sent of ['x', token.slice(0, -1), `${token.slice(0, -1)}x`, 'x'.repeat(5000), token]) {
    await world.post('/api/v1/plans/shop/run', { authorization: `Bearer ${sent}` })
  }
  // Digests, which are all as long: else a token of another length would be told from one that is only wrong.
  expect(compared).toEqual(Array.from({ length: 5 }, () => [32, 32]))
  expect(world.byHand.run).toHaveBeenCalledTimes(1)
})

test.for([
  ['', 'it is empty'],
  ['short', 'fewer than 16 characters'],
  [`two words-two words`, 'a blank'],
  ['x'.repeat(5000), 'longer than 4096'],
] as const)('a token file that protects nothing is refused: %s', async ([text, reason]) => {
  const world = actingWorld()
  writeFileSync(world.file, text)
  const answer = await world.post('/api/v1/plans/shop/run', { authorization: `Bearer ${text}` })
  expect(answer).toMatchObject({ status: 503, body: expect.stringContaining(reason) as string })
  expect(await world.refused('token_file')).toBe('1')
  expect(world.byHand.run).not.toHaveBeenCalled()
})

test.for([
  ['a name that was made to lead here', { host: 'evil.example.com:9480' }, 'API_HOST'],
  ['a name that only looks like an address', { host: '127.0.0.1.evil.example.com' }, 'API_HOST'],
  ['no name', { host: '' }, 'API_HOST'],
  ['a page of another origin', { origin: 'https://evil.example.com' }, 'API_ORIGIN'],
  ['a page without an origin', { origin: 'null' }, 'API_ORIGIN'],
  ['a page of another port', { origin: 'http://127.0.0.1:8080' }, 'API_ORIGIN'],
  ['what browsers call cross-site', { 'sec-fetch-site': 'cross-site' }, 'API_ORIGIN'],
] as const)('a web page can not do anything, even with the token: %s', async ([, headers, code]) => {
  const world = actingWorld()
  const answer = await world.post('/api/v1/plans/shop/run', headers)
  expect(answer).toMatchObject({ status: 403, body: expect.stringContaining(code) as string })
  expect(Object.keys(answer.headers ?? {}).filter((name) => name.startsWith('access-control'))).toEqual([])
  expect(await world.refused(code === 'API_HOST' ? 'host' : 'origin')).toBe('1')
  expect(world.byHand.run).not.toHaveBeenCalled()
})

test.for(['localhost:9480', '[::1]:9480', '10.1.2.3', 'holdfast', 'holdfast.shop.svc:9480', 'backup.example.org'])(
  'asked as %s it does what it is told',
  async (host) => {
    const world = actingWorld()
    expect((await world.post('/api/v1/plans/shop/run', { host, origin: `http://${host}` })).status).toBe(202)
  },
)

test.for(['{', '[]', '"x"', '{"targets":[]}', '{"targets":"orders"}', '{"targets":[1]}', '{"plan":"shop"}'])(
  'a body that is none: %s',
  async (body) => {
    const world = actingWorld()
    const answer = await world.post('/api/v1/plans/shop/run', {}, body)
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('API_BODY') as string })
    expect(world.byHand.run).not.toHaveBeenCalled()
  },
)
