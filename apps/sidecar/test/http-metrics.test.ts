import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { socketFile } from '../src/http/socket.ts'
import { startDaemon, type RunningDaemon } from './support/daemon.ts'
import { parseExposition, type Exposition } from './support/exposition.ts'
import { ask } from './support/http.ts'
import { workspace, type Workspace } from './support/workspace.ts'

interface Daemon extends RunningDaemon {
  scrape(): Promise<Exposition>
}

function daemon(here: Workspace): Daemon {
  return {
    ...startDaemon(here),
    async scrape() {
      const { status, body } = await ask({ socketPath: socketFile(here.state) }, '/metrics')
      expect(status, body.slice(0, 500)).toBe(200)
      checkWithPromtool(body)
      return parseExposition(body)
    },
  }
}

const promtool = '/usr/bin/promtool'

/** A third opinion, where Prometheus' own tool is installed; the second one is always asked. */
function checkWithPromtool(page: string): void {
  const { error, status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
  })
  if (error) return
  // 3: it is valid, and something about it could be better.
  expect([0, 3], `${stdout}${stderr}`.slice(0, 2000)).toContain(status)
}

/** Ids that a file name, a URL or somebody's language may well bring along. */
const oddTargets = ['a"b\\c\nd{}=,é', '\\', '"', '\n', '{le="1"} 2', '日本 🗄', 'a\ud800b', '# HELP x y', ' ', '\\n']

/** Targets with odd ids, in a plan that waits, and fails for one of them. */
function odd(): Workspace {
  const here = workspace()
  here.write(
    'odd.mjs',
    `import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { definePlugin } from '@holdfast/sdk'
const any = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
export const odd = definePlugin({
  name: 'odd', version: '1.0.0', sdk: '^1.0', config: any,
  targets: () => ${JSON.stringify(oddTargets)}.map((id) => ({ id, labels: {}, data: null })),
  hooks: {
    async beforeBackups(ctx) {
      const counter = ctx.meter.counter('odd_total', 'Odd \\\\ \\n help', ['what'])
      for (const what of ['"', '\\\\', '\\n', '\\ud800', 7, { toString: () => '"' }, undefined, null, Symbol('x')]) counter.add(1, { what })
      for (const what of [NaN, Infinity, -1, '1']) counter.add(what, { what: 'numbers' })
      ctx.meter.histogram('odd_seconds', 'Odd', ['what']).record(0.5, { what: 'é"' })
      ctx.meter.gauge('holdfast_run_phase', 'not theirs', ['plan', 'phase']).set(1, { plan: 'odd', phase: 'running' })
      writeFileSync(${JSON.stringify(here.at('here'))}, '')
      while (!existsSync(${JSON.stringify(here.at('go'))})) await setTimeout(10)
    },
    async backups(ctx) {
      if (ctx.target.id === '\\\\') throw new Error('this one is broken')
      await ctx.createArtifact('x', (sink) => sink.write(Buffer.from('12345')))
    },
  },
})
`,
  )
  here.write('hook.mjs', `export default { $type: 'holdfast.hook/v1', hook: 'maintain', entry: () => {} }\n`)
  const idle = Array.from({ length: 999 }, (_, n) => {
    const cron = `${n % 60} ${Math.floor(n / 60)} * * 1`
    return `  plan-${n}: { schedule: { cron: '${cron}', timeZone: Europe/Berlin }, use: [./hook.mjs] }`
  })
  here.write(
    'holdfast.yaml',
    `plans:
  odd:
    schedule: { cron: '0 3 * * *', timeZone: Europe/Berlin, misfire: run-once }
    use: [{ './odd.mjs#odd': {} }]
    budget: 2h
${idle.join('\n')}
`,
  )
  return here
}

