import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { runInNewContext } from 'node:vm'
import { expect, test, vi } from 'vitest'
import { html } from '../src/http/page/html.ts'
import { colours } from '../src/http/page/style.ts'
import { age, prose } from '../src/http/page/words.ts'
import { armUndo, artifact, enterRun, statusWorld, type StatusWorld } from './support/status.ts'
import { history, manyRuns } from './support/status-history.ts'
import { scene } from './support/status-scene.ts'

const paths = ['/', '/plans', '/plans?plan=shop', '/runs', '/runs/r1', '/targets', '/restore-points']

/** A world with something on every page. */
function world(): StatusWorld {
  const made = statusWorld({
    async *list() {
      yield artifact({ run: 'r1', target: 'orders', size: 2048 })
      yield artifact({ run: 'r0', target: 'orders', size: 1024 })
    },
  })
  enterRun(made, { id: 'r1', status: 'failed', message: 'pg_dump ended with 1' })
  made.journal.hookEnded(made.journal.hookStarted('r1', 'backups', 'database', 'orders', 1), 1500)
  return made
}

test('every page is whole without scripts, and for whoever listens to it instead of looking at it', async () => {
  const { ask } = world()
  for (const path of paths) {
    const { status, type, body } = await ask(path)
    expect([path, status, type]).toEqual([path, 200, 'text/html; charset=utf-8'])
    expect(body).toMatch(/^<!doctype html>\s*<html lang="en">/)
    for (const [landmark, times] of [
      ['header', 1],
      ['main', 1],
      ['footer', 1],
      ['h1', 1],
      ['nav', 1],
      ['title', 1],
    ] as const) {
      expect([path, landmark, body.match(new RegExp(`<${landmark}[ >]`, 'g'))?.length]).toEqual([path, landmark, times])
    }
    expect(body).toMatch(/<a class="skip" href="#main">/)
    const tables = body.match(/<table /g)?.length ?? 0
    expect(body.match(/<caption>[^<]+<\/caption>/g)?.length ?? 0).toBe(tables)
    // Whatever heads something says what; what scrolls can be scrolled with the keyboard.
    for (const [cell] of body.matchAll(/<th[ >][^>]*>?/g)) expect(cell).toMatch(/scope="(col|row)"/)
    for (const [region] of body.matchAll(/<div class="wide"[^>]*>/g))
      expect(region).toMatch(/role="region".*aria-label=.*tabindex="0"/)
    for (const [picture] of body.matchAll(/<svg[^>]*>/g))
      expect(picture).toMatch(/aria-hidden="true"|role="img"\s+aria-label="[^"]+"/)
    const ids = [...body.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
  }
})

/** The rows of a page's tables as they are read, a picture by what it says. */
function rowsOf(body: string): readonly string[] {
  return [...body.matchAll(/<tr[^>]*>([\s\S]*?)<\/tr>/g)].map(([, row = '']) =>
    row
      .replaceAll(
        /<svg role="img"[^>]*aria-label="([^"]*)"|<svg class="timeline"[^>]*aria-label="([^"]*)"/g,
        ' [$1$2] <i',
      )
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  )
}

test('after a bad night: each plan with its last result, its age and its next run; targets with the history of their sizes; restore points with the age of their verification', async () => {
  const { ask } = await scene()
  const read = async (path: string): Promise<readonly string[]> => rowsOf((await ask(path)).body)
  const plans = await read('/')
  const invoices = plans.find((row) => row.startsWith('invoices failed'))
  expect(invoices).toMatch(
    /^invoices failed 9 hours ago .*19\.5 s too old : 2 days ago .* in 14 hours 2026-11-24 02:00:00 UTC/,
  )
  expect(plans.find((row) => row.startsWith('shop succeeded'))).toMatch(/9 hours ago .* in 14 hours/)
  expect(plans.find((row) => row.startsWith('mail'))).toMatch(/has not run yet never in 14 hours/)
  const targets = await read('/targets')
  expect(targets.find((row) => row.startsWith('archive'))).toMatch(
    /suspect 166\.9 MiB \[13 sizes, from 166\.9 MiB to 1\.3 GiB; the oldest .*\] 13 never read back$/,
  )
  expect(targets.find((row) => row.startsWith('orders'))).toMatch(
    /\[13 sizes, .*\] 13 9 hours ago 2026-11-23 02:00:42 UTC$/,
  )
  const points = await read('/restore-points')
  expect(points.find((row) => row.startsWith('shop-13 orders'))).toMatch(/valid 9 hours ago 2026-11-23 02:00:42 UTC$/)
  expect(points.find((row) => row.startsWith('orders-archive-13'))).toMatch(
    /suspect : it is 88 % smaller .*never read back$/,
  )
})

test('the history of sizes is drawn from zero: what is an eighth of the others looks like it', async () => {
  const { body } = await (await scene()).ask('/targets')
  const [, drawn = ''] = /archive<\/bdi>[\s\S]*?<polyline class="sizes" points="([^"]+)"/.exec(body) ?? []
  const points = drawn.split(' ').map((point) => point.split(',').map(Number))
  expect(points).toHaveLength(13)
  // The least that is drawn is not the ground.
  const heights = points.map(([, y = 0]) => 22 - y)
  expect((heights.at(-1) ?? 0) / (heights.at(-2) ?? 1)).toBeCloseTo(1 / 8, 1)
  expect(heights.at(-1)).toBeGreaterThan(1)
  expect(points.map(([x]) => x)).toEqual(points.map(([x]) => x).toSorted((a = 0, b = 0) => a - b))
})

