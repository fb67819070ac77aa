// The metrics of a whole daemon as Prometheus sees them: every query of the dashboard and every alert is evaluated by a
// real Prometheus that scrapes it. The daemon's clock is behind: what it says is old at once, and so alerts need not be
// waited for.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { testClock, type TestClock } from '@holdfast/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rows } from '../src/generate/dashboard/dashboard.ts'
import { generalAlerts } from '../src/generate/alerts/general-alerts.ts'
import { cli, startCli, type RunningCli } from './support/cli.ts'
import { ask, freePort } from './support/http.ts'

const root = join(import.meta.dirname, '../../..')
const minute = 60_000

/** All files are below it. */
let folder: string
let clock: TestClock
let daemon: RunningCli
let port: number
let prometheus: ChildProcess | undefined
let prometheusPort: number

const at = (name: string): string => join(folder, name)
const write = (name: string, text: string): void => writeFileSync(at(name), text)
const env = (): NodeJS.ProcessEnv => ({ HOLDFAST_STATE_DIR: at('state'), HOLDFAST_LISTEN: `127.0.0.1:${port}` })

/** Plans and drills that do all that the dashboard and the alerts tell of. Slots are each minute, but for two. */
function configure(first: Date): void {
  const cron = (date: Date): string =>
    `${date.getUTCMinutes()} ${date.getUTCHours()} ${date.getUTCDate()} ${date.getUTCMonth() + 1} *`
  const each = `schedule: { cron: '* * * * *', timeZone: UTC }`
  const once = (slot: number): string =>
    `schedule: { cron: '${cron(new Date(first.getTime() + slot * minute))}', timeZone: UTC }`
  write(
    'plugins.mjs',
    `import { existsSync } from 'node:fs'
import { definePlugin, defineUndo } from '@holdfast/sdk'
import { freezeMetrics } from ${JSON.stringify(join(root, 'packages/plugin-benji/src/freeze/freeze-metrics.ts'))}
const any = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
const define = (name, definition) => definePlugin({ name, version: '1.0.0', sdk: '^1.0', config: any, ...definition })
const store = (ctx, bytes) => ctx.createArtifact('data', (sink) => sink.write(Buffer.alloc(bytes, 'x')))
const all = (...ids) => () => ids.map((id) => ({ id, labels: {}, data: null }))
const later = () => existsSync(${JSON.stringify(at('later'))})
const forever = () => new Promise(() => {})
const fail = () => { throw new Error('on purpose') }
export const good = define('good', { targets: all('a', 'b'), hooks: { backups: (ctx) => store(ctx, 1000) } })
export const stale = define('stale', { targets: all('a'), hooks: { backups: (ctx) => (later() ? fail() : store(ctx, 9)) } })
export const partial = define('partial', { targets: all('a', 'b'), hooks: { backups: (ctx) => (ctx.target.id === 'a' ? fail() : store(ctx, 9)) } })
export const never = define('never', { targets: all('a'), hooks: { backups: fail } })
export const empty = define('empty', { targets: () => [], hooks: { backups: fail } })
export const shrinking = define('shrinking', { targets: all('a'), hooks: { backups: (ctx) => store(ctx, later() ? 10 : 1000) } })
export const stuck = define('stuck', { targets: all('a'), hooks: { backups: forever } })
const thaw = defineUndo({ name: 'thaw', input: any, deadline: '30s', run: fail })
// As the plugin for Benji does it, where there is a node to freeze anything on.
export const frozen = define('frozen', { targets: all('data'), undos: [thaw], hooks: {
  async beforeBackups(ctx) {
    await ctx.undo.arm(thaw, {})
    freezeMetrics(ctx.meter, { namespace: 'shop', name: 'data' }).frozen(ctx.clock.now())
    const other = freezeMetrics(ctx.meter, { namespace: 'shop', name: 'log' })
    other.thawed()
    other.took(900)
    const versions = ctx.meter.gauge('holdfast_versions', "Versions in Benji's database, by state", ['state', 'instance'])
    for (const state of ['valid', 'invalid', 'incomplete']) versions.set(state === 'invalid' ? 1 : 0, { state, instance: 'benji' })
  },
  backups: (ctx) => store(ctx, 9),
} })
`,
  )
  write(
    'clean.mjs',
    `export default { $type: 'holdfast.hook/v1', hook: 'maintain', entry: () => { throw new Error('on purpose') } }\n`,
  )
  write('right.mjs', 'export default () => {}\n')
  write('wrong.mjs', 'export default () => { throw new Error("on purpose") }\n')
  write('waits.mjs', 'export default () => new Promise(() => {})\n')
  write('nowhere', '')
  const plugins = ['stale', 'partial', 'never', 'empty', 'shrinking']
  write(
    'holdfast.yaml',
    `metrics: { pushgateway: 'http://127.0.0.1:1' }
notify: [{ webhook: { url: 'http://127.0.0.1:1' } }]
plans:
  good: { ${once(0)}, copies: ['file://${at('copy')}'], use: [{ './plugins.mjs#good': {} }] }
  lost-copy: { ${each}, copies: ['file://${at('nowhere')}/copy'], use: [{ './plugins.mjs#good': {} }] }
${plugins.map((name) => `  ${name}: { ${each}, use: [{ './plugins.mjs#${name}': {} }] }`).join('\n')}
  frozen: { ${once(0)}, use: [{ './plugins.mjs#frozen': {} }] }
  slow: { ${each}, budget: 1h, use: [{ './plugins.mjs#stuck': {} }] }
  stuck: { ${once(2)}, budget: 1m, use: [{ './plugins.mjs#stuck': {} }] }
  clean: { ${each}, use: [./clean.mjs] }
drills:
  right: { plan: good, ${each}, expect: ./right.mjs }
  wrong: { plan: good, ${each}, expect: ./wrong.mjs }
  slow: { plan: good, ${each}, budget: 1h, expect: ./waits.mjs }
  stuck: { plan: good, ${once(2)}, budget: 1m, expect: ./waits.mjs }
`,
  )
}