test('fault F53: scraped during a run, with 1,000 plans and odd labels, the page is valid', async () => {
  const here = odd()
  const running = daemon(here)
  onTestFinished(() => writeFileSync(here.at('go'), ''))
  await running.logged('"msg":"ready"')
  const before = await running.scrape()
  expect(before.samples('holdfast_schedule_info')).toHaveLength(1000)
  expect(before.value('holdfast_run_phase', { plan: 'odd', phase: 'none' })).toBe(1)
  expect(before.value('holdfast_run_deadline_timestamp_seconds', { plan: 'odd' })).toBeUndefined()

  await running.clock.advance('31s')
  await vi.waitFor(() => expect(existsSync(here.at('here'))).toBe(true), { timeout: 10_000 })
  const during = await running.scrape()
  const start = Date.parse('2026-11-23T02:00:00Z') / 1000
  expect(during.value('holdfast_run_deadline_timestamp_seconds', { plan: 'odd' })).toBeCloseTo(start + 7200)
  expect(during.value('holdfast_run_phase', { plan: 'odd', phase: 'running' })).toBe(1)
  const phases = during.samples('holdfast_run_phase').filter(({ labels }) => labels['plan'] === 'odd')
  expect(phases.reduce((sum, { value }) => sum + value, 0)).toBe(1)
  expect(during.value('holdfast_targets_selected', { plan: 'odd' })).toBe(oddTargets.length)
  // What is no text is none; numbers that are none are not counted.
  expect(during.samples('odd_total').map(({ labels, value }) => [labels['what'], value])).toEqual([
    ['"', 1],
    ['\\', 1],
    ['\n', 1],
    ['\ufffd', 1],
    ['7', 1],
    ['', 4],
  ])

  writeFileSync(here.at('go'), '')
  await running.logged('"msg":"plan \\"odd\\" partial')
  const after = await running.scrape()
  expect(after.value('holdfast_run_deadline_timestamp_seconds', { plan: 'odd' })).toBeUndefined()
  expect(after.value('holdfast_run_phase', { plan: 'odd', phase: 'partial' })).toBe(1)
  const sizes = new Map(
    after.samples('holdfast_target_backup_size_bytes').map(({ labels, value }) => [labels['target'], value]),
  )
  // One fails, and what is no text can't be stored.
  const succeeded = oddTargets.filter((id) => id !== '\\' && id.isWellFormed())
  expect([...sizes.keys()]).toEqual(succeeded)
  expect(new Set(sizes.values())).toEqual(new Set([5]))
  const times = after.samples('holdfast_target_last_success_timestamp_seconds')
  expect(times.map(({ labels }) => labels['target'])).toEqual(succeeded)
  expect(after.value('holdfast_runs_total', { plan: 'odd', result: 'partial' })).toBe(1)
})

test('every count begins at 0, so that increase() sees the first failure', async () => {
  const here = workspace()
  here.write(
    'holdfast.yaml',
    `plans:\n  shop:\n    schedule: { cron: '0 3 * * *' }\n    use: [{ '@holdfast/plugin-scripts#scripts': { path: ${here.at('scripts')} } }]\n`,
  )
  here.script('backups/10', 'true')
  const running = daemon(here)
  await running.logged('"msg":"ready"')
  const page = await running.scrape()
  // Booting was a run, too.
  expect(page.value('holdfast_runs_total', { plan: 'shop', result: 'succeeded' })).toBe(1)
  for (const result of ['partial', 'failed', 'skipped', 'aborted']) {
    expect(page.value('holdfast_runs_total', { plan: 'shop', result }), result).toBe(0)
  }
  for (const reason of ['down', 'overlap', 'paused', 'dst_gap', 'clock']) {
    expect(page.value('holdfast_schedule_missed_total', { plan: 'shop', reason }), reason).toBe(0)
  }
  for (const reason of ['exit', 'timeout', 'signal', 'exec_lost', 'spawn', 'error']) {
    const labels = { phase: 'backups', hook: 'scripts', reason }
    expect(page.value('holdfast_hook_failures_total', labels), reason).toBe(0)
  }
  // Booting is no run of which times tell.
  expect(page.value('holdfast_run_duration_seconds_count', { plan: 'shop' })).toBe(0)
  expect(page.value('holdfast_run_duration_seconds_bucket', { plan: 'shop', le: '86400' })).toBe(0)
  expect(page.value('holdfast_hook_duration_seconds_count', { phase: 'backups', hook: 'scripts' })).toBe(0)
  for (const op of ['read', 'write', 'corrupt']) expect(page.value('holdfast_state_store_errors_total', { op })).toBe(0)
  const [kind = ''] = page.samples('holdfast_undos_pending').map(({ labels }) => labels['kind'])
  expect(page.value('holdfast_undos_pending', { kind })).toBe(0)
  expect(page.value('holdfast_undo_failures_total', { kind })).toBe(0)
  expect(page.value('holdfast_undos_recovered_total', { kind })).toBe(0)
  // A success that never was is not in 1970.
  expect(page.value('holdfast_run_last_success_timestamp_seconds', { plan: 'shop' })).toBeUndefined()
})