test('the timeline of a run: hooks as bars where they were, windows of undos as bars, and a shade where something stood still', async () => {
  const { body } = await (await scene()).ask('/runs/shop-13')
  const rects = (kind: string): readonly (readonly [from: number, to: number])[] =>
    [...body.matchAll(new RegExp(`<rect class="${kind}" x="([\\d.]+)" y="\\d+" width="([\\d.]+)"`, 'g'))].map(
      ([, x, width]) => [Number(x), Number(x) + Number(width)],
    )
  // Of a run of 42.8 s, as thousandths.
  const at = (seconds: number): number => expect.closeTo((seconds / 42.8) * 1000, 0) as number
  expect(rects('shade')).toEqual([[at(0.5), at(32.6)]])
  expect(rects('held')).toEqual([[at(0.5), at(32.6)]])
  expect(rects('hook').slice(1, 4)).toEqual([
    [at(0.4), at(1.3)],
    [at(1.3), at(32.3)],
    [at(1.35), at(25.35)],
  ])
  // Each has the shade behind it.
  expect(body.match(/<use href="#stood-still" \/>/g)?.length).toBe(rects('hook').length)
  const rows = rowsOf(body)
  expect(rows.find((row) => row.startsWith('backups'))).toContain(
    '[from 1.3 s to 32.3 s, 31.0 s of it while something stood still]',
  )
})

test('nothing comes from elsewhere, and the policy allows what is there and nothing else', async () => {
  const { ask } = world()
  for (const path of paths) {
    const { body, headers } = await ask(path)
    const policy = headers?.['content-security-policy'] ?? ''
    expect(policy).toMatch(/^default-src 'none'/)
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    for (const kind of ['style', 'script']) {
      const found = [...body.matchAll(new RegExp(`<${kind}>([\\s\\S]*?)</${kind}>`, 'g'))]
      expect(found).toHaveLength(1)
      const hash = createHash('sha256')
        .update(found[0]?.[1] ?? '')
        .digest('base64')
      expect(policy).toContain(`${kind}-src 'sha256-${hash}'`)
    }
    expect(body.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')).not.toMatch(
      / (style|on\w+|src)=|https?:\/\/|<(form|iframe|object|base)/,
    )
    expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' })
  }
})