async function startPrometheus(): Promise<void> {
  const { stdout: rules } = await cli(['generate', 'monitoring'], { cwd: folder, env: env() })
  write('generated.yaml', rules)
  const targets = [`127.0.0.1:${port}`, '127.0.0.1:1'].map((target) => `'${target}'`).join(', ')
  write(
    'prometheus.yaml',
    `global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }
rule_files: [generated.yaml, ${join(root, 'charts/holdfast/files/alerts.yaml')}]
scrape_configs:
  - { job_name: holdfast, static_configs: [{ targets: [${targets}], labels: { namespace: shop } }] }
`,
  )
  prometheusPort = await freePort()
  const args = ['--config.file=prometheus.yaml', '--storage.tsdb.path=data', '--log.level=error']
  prometheus = spawn('/usr/bin/prometheus', [...args, `--web.listen-address=127.0.0.1:${prometheusPort}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data: { readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[] }
}

/** Asks Prometheus; what it says of a query that it can't evaluate is the error. */
async function api<T>(path: string): Promise<T> {
  const { body } = await ask({ port: prometheusPort }, `/api/v1/${path}`)
  return JSON.parse(body) as T
}

const query = (expr: string): Promise<Answer> => api(`query?query=${encodeURIComponent(expr)}`)

/** As Grafana fills it in, with everything chosen. */
function filledIn(expr: string): string {
  const values = { namespace: '.*', plan: '.*', __range: '1h', __rate_interval: '1m' }
  return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`$${name}`, value), expr)
}

async function until(what: string, isSo: () => Promise<boolean> | boolean, ms = 15_000): Promise<void> {
  const end = Date.now() + ms
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}\n${daemon.stderr().slice(-5000)}`)
    await sleep(100)
  }
}

const hasData = async (expr: string): Promise<boolean> => ((await query(expr)).data?.result.length ?? 0) > 0