test('fault F52: what `holdfast run` and `holdfast drill` do beside the daemon, its metrics and pages know, as the runbooks say', async () => {
  const here = workspace()
  here.write(
    'holdfast.yaml',
    `copies: [${here.at('copy')}]
plans:
  shop:
    schedule: { cron: '0 3 * * *', timeZone: Europe/Berlin }
    use: [{ '@holdfast/plugin-scripts#scripts': { path: ${here.at('scripts')} } }]
drills:
  weekly: { plan: shop, expect: ./expect.sh }
`.replace(here.at('copy'), `file://${here.at('copy')}`),
  )
  here.script('backups/10', 'exit 1')
  here.write('expect.sh', '#!/bin/sh\n', 0o755)
  const running = daemon(here)
  const { clock } = running
  await running.logged('"msg":"ready"')
  await clock.advance('31s')
  await running.logged('"msg":"plan \\"shop\\" failed')
  const failed = await running.scrape()
  const plan = { plan: 'shop' }
  expect(failed.value('holdfast_run_phase', { ...plan, phase: 'failed' })).toBe(1)
  expect(failed.value('holdfast_run_last_success_timestamp_seconds', plan)).toBeUndefined()
  await clock.advance('1h')
  here.script('backups/10', 'printf x | save_artifact orders')
  expect((await here.run(['run', 'shop'], { clock })).code).toBe(0)
  expect((await here.run(['drill'], { clock })).code).toBe(0)
  const at = clock.now().getTime() / 1000
  const page = await running.scrape()
  expect(page.value('holdfast_run_phase', { ...plan, phase: 'succeeded' })).toBe(1)
  expect(page.value('holdfast_run_last_success_timestamp_seconds', plan)).toBe(at)
  expect(page.value('holdfast_run_last_failure_timestamp_seconds', plan)).toBe(at - 3600)
  expect(page.value('holdfast_target_last_success_timestamp_seconds', { ...plan, target: 'scripts' })).toBe(at)
  expect(page.value('holdfast_restore_drill_last_success_timestamp_seconds', { drill: 'weekly' })).toBe(at)
  const [copy] = page.samples('holdfast_copy_missing_artifacts')
  expect(copy).toMatchObject({ value: 0, labels: plan })
  const { body } = await ask({ socketPath: socketFile(here.state) }, '/api/v1/plans/shop')
  expect(JSON.parse(body)).toMatchObject({ state: 'succeeded', lastSuccessAt: clock.now().toISOString() })
})