test('names and messages are hostile, and are shown as they are', async () => {
  const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>\'`&amp;'
  const hidden = 'sho\u202Ep\u001B[2J\u0007'
  const made = statusWorld({
    plans: [evil, hidden],
    instance: evil,
    async *list() {
      yield artifact({ run: evil, plan: evil, target: `${evil} target`, state: 'suspect', reason: evil })
    },
  })
  enterRun(made, { id: evil, plan: evil, status: 'failed', message: evil })
  enterRun(made, { id: 'r2', plan: hidden })
  armUndo(made, evil, evil, { plan: evil, undo: evil, participant: evil })
  made.journal.hookEnded(made.journal.hookStarted(evil, 'backups', evil, evil, 1), 1500)
  const name = encodeURIComponent(evil)
  for (const path of [
    ...paths.filter((each) => each !== '/runs/r1' && each !== '/plans?plan=shop'),
    `/runs/${name}`,
    `/plans?plan=${name}`,
    `/runs?plan=${name}`,
    `/restore-points?target=${name}`,
    `/plans?plan=%3Cb%3E`,
    '/runs/%3Cscript%3E',
  ]) {
    const { body } = await made.ask(path)
    const own = body.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    expect([path, /<script|<img|<b>|onerror=(?!alert\(1\)&#62;)/.exec(own)?.[0]]).toEqual([path, undefined])
    // No attribute ends early: between two quotes there is none.
    expect(own.replaceAll(/="[^"<>]*"/g, '')).not.toMatch(/["'`]/)
    // eslint-disable-next-line no-control-regex -- what must not be there
    expect(own).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u0000-\u0008\u001B\u0007]/)
  }
  expect((await made.ask('/')).body).toContain('&#34;&#62;&#60;script&#62;alert(1)')
})

test('what is pending comes first, in red, with what to do', async () => {
  const made = world()
  expect((await made.ask('/')).body).not.toContain('class="box alarm"')
  armUndo(made, '7c1de0a4-77', 'r1')
  await made.clock.advance('2h')
  const { body } = await made.ask('/')
  const box = /<section class="box alarm"[\s\S]*?<\/section>/.exec(body)
  expect(box?.[0]).toContain('Something is still frozen, locked or paused')
  expect(box?.[0]).toMatch(
    /<bdi>thaw<\/bdi>[\s\S]*held for <strong>2h<\/strong>[\s\S]*<code>holdfast undo run 7c1de0a4<\/code>/,
  )
  expect(box?.index).toBeLessThan(body.indexOf('<table '))
  for (const path of ['/plans?plan=shop', '/runs/r1'])
    expect((await made.ask(path)).body).toMatch(
      /class="box alarm"[\s\S]*on\s+<bdi>web-0<\/bdi>[\s\S]*holdfast undo run 7c1de0a4/,
    )
  expect((await made.ask('/plans?plan=shop')).body).toContain('<code>holdfast run shop</code>')
})

test('what a run that goes on fails to give back is in red, with why, and is no longer called given back by itself', async () => {
  const made = statusWorld({ heldUndos: new Set(['7c1de0a4-77']) })
  enterRun(made, { id: 'r0' })
  armUndo(made, '7c1de0a4-77', 'r0')
  expect((await made.ask('/')).body).toMatch(/Held by runs that go on[\s\S]*given back by the run\s+itself/)
  made.journal.claimUndo('7c1de0a4-77', 'p1')
  made.journal.settleUndo('7c1de0a4-77', 'armed', 'thaw: device busy')
  const { body } = await made.ask('/')
  expect(body).toMatch(/class="box alarm"[\s\S]*tried 1 time<br \/>Last\s+error: thaw: device busy/)
  expect(body).toContain('A run can’t give back what it has taken, and tries again.')
  expect(body).toContain('<title>Not given back – ')
  expect(body).not.toContain('Held by runs that go on')
})

test('a newest backup that was found damaged is the verdict, although every run succeeded', async () => {
  const made = statusWorld({
    async *list() {
      yield { ...artifact({ run: 'r1', target: 'orders', size: 2048 }), state: 'invalid', reason: 'it is damaged' }
    },
  })
  enterRun(made, { id: 'r1' })
  await vi.waitFor(async () => {
    const { body } = await made.ask('/')
    expect(body).toContain('<title>1 damaged – ')
    expect(body).toContain('The newest backup of a target is damaged, and can&#39;t be restored whole.')
  })
})

test('a drill that failed is the verdict where nothing is worse, and none is left out without a word', async () => {
  const drills = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`drill-${n}`, 'shop']))
  const made = statusWorld({ drills })
  enterRun(made, { id: 'r1' })
  const said = async (): Promise<string> =>
    /<p data-said>\s*([^<]*?)\s*<\/p>/.exec((await made.ask('/')).body)?.[1] ?? ''
  expect(await said()).toBe('The newest run of every plan that has run succeeded.')
  const run = { id: 'd1', plan: 'shop', drill: 'drill-24', attempt: 1, scheduledFor: made.clock.now() }
  made.journal.beginRun({ ...run, trigger: 'drill', dryRun: false }, 'default', 'p1')
  made.journal.endRun('d1', { status: 'failed', durationMs: 1 })
  expect(await said()).toBe(
    'The newest run of 1 of 25 restore drills failed: whether those backups can be restored is not known.',
  )
  const { body } = await made.ask('/')
  expect(body).toContain('<title>1 drill failed – ')
  expect(body).toMatch(/And 5 more:\s*<a href="\/api\/v1\/drills\?offset=20">/)
  enterRun(made, { id: 'r2', status: 'failed', message: 'no' })
  expect(await said()).toBe('The newest run of 1 of 1 plans did not make its backup.')
})

