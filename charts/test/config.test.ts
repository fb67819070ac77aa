// The configuration on its way from values through Helm's YAML 1.1 to the engine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as pluginScripts from '../../packages/plugin-scripts/src/index.ts'
import { loadConfig } from '../../packages/runtime/src/index.ts'
import { render, type GivenValues } from './support/helm.ts'
import { config } from './support/values.ts'

const folder = mkdtempSync(join(tmpdir(), 'chart-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function rendered(values: GivenValues): Promise<Readonly<Record<string, unknown>>> {
  const { data } = (await render(values)).one('ConfigMap', 'shop-holdfast')
  return parse(data['holdfast.yaml'] as string) as Readonly<Record<string, unknown>>
}

test('it is the same as in values, and a deployment has a leader', async () => {
  expect(await rendered({ config })).toEqual({ ...config, replicas: 'leader' })
  expect(await rendered({ config: { ...config, replicas: 'each' } })).toEqual({ ...config, replicas: 'each' })
  expect(await rendered({ config, mode: 'cronjob' })).toEqual(config)
  expect(await rendered({ config, mode: 'sidecar' })).toEqual(config)
})

test('a Pushgateway among the values is in it, unless it names one itself', async () => {
  const metrics = { pushgateway: 'http://a:9091' }
  expect(await rendered({ config, metrics })).toMatchObject({ metrics })
  const own = { metrics: { listen: 0, pushgateway: 'http://b:9091' } }
  expect(await rendered({ config: { ...config, ...own }, metrics })).toMatchObject(own)
  const secret = { metrics: { pushgateway: { env: 'GATEWAY' } } }
  expect(await rendered({ config: { ...config, ...secret }, metrics })).toMatchObject(secret)
  const listen = { metrics: { listen: 9999 } }
  expect(await rendered({ config: { ...config, ...listen }, metrics })).toMatchObject({
    metrics: { listen: 9999, pushgateway: 'http://a:9091' },
  })
})

test('words that Helm takes for true and false arrive as words', async () => {
  expect(await rendered({ config: { ...config, undoMirror: false } })).toMatchObject({ undoMirror: 'off' })
  expect(await rendered({ config: { ...config, undoMirror: true } })).toMatchObject({ undoMirror: 'on' })
  expect(await rendered({ config: { ...config, undoMirror: 'off' } })).toMatchObject({ undoMirror: 'off' })
})

test('the engine reads what the chart writes', async () => {
  const plan = {
    schedule: { cron: '5 0 1 * *', timeZone: 'Europe/Berlin', jitter: '5m', paused: true },
    use: [{ '@holdfast/plugin-scripts#scripts': { path: folder } }],
    // Helm keeps numbers as floating point.
    budget: 86_400_000,
    retention: { latest: 1_000_000 },
  }
  const given = { undoMirror: false, plans: { 'on.1': plan, '0x10': plan } }
  const { data } = (await render({ config: given })).one('ConfigMap', 'shop-holdfast')
  const file = join(folder, 'holdfast.yaml')
  writeFileSync(file, data['holdfast.yaml'] as string)
  const { config: loaded } = await loadConfig({
    path: file,
    cwd: folder,
    env: {},
    builtins: { '@holdfast/plugin-scripts': () => Promise.resolve(pluginScripts) },
  })
  expect(loaded).toMatchObject({ replicas: 'leader', undoMirror: false })
  expect(loaded.plans.map(({ name }) => name).toSorted()).toEqual(['0x10', 'on.1'])
  expect(loaded.plans[0]).toMatchObject({ budgetMs: 86_400_000, retention: { latest: 1_000_000 } })
})

test('files beside it are mounted with it, and changes are seen', async () => {
  const chart = await render({ config, files: { 'report.ts': 'export {}\n' } })
  expect(chart.one('ConfigMap').data).toMatchObject({ 'report.ts': 'export {}\n' })
  const { containers, volumes } = chart.one('Deployment').spec.template.spec
  expect(volumes).toContainEqual({
    name: 'holdfast-config',
    projected: { sources: [{ configMap: { name: 'shop-holdfast' } }] },
  })
  // A subPath would be fixed when the container starts.
  expect(containers[0].volumeMounts).toContainEqual({
    name: 'holdfast-config',
    mountPath: '/etc/holdfast',
    readOnly: true,
  })
})