test('what a new configuration does not have is not on the page any more: plans, drills, copies, hooks, undos', async () => {
  const here = workspace()
  here.write('check.mjs', 'export default async () => {}\n')
  for (const name of ['old', 'kept']) {
    here.write(`${name}.mjs`, `export default { $type: 'holdfast.hook/v1', hook: 'backups', entry: () => {} }\n`)
  }
  here.script('backups/10', 'true')
  here.script('before_backups/10', 'true')
  here.script('before_backups/10.undo', 'true')
  const scripts = `'@holdfast/plugin-scripts#scripts': { path: ${here.at('scripts')} }`
  const schedule = `schedule: { cron: '0 3 * * *', timeZone: UTC }`
  const copy = (name: string): string => `'file://${here.at(name)}'`
  here.write(
    'holdfast.yaml',
    `plans:
  shop: { ${schedule}, use: [./kept.mjs, ./old.mjs], copies: [${copy('copy')}, ${copy('other')}] }
  gone: { ${schedule}, use: [{ ${scripts} }] }
drills:
  weekly: { plan: gone, ${schedule}, expect: ./check.mjs }
`,
  )
  const running = daemon(here)
  await running.logged('"msg":"ready"')
  const values = (page: Exposition, label: string): ReadonlySet<string | undefined> =>
    new Set(
      [...page.families.values()].flatMap(({ samples }) =>
        samples.flatMap(({ labels }) => (labels[label] === undefined ? [] : [labels[label]])),
      ),
    )
  const before = await running.scrape()
  expect(values(before, 'plan')).toEqual(new Set(['shop', 'gone']))
  expect(values(before, 'hook')).toEqual(new Set(['kept', 'old', 'scripts', 'drill:weekly']))
  expect(values(before, 'copy').size).toBe(2)
  expect(values(before, 'drill')).toEqual(new Set(['weekly']))
  expect(values(before, 'kind').size).toBeGreaterThan(1)
  here.write('holdfast.yaml', `plans: { shop: { ${schedule}, use: [./kept.mjs], copies: [${copy('copy')}] } }\n`)
  running.signal('SIGHUP')
  await running.logged('the changed configuration is in force')
  const after = await running.scrape()
  expect(values(after, 'plan')).toEqual(new Set(['shop']))
  expect(values(after, 'hook')).toEqual(new Set(['kept']))
  expect(values(after, 'copy').size).toBe(1)
  expect(values(after, 'drill')).toEqual(new Set())
  // Of holdfast_plan_info.
  expect(values(after, 'kind')).toEqual(new Set(['backup']))
})

/** A plan of scripts whose backup waits; scraped meanwhile and afterwards. */
async function scrapedRun(): Promise<{ readonly during: Exposition; readonly after: Exposition }> {
  const here = workspace()
  here.write(
    'holdfast.yaml',
    `copies: ['file://${here.at('copy')}']
plans:
  shop:
    schedule: { cron: '0 3 * * *', timeZone: Europe/Berlin }
    use: [{ '@holdfast/plugin-scripts#scripts': { path: ${here.at('scripts')} } }]
  clean: { use: [./clean.mjs] }
drills:
  weekly: { plan: shop, schedule: { cron: '0 4 * * *', timeZone: Europe/Berlin }, expect: ./check.mjs }
`,
  )
  const wait = `while (!existsSync(${JSON.stringify(here.at('end'))})) await new Promise((resolve) => setTimeout(resolve, 5))`
  here.write('clean.mjs', `export default { $type: 'holdfast.hook/v1', hook: 'maintain', entry: () => {} }\n`)
  here.write('check.mjs', `import { existsSync } from 'node:fs'\nexport default async () => { ${wait} }\n`)
  here.script(
    'backups/10',
    `touch ${here.at('here')}; while [ ! -e ${here.at('go')} ]; do sleep 0.02; done; printf x | save_artifact x`,
  )
  const running = daemon(here)
  onTestFinished(() => writeFileSync(here.at('go'), ''))
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await vi.waitFor(() => expect(existsSync(here.at('here'))).toBe(true), { timeout: 10_000 })
  const during = await running.scrape()
  writeFileSync(here.at('go'), '')
  await running.logged('"msg":"plan \\"shop\\" succeeded')
  onTestFinished(() => writeFileSync(here.at('end'), ''))
  await running.clock.advance('1h')
  await running.logged('"msg":"restores 1 restore point')
  const drilling = await running.scrape()
  writeFileSync(here.at('end'), '')
  await running.logged('"msg":"drill \\"weekly\\" succeeded')
  const after = await running.scrape()
  expect((await here.run(['pause', 'shop'])).code).toBe(0)
  await running.clock.advance('5s')
  const paused = await running.scrape()
  await running.stop()
  const samples = (name: string): ReturnType<Exposition['samples']> => [
    ...during.samples(name),
    ...drilling.samples(name),
    ...paused.samples(name),
  ]
  return { during: { ...during, samples }, after }
}

/** Of volumes, pushes and notifications: metrics that other parts of Holdfast bring along. */
const ofOthers = /^holdfast_(filesystem|versions|push|notify)/