beforeAll(async () => {
  if (!existsSync('/usr/bin/prometheus')) throw new Error('no Prometheus here (Debian: apt install prometheus)')
  folder = mkdtempSync(join(tmpdir(), 'holdfast-monitoring-'))
  // The last slot is eight minutes ago, the first ten.
  const first = new Date(Math.floor(Date.now() / minute) * minute - 10 * minute)
  clock = testClock({ now: new Date(first.getTime() - minute / 2) })
  configure(first)
  port = await freePort()
  daemon = startCli(['daemon'], { cwd: folder, clock, env: env() })
  await until('the daemon is up', () => daemon.stderr().includes('"msg":"scheduling"'))
  await startPrometheus()
  await until('a first scrape', () => hasData('holdfast_plan_info').catch(() => false))
  // What began in a slot has come as far as it can before the next: the clock must not run away from it.
  const running = (what: string): string => `holdfast_${what},phase="running"} == 1`
  const drilled = (name: string, result: string, times: number): string =>
    `holdfast_restore_drill_runs_total{drill="${name}",result="${result}"} == ${times}`
  const ended = (name: string, times: number): string => `sum(holdfast_runs_total{plan="${name}"}) == ${times}`
  const each = ['lost-copy', 'stale', 'partial', 'never', 'empty', 'shrinking', 'clean']
  // Drills fail in the first slot, before there is anything to restore.
  const slots = [
    [
      'holdfast_run_last_success_timestamp_seconds{plan="good"}',
      running('run_phase{plan="slow"'),
      running('run_phase{plan="frozen"'),
    ],
    // Giving back what is frozen was tried again until then.
    [
      ended('frozen', 1),
      drilled('right', 'succeeded', 1),
      drilled('wrong', 'failed', 2),
      running('restore_drill_phase{drill="slow"'),
    ],
    [
      drilled('right', 'succeeded', 2),
      drilled('wrong', 'failed', 3),
      ...['run_phase{plan="stuck"', 'restore_drill_phase{drill="stuck"'].map(running),
    ],
  ]
  for (const [slot, conditions] of slots.entries()) {
    await clock.advance(slot === 0 ? minute / 2 : minute)
    for (const condition of [...conditions, ...each.map((name) => ended(name, slot + 1))]) {
      await until(`slot ${slot}: ${condition}`, () => hasData(condition))
    }
    if (slot === 1) writeFileSync(at('later'), '')
  }
  await clock.advance(minute / 2)
  writeFileSync(at('holdfast.yaml'), 'plans: { nonsense: true }\n')
  daemon.signal('SIGHUP')
  await until('the configuration is refused', () => hasData('holdfast_configuration_valid == 0'))
}, 60_000)

afterAll(async () => {
  if (prometheus?.exitCode === null) {
    const ended = new Promise((resolve) => prometheus?.once('exit', resolve))
    prometheus.kill('SIGKILL')
    await ended
  }
  daemon?.signal('SIGTERM')
  let isOver = false
  void daemon?.result.finally(() => (isOver = true))
  while (daemon && !isOver) await clock.advance('1m')
  rmSync(folder, { recursive: true, force: true })
})

test('every query of the dashboard can be evaluated, and has data', async () => {
  const problems: string[] = []
  for (const { title, queries } of rows.flatMap(({ panels }) => panels)) {
    for (const { expr, legend } of queries) {
      const { status, error, data } = await query(filledIn(expr))
      const name = `${title}: ${legend}`
      if (status !== 'success') problems.push(`${name}: ${error ?? status}`)
      else if (data.result.length === 0) problems.push(`${name}: no data`)
    }
  }
  expect(problems).toEqual([])
})

/** No disk is broken here, no Pushgateway is scraped, and nobody has paused a plan for a day. */
const unmet = new Set(['BackupStateFailing', 'BackupMetricsPushRejected', 'BackupPausedByHand'])

interface Rules {
  readonly data: { readonly groups: readonly { readonly rules: readonly Rule[] }[] }
}

interface Rule {
  readonly name: string
  readonly health: string
  readonly lastError?: string
}

test('every alert can be evaluated, general or generated; those whose case is here fire, or wait for the end of their time', async () => {
  const met = generalAlerts.filter(({ name }) => !unmet.has(name))
  /** Those that have not fired, or begun to wait, since Prometheus started. */
  const missing = async (): Promise<readonly string[]> => {
    const { data } = await query('count by (alertname, alertstate) (last_over_time(ALERTS[10m]))')
    const seen = new Set(data.result.map(({ metric }) => `${metric['alertname']} ${metric['alertstate']}`))
    return met.flatMap(({ name, for: howLong }) =>
      seen.has(`${name} ${howLong === undefined ? 'firing' : 'pending'}`) ? [] : [name],
    )
  }
  const end = Date.now() + 10_000
  while ((await missing()).length > 0 && Date.now() < end) await sleep(250)
  expect(await missing()).toEqual([])
  const { data } = await api<Rules>('rules')
  const rules = data.groups.flatMap((group) => group.rules)
  expect(rules.length).toBeGreaterThan(2 * generalAlerts.length)
  for (const { name, health, lastError } of rules) expect({ name, health, lastError }).toEqual({ name, health: 'ok' })
})

test('what is well does not alert', async () => {
  const { data } = await api<{
    readonly data: { readonly alerts: readonly { readonly labels: Readonly<Record<string, string>> }[] }
  }>('alerts')
  const about = (key: 'plan' | 'drill', value: string): readonly string[] =>
    data.alerts.filter(({ labels }) => labels[key] === value).map(({ labels }) => labels['alertname'] ?? '')
  expect(about('plan', 'good')).toEqual([])
  // A maintenance plan has no age.
  expect(new Set(about('plan', 'clean'))).toEqual(new Set(['MaintenanceFailed']))
})
