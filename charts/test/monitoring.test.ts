import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { chart, render, type Manifest } from './support/helm.ts'
import { config } from './support/values.ts'

const promtool = '/usr/bin/promtool'
const rulesFrom = (spec: Manifest['spec']) =>
  spec.groups[0].rules as readonly { readonly alert: string; readonly annotations: Record<string, string> }[]
const withRule = (rule: object = {}) => ({ config, metrics: { prometheusRule: { enabled: true, ...rule } } })

// Prometheus' own tool says whether the alerts fire; without it there is nobody to ask.
if (!existsSync(promtool))
  console.warn(`SKIPPED: alerts are not tested without promtool (Debian: apt install prometheus)`)

test.skipIf(!existsSync(promtool))(
  'the alerts of the PrometheusRule fire when they should, and only then',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'alerts-'))
    try {
      const { spec } = (await render(withRule())).one('PrometheusRule')
      writeFileSync(join(folder, 'alerts.yaml'), stringify(spec))
      copyFileSync(join(import.meta.dirname, 'alerts.test.yaml'), join(folder, 'alerts.test.yaml'))
      const run = (...args: readonly string[]): string =>
        execFileSync(promtool, args, { cwd: folder, encoding: 'utf8' })
      expect(run('check', 'rules', 'alerts.yaml')).toContain('SUCCESS: 25 rules found')
      expect(run('test', 'rules', 'alerts.test.yaml')).toContain('SUCCESS')
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

test('of each alert it is tested that it fires, and that it does not', () => {
  const { tests } = parse(readFileSync(join(import.meta.dirname, 'alerts.test.yaml'), 'utf8')) as AlertTests
  const cases = tests.flatMap((each) => each.alert_rule_test)
  const names = (isFiring: boolean): readonly string[] =>
    cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === isFiring).map(({ alertname }) => alertname)
  const spec: Manifest['spec'] = parse(readFileSync(join(chart, 'files/alerts.yaml'), 'utf8'))
  const alerts = rulesFrom(spec).map(({ alert }) => alert)
  expect(new Set(names(true))).toEqual(new Set(alerts))
  expect(new Set(names(false))).toEqual(new Set(alerts))
})

interface AlertTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[]
  }[]
}

test('each alert says what happened, what it means and what to do, and where the runbook is', async () => {
  const runbookUrl = 'https://wiki.example/backups'
  const rules = rulesFrom((await render(withRule({ runbookUrl }))).one('PrometheusRule').spec)
  expect(rules.length).toBeGreaterThan(10)
  for (const { alert, annotations } of rules) {
    expect(annotations).toEqual({
      summary: expect.stringMatching(/^[A-Z]/),
      description: expect.stringMatching(/\.$/),
      runbook_url: `${runbookUrl}#${alert.toLowerCase()}`,
    })
  }
  for (const { alert, annotations } of rulesFrom((await render(withRule())).one('PrometheusRule').spec)) {
    expect(annotations['runbook_url']).toBe(`https://holdfast.dev/runbooks#${alert.toLowerCase()}`)
  }
})

test('alerts can be left out, and pods of CronJobs need not be up', async () => {
  const all = rulesFrom((await render(withRule())).one('PrometheusRule').spec).map(({ alert }) => alert)
  const some = rulesFrom((await render(withRule({ disabled: ['BackupTooOld'] }))).one('PrometheusRule').spec)
  expect(some.map(({ alert }) => alert)).toEqual(all.filter((alert) => alert !== 'BackupTooOld'))
  const jobs = rulesFrom((await render({ mode: 'cronjob', ...withRule() })).one('PrometheusRule').spec)
  expect(jobs.map(({ alert }) => alert)).toEqual(all.filter((alert) => alert !== 'BackupSidecarDown'))
})

test("a dashboard is a ConfigMap that Grafana's sidecar finds, with braces and dollars as they are", async () => {
  const annotations = { grafana_folder: 'Backups' }
  const made = await render({ config, metrics: { dashboard: { enabled: true, annotations } } })
  const [found, ...more] = made.manifests.filter(({ metadata }) => metadata.name.endsWith('-dashboard'))
  expect(more).toEqual([])
  expect(found).toMatchObject({ kind: 'ConfigMap', metadata: { labels: { grafana_dashboard: '1' }, annotations } })
  const { data } = found as unknown as { readonly data: Readonly<Record<string, string>> }
  const text = readFileSync(join(chart, 'files/dashboard.json'), 'utf8')
  expect(JSON.parse(data['holdfast.json'] ?? '')).toEqual(JSON.parse(text))
  for (const braces of ['{{plan}}', '${datasource}']) expect(text).toContain(braces)
  const without = await render({ config })
  expect(without.manifests.some(({ metadata }) => metadata.name.endsWith('-dashboard'))).toBe(false)
})