test('every metric of the alert rules is there, with the labels that they ask for', async () => {
  const { during, after } = await scrapedRun()
  const rules = readFileSync(join(import.meta.dirname, '../../../charts/holdfast/files/alerts.yaml'), 'utf8')
  const used = [...rules.matchAll(/(?:by \(([\w, ]*)\) \((?:\w+\()?)?\b(holdfast_\w+)(?:\{([^}]*)\})?/g)]
  const ours = used.filter(([, , name = '']) => !ofOthers.test(name))
  expect(new Set(ours.map(([, , name]) => name)).size).toBeGreaterThanOrEqual(9)
  for (const [text, by = '', name = '', matchers = ''] of ours) {
    const samples = [...during.samples(name), ...after.samples(name)]
    expect(samples.length, text).toBeGreaterThan(0)
    // Prometheus adds the namespace.
    const labels = by.split(/, */).filter((label) => label !== '' && label !== 'namespace')
    for (const label of labels) expect(Object.keys(samples[0]?.labels ?? {}), text).toContain(label)
    for (const [, label = '', values = ''] of matchers.matchAll(/(\w+)=~?"([^"]*)"/g)) {
      for (const value of values.split('|')) {
        expect(
          samples.some((sample) => sample.labels[label] === value),
          `${text}: ${value}`,
        ).toBe(true)
      }
    }
  }
})

test('docs/metrics.md has every metric with its type and labels, and no other', async () => {
  const { during, after } = await scrapedRun()
  const page = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8')
  const documented = new Map(
    [...page.matchAll(/^\| `(holdfast_\w+)` +\| (\w+) +\| ([^|]*) \|/gm)].map(
      ([, name = '', type = '', labels = '']) => [
        name,
        { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label) },
      ],
    ),
  )
  const families = new Map([...during.families, ...after.families])
  // They are there once there is a port, or a cluster.
  const elsewhere = [
    'http_listening',
    'kubernetes_events_total',
    'exec_streams_total',
    'exec_bytes_total',
    'leader',
  ].map((name) => `holdfast_${name}`)
  expect([...families.keys()].filter((name) => !documented.has(name))).toEqual([])
  expect([...documented.keys()].filter((name) => !families.has(name) && !elsewhere.includes(name))).toEqual([])
  for (const [name, { type }] of families) {
    expect(documented.get(name)?.type, name).toBe(type)
    const [sample] = [...during.samples(name), ...after.samples(name), ...after.samples(`${name}_count`)]
    if (sample) expect(documented.get(name)?.labels, name).toEqual(Object.keys(sample.labels))
  }
})

test.for([
  ['no end', '# HELP a A\n# TYPE a gauge\na 1'],
  ['no help', '# TYPE a gauge\na 1\n'],
  ['no type', '# HELP a A\na 1\n'],
  ['no such type', '# HELP a A\n# TYPE a number\na 1\n'],
  ['another metric', '# HELP a A\n# TYPE a gauge\nb 1\n'],
  ['twice the same', '# HELP a A\n# TYPE a gauge\na{x="1",y="2"} 1\na{y="2",x="1"} 1\n'],
  [
    'a metric in two places',
    '# HELP a A\n# TYPE a gauge\na 1\n# HELP b B\n# TYPE b gauge\n# HELP a A\n# TYPE a gauge\n',
  ],
  ['a quote', '# HELP a A\n# TYPE a gauge\na{x="""} 1\n'],
  ['a wrong escape', '# HELP a A\n# TYPE a gauge\na{x="\\d"} 1\n'],
  ['a line break', '# HELP a A\n# TYPE a gauge\na{x="b\nc"} 1\n'],
  ['no number', '# HELP a A\n# TYPE a gauge\na one\n'],
  ['a time', '# HELP a A\n# TYPE a gauge\na 1 1700000000\n'],
  ['a counter below 0', '# HELP a_total A\n# TYPE a_total counter\na_total -1\n'],
  ['a histogram without an end', '# HELP a A\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n'],
  [
    'a histogram that shrinks',
    '# HELP a A\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  ],
] as const)('the second parser refuses %s', ([, page]) => {
  expect(() => parseExposition(page)).toThrow(Error)
})