test('the schedule of a plan is there with its time zone: other times are in UTC', async () => {
  const made = statusWorld()
  expect((await made.ask('/')).body).toContain('<span class="exact">0 3 * * * UTC</span>')
})

test('ages are in words, and the exact time is there for everybody', async () => {
  const made = world()
  await made.clock.advance('3h')
  const { body } = await made.ask('/')
  expect(body).toMatch(
    /<time datetime="2026-11-23T12:00:00.000Z">3 hours ago\s*<span class="exact">2026-11-23 12:00:00 UTC<\/span>\s*<\/time>/,
  )
  expect(
    [500, 1000, 59_000, 60_000, 119_000, 120_000, 7_199_000, 86_400_000, 172_800_000, -7_200_000].map(age),
  ).toEqual([
    'just now',
    '1 second ago',
    '59 seconds ago',
    '60 seconds ago',
    '119 seconds ago',
    '2 minutes ago',
    '119 minutes ago',
    '24 hours ago',
    '2 days ago',
    'in 2 hours',
  ])
})

test('commands that a hint names look like commands, and a tick alone is a tick', () => {
  const { html: shown } = html`${prose('Look at `holdfast list`, <now>; don`t wait.')}`
  expect(shown).toBe('Look at <code>holdfast list</code>, &#60;now&#62;; don&#96;t wait.')
})

