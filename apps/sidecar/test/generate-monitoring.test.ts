import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { generalAlerts } from '../src/generate/alerts/general-alerts.ts'
import type { Rule } from '../src/generate/alerts/alert.ts'
import { dashboard, rows } from '../src/generate/dashboard/dashboard.ts'
import { configured, rulesOf } from './support/alerts.ts'
import { workspace } from './support/workspace.ts'

const root = join(import.meta.dirname, '../../..')
const read = (page: string): string => readFileSync(join(root, page), 'utf8')
const hour = 3600

/** How old the last success may be, in seconds, by plan or drill. */
function thresholds(rules: readonly Rule[], alert: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    rules
      .filter((rule) => rule.alert === alert)
      .map(({ expr, for: howLong }) => [
        /(?:plan|drill)="([^"]*)"/.exec(expr)?.[1] ?? '',
        Number(/ > (\d+)\n/.exec(expr)?.[1] ?? howLong?.replace(/s$/, '')),
      ]),
  )
}

test('how old a backup may be comes from the schedule: its longest gap twice, and the longest that a run may take', async () => {
  const rules = await rulesOf(configured())
  const old = {
    daily: 2 * 24 * hour + 2 * hour,
    // Over the weekend: from Friday to Monday.
    weekdays: 2 * 72 * hour + hour,
    // Its budget is a day, which would be too long to wait.
    hourly: 3 * hour,
  }
  expect(thresholds(rules, 'BackupTooOld')).toEqual(old)
  expect(thresholds(rules, 'BackupNeverSucceeded')).toEqual(old)
  expect(thresholds(rules, 'RestoreDrillStale')).toEqual({ weekly: 2 * 7 * 24 * hour + hour })
  expect(thresholds(rules, 'RestoreDrillNeverSucceeded')).toEqual({ weekly: 2 * 7 * 24 * hour + hour })
  const names = new Set(rules.map(({ alert }) => alert))
  expect(names).toEqual(new Set(generalAlerts.map(({ name }) => name)))
})

test('without drills there are no alerts about them, and runbooks of your own are named', async () => {
  const here = workspace()
  here.write('b.mjs', `export default { $type: 'holdfast.hook/v1', hook: 'backups', entry: () => {} }\n`)
  here.write('holdfast.yaml', `plans: { daily: { schedule: { cron: '0 3 * * *' }, use: [./b.mjs] } }\n`)
  const rules = await rulesOf(here, '--runbook-url', 'https://wiki.example/backups')
  expect(rules.filter(({ alert }) => alert.startsWith('RestoreDrill'))).toEqual([])
  for (const { alert, annotations } of rules) {
    expect(annotations['runbook_url']).toBe(`https://wiki.example/backups#${alert.toLowerCase()}`)
  }
})

test('the same as an object of the Prometheus operator, and what does not go together', async () => {
  const here = configured()
  const object = ['--form', 'prometheusrule', '--namespace', 'shop', '--label', 'release=prometheus']
  const { stdout } = await here.run(['generate', 'monitoring', ...object])
  expect(parse(stdout)).toMatchObject({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'holdfast', namespace: 'shop', labels: { release: 'prometheus' } },
  })
  expect(await rulesOf(here, ...object)).toEqual(await rulesOf(here))
  for (const wrong of [
    ['--namespace', 'shop'],
    ['--form', 'dashboard', '--label', 'a=b'],
    ['--form', 'prometheusrule', '--label', 'nothing'],
  ]) {
    const { code, stderr } = await here.run(['generate', 'monitoring', ...wrong])
    expect(code, stderr).toBe(2)
  }
})

const sections = new Map(
  read('docs/runbooks.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0] ?? '', section]),
)

test('each alert has a runbook, each runbook an alert, and each says what it means, where to look and how to end it', () => {
  expect(new Set(sections.keys())).toEqual(new Set(generalAlerts.map(({ name }) => name)))
  for (const { name, severity } of generalAlerts) {
    const text = sections.get(name) ?? ''
    expect(text, name).toContain(`_${severity === 'critical' ? 'Critical' : 'Warning'}._`)
    for (const part of ['What it means', 'Look', 'End it']) expect(text, name).toContain(`\n- **${part}.** `)
    expect(text.match(/`(?:holdfast|kubectl|benji|curl|df) [^`]+`/g)?.length ?? 0, name).toBeGreaterThan(0)
  }
})

test('the commands of runbooks and alerts are there, with their options', async () => {
  const here = workspace()
  const texts = [...sections.values(), ...generalAlerts.map(({ description }) => description)]
  const commands = new Set(texts.flatMap((text) => text.match(/`holdfast [^`]+`/g) ?? []))
  expect(commands.size).toBeGreaterThan(15)
  for (const command of commands) {
    const words = command.slice(1, -1).split(' ').slice(1)
    const options = words.filter((word) => word.startsWith('--'))
    const path = words.slice(0, words[0] === 'undo' ? 2 : 1)
    const { code, stdout } = await here.run([...path, '--help'])
    expect(code, command).toBe(0)
    expect(stdout, command).toMatch(new RegExp(`^Usage: holdfast ${path.join(' ')}\\b`))
    for (const option of options) expect(stdout, command).toContain(option)
  }
})

test('docs/alerts.md lists every alert', () => {
  const listed = [...read('docs/alerts.md').matchAll(/^\| \[(\w+)\]\(runbooks\.md#(\w+)\) +\| (\w+) +\| .*\|$/gm)]
  expect(listed.map(([, name, anchor, severity]) => ({ name, anchor, severity }))).toEqual(
    generalAlerts.map(({ name, severity }) => ({ name, anchor: name.toLowerCase(), severity })),
  )
})

test('the dashboard is one that Grafana takes: panels beside each other, not over each other, each with its queries', async () => {
  const { stdout } = await workspace().run(['generate', 'monitoring', '--form', 'dashboard'])
  const made = JSON.parse(stdout) as { readonly panels: readonly Made[] }
  expect(made).toEqual(JSON.parse(JSON.stringify(dashboard())))
  expect(new Set(made.panels.map(({ id }) => id)).size).toBe(made.panels.length)
  expect(made.panels.length).toBe(rows.length + rows.flatMap(({ panels }) => panels).length)
  const taken = new Set<string>()
  for (const { title, gridPos } of made.panels) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
    for (let { x } = gridPos; x < gridPos.x + gridPos.w; x++) {
      for (let { y } = gridPos; y < gridPos.y + gridPos.h; y++) {
        expect(taken.has(`${x} ${y}`), title).toBe(false)
        taken.add(`${x} ${y}`)
      }
    }
  }
})

interface Made {
  readonly id: number
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
}

test('every metric of the dashboard and the alerts is documented', () => {
  const documented = new Set(`${read('docs/metrics.md')}${read('docs/benji.md')}`.match(/\bholdfast_\w+/g))
  const queries = [
    ...generalAlerts.map(({ expr }) => expr),
    ...rows.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries.map(({ expr }) => expr))),
  ]
  const used = new Set(queries.flatMap((expr) => expr.match(/\bholdfast_\w+/g) ?? []))
  expect(used.size).toBeGreaterThan(30)
  const base = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, '')
  expect([...used].filter((name) => !documented.has(name) && !documented.has(base(name)))).toEqual([])
})