test.for([
  ['9480, unless something else is said', { config }, '9480'],
  ['what the configuration says', { config: { ...config, metrics: { listen: '[::]:9999' } } }, '9999'],
  ['a number there', { config: { ...config, metrics: { listen: 9998 } } }, '9998'],
  ['metrics.port first', { config: { ...config, metrics: { listen: 1 } }, metrics: { port: 9997 } }, '9997'],
  ['none where it is off', { config: { ...config, metrics: { listen: 0 } } }, undefined],
  ['none where metrics.port is off', { config, metrics: { port: 0 } }, undefined],
] as const)('the port is %s', async ([, values, port]) => {
  const made = await render(values)
  const { metadata, spec } = made.one('Deployment').spec.template
  expect(metadata.annotations?.['prometheus.io/port']).toBe(port)
  const given = 'metrics' in values ? [{ name: 'HOLDFAST_LISTEN', value: String(values.metrics.port) }] : []
  expect(spec.containers[0].env).toEqual(expect.arrayContaining(given))
})

test('a PodMonitor finds pods without a declared port, under the name that the alerts know', async () => {
  const { spec } = (await render({ config, metrics: { podMonitor: { enabled: true } } })).one('PodMonitor')
  const [endpoint] = spec.podMetricsEndpoints
  expect(endpoint).not.toHaveProperty('port')
  const pod = { __meta_kubernetes_pod_container_name: 'holdfast' }
  expect(relabel(endpoint.relabelings, { ...pod, __meta_kubernetes_pod_ip: '10.0.0.1' })).toMatchObject({
    __address__: '10.0.0.1:9480',
    job: 'holdfast',
  })
  expect(relabel(endpoint.relabelings, { ...pod, __meta_kubernetes_pod_ip: 'fd00::1' })).toMatchObject({
    __address__: '[fd00::1]:9480',
  })
  expect(relabel(endpoint.relabelings, { __meta_kubernetes_pod_container_name: 'proxy' })).toBeUndefined()
})

interface Relabeling {
  readonly sourceLabels?: readonly string[]
  readonly regex?: string
  readonly targetLabel?: string
  readonly replacement?: string
  readonly action?: string
}

/** As Prometheus does it, as far as the chart uses it. */
function relabel(
  relabelings: readonly Relabeling[],
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> | undefined {
  let result = { ...labels }
  for (const { sourceLabels = [], regex = '(.*)', targetLabel = '', replacement = '$1', action } of relabelings) {
    const value = sourceLabels.map((label) => result[label] ?? '').join(';')
    const match = new RegExp(`^(?:${regex})$`).exec(value)
    if (action === 'keep' && !match) return undefined
    if (action === undefined && match) {
      result = { ...result, [targetLabel]: replacement.replace('$1', match[1] ?? '') }
    }
  }
  return result
}

test('a ServiceMonitor brings its Service along, and annotations are for those without either', async () => {
  const made = await render({ config, metrics: { serviceMonitor: { enabled: true } } })
  expect(made.one('Service').spec).toMatchObject({ clusterIP: 'None', ports: [{ port: 9480, targetPort: 9480 }] })
  expect(made.one('Deployment').spec.template.metadata.annotations).toBeUndefined()
  const without = await render({ config, metrics: { annotations: false } })
  expect(without.one('Deployment').spec.template.metadata.annotations).toBeUndefined()
})

test.for(['cronjob', 'sidecar'])('nothing of mode %s is looked for by a monitor', async (mode) => {
  const monitors = { podMonitor: { enabled: true }, serviceMonitor: { enabled: true }, service: { enabled: true } }
  const { manifests } = await render({ mode, config, metrics: monitors })
  expect(manifests.filter(({ kind }) => /Monitor|Service$/.test(kind))).toEqual([])
})