test('contrast is that of WCAG AA, in both schemes, on every ground', () => {
  const luminance = (hex: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const contrast = (a: string, b: string): number => {
    const [dark = 0, light = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y)
    return (light + 0.05) / (dark + 0.05)
  }
  for (const [scheme, of] of Object.entries(colours)) {
    for (const ground of ['ground', 'raised', 'alarm'] as const) {
      for (const text of ['text', 'link', 'bad', 'odd', 'good', 'quiet'] as const) {
        if (ground === 'alarm' && (text === 'quiet' || text === 'good')) continue
        expect(contrast(of[text], of[ground]), `${scheme}: ${text} on ${ground}`).toBeGreaterThanOrEqual(4.5)
      }
    }
  }
})

test('what is not there is said on a page, and nothing can be changed', async () => {
  const { ask } = world()
  expect(await ask('/runs/nobody')).toMatchObject({
    status: 404,
    body: expect.stringContaining('RUN_UNKNOWN') as string,
  })
  expect(await ask('/plans/none/at/all')).toMatchObject({ status: 404 })
  expect(await ask('/runs?limit=many')).toMatchObject({
    status: 400,
    body: expect.stringContaining('API_PARAMETER') as string,
  })
  expect(await ask('/runs', { method: 'DELETE' })).toMatchObject({ status: 405, allow: 'GET, HEAD' })
})

test('1,000 runs of 50 targets: the first page stays below 300 KB and 1 s, and does not grow with history', async () => {
  const small = history(600)
  const large = history(manyRuns)
  const measure = async ({ ask }: StatusWorld): Promise<{ readonly bytes: number; readonly ms: number }> => {
    // The store's catalogue is read once, whoever looks.
    await ask('/')
    const took: number[] = []
    let body = ''
    for (let round = 0; round < 5; round++) {
      const began = performance.now()
      body = (await ask('/')).body
      took.push(performance.now() - began)
    }
    return { bytes: Buffer.byteLength(body), ms: Math.min(...took) }
  }
  const [few, many] = [await measure(small), await measure(large)]
  expect(many.bytes).toBeLessThan(300_000)
  expect(many.ms).toBeLessThan(1000)
  expect(many.bytes / few.bytes).toBeLessThan(1.1)
  for (const path of ['/runs', '/plans', '/targets', '/restore-points', '/runs/20261123T120000Z-00000500']) {
    const { status, body } = await large.ask(path)
    expect([path, status, Buffer.byteLength(body) < 300_000]).toEqual([path, 200, true])
  }
})

test('a run of very many targets comes a page at a time, what failed first', async () => {
  const made = world()
  made.sql(`WITH RECURSIVE c(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM c WHERE j < 499) INSERT INTO hooks
      (run, hook, participant, target, attempt, started, duration_ms, error)
      SELECT 'r1', 'backups', 'database', 'default/a-target-with-a-name-' || j, 1, ${Date.parse('2026-11-23T12:00:00Z')} + j * 100, 400,
        '{"code":"EXEC_EXIT","message":"pg_dump ended with 1: connection to server on socket was lost"}' FROM c;
    WITH RECURSIVE c(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM c WHERE j < 499) INSERT INTO targets
      SELECT 'r1', 'default/a-target-with-a-name-' || j, iif(j = 437, 'failed', 'succeeded'), 'verified', NULL, NULL FROM c`)
  for (let index = 0; index < 150; index++) {
    armUndo(made, `u${index}`, 'r1')
    made.journal.settleUndo(`u${index}`, 'done')
  }
  const { body } = await made.ask('/runs/r1')
  expect(Buffer.byteLength(body)).toBeLessThan(300_000)
  expect(body.indexOf('target-with-a-name-437</bdi></a>')).toBeGreaterThan(0)
  const seen = new Set<string>()
  let path: string | undefined = '/runs/r1'
  for (let pages = 0; path !== undefined && pages < 10; pages++) {
    const page: string = (await made.ask(path)).body
    for (const [, name] of page.matchAll(/(a-target-with-a-name-\d+)<\/bdi><\/a>/g)) seen.add(name ?? '')
    path = /<a href="([^"]+)">More of this run/.exec(page)?.[1]
  }
  expect(seen.size).toBe(500)
  const whole = (await made.json('/api/v1/runs/r1?offset=400')) as { readonly next: string | null }
  expect(whole).toMatchObject({ leftOut: { hooks: 0, undos: 0, targets: 0 }, next: null })
})

test('the work of a page does not grow with history: SQLite looks up what it needs, and reads no table', async () => {
  const made = history(50)
  const { prepare } = DatabaseSync.prototype
  const statements = new Set<string>()
  const spy = vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (this: DatabaseSync, sql) {
    statements.add(sql)
    return prepare.call(this, sql)
  })
  try {
    await made.ask('/')
    await made.ask('/runs?before=20261123T120000Z-00000040')
    await made.ask('/runs?plan=plan-with-a-name-of-some-length-1')
  } finally {
    spy.mockRestore()
  }
  expect(statements.size).toBeGreaterThan(4)
  const database = new DatabaseSync(made.journal.path)
  for (const sql of statements) {
    // The catalogue's part, which is read now and then, and not for a page.
    if (sql.includes('FROM points')) continue
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { readonly detail: string }[]
    // Backwards by rowid, it ends at its limit.
    const isLimited = / ORDER BY rowid DESC LIMIT /.test(sql)
    const whole = steps.filter(({ detail }) => /^SCAN (?!\(?subquery|CONSTANT)/i.test(detail) && !isLimited)
    // What is sorted after a limit, or pending, is little.
    const isLittle = sql.includes('entered DESC') || sql.includes("state IN ('armed', 'firing')")
    const sorted = steps.filter(({ detail }) => detail.includes('TEMP B-TREE') && !isLittle)
    expect([sql, whole, sorted]).toEqual([sql, [], []])
  }
  database.close()
})

test('the script of the page stands by itself, and runs where there is nothing to do', async () => {
  const { body } = await world().ask('/')
  const script = /<script>([\s\S]*?)<\/script>/.exec(body)?.[1] ?? ''
  expect(() => runInNewContext(script, { document: { getElementById: () => null } })).not.toThrow()
})
