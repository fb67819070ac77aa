// What Prometheus' own tool says of alerts.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { parse, stringify } from 'yaml'
import type { Rule } from '../../src/generate/alerts/alert.ts'
import { workspace, type Workspace } from './workspace.ts'

/** Prometheus' own tool, where Debian's package puts it. */
export const promtool = '/usr/bin/promtool'

/** A daily plan that may run for two hours, one of weekdays, one by hand, a paused one, one that maintains; two drills. */
export function configured(): Workspace {
  const here = workspace()
  here.write('b.mjs', `export default { $type: 'holdfast.hook/v1', hook: 'backups', entry: () => {} }\n`)
  here.write('m.mjs', `export default { $type: 'holdfast.hook/v1', hook: 'maintain', entry: () => {} }\n`)
  here.write('check.mjs', 'export default async () => {}\n')
  here.write(
    'holdfast.yaml',
    `plans:
  daily: { schedule: { cron: '0 3 * * *', timeZone: UTC }, budget: 2h, use: [./b.mjs] }
  weekdays: { schedule: { cron: '0 3 * * 1-5', timeZone: UTC }, budget: 1h, use: [./b.mjs] }
  hourly: { schedule: { cron: '0 * * * *', timeZone: UTC }, use: [./b.mjs] }
  by-hand: { use: [./b.mjs] }
  paused: { schedule: { cron: '0 3 * * *', timeZone: UTC, paused: true }, use: [./b.mjs] }
  clean: { schedule: { cron: '0 4 * * *', timeZone: UTC }, use: [./m.mjs] }
drills:
  weekly: { plan: daily, budget: 1h, schedule: { cron: '0 5 * * 1', timeZone: UTC }, expect: ./check.mjs }
  seldom: { plan: daily, expect: ./check.mjs }
`,
  )
  return here
}

/** The rules that a configuration is given. */
export async function rulesOf(here: Workspace, ...options: readonly string[]): Promise<readonly Rule[]> {
  const { stdout, code, stderr } = await here.run(['generate', 'monitoring', ...options])
  expect(code, stderr).toBe(0)
  const made = parse(stdout) as { readonly groups?: unknown; readonly spec?: { readonly groups: unknown } }
  const groups = (made.groups ?? made.spec?.groups) as readonly { readonly rules: readonly Rule[] }[]
  return groups.flatMap(({ rules }) => rules)
}

/** Generates alerts, and has promtool say when they fire. */
export async function tryGeneratedAlerts(): Promise<void> {
  const here = configured()
  const rules = await rulesOf(here)
  here.write('rules.yaml', stringify({ groups: [{ name: 'holdfast', rules }] }))
  const fires = (alertname: string, eval_time: string, ...labels: readonly object[]): object => ({
    alertname,
    eval_time,
    exp_alerts: labels.map((each) => ({ exp_labels: { severity: 'critical', ...each } })),
  })
  const series = (name: string, labels: string, values: string): object => ({ series: `${name}{${labels}}`, values })
  const success = 'holdfast_run_last_success_timestamp_seconds'
  writeFileSync(
    here.at('tests.yaml'),
    stringify({
      rule_files: ['rules.yaml'],
      evaluation_interval: '1h',
      tests: [
        {
          interval: '1h',
          input_series: [
            series(success, 'namespace="n",plan="daily",pod="a"', '0x400'),
            // Another pod has had a success since.
            series(success, 'namespace="n",plan="hourly",pod="a"', '0x400'),
            series(success, 'namespace="n",plan="hourly",pod="b"', '0+3600x400'),
            // Somebody paused it by hand.
            series(success, 'namespace="n",plan="weekdays",pod="a"', '0x400'),
            series('holdfast_schedule_paused', 'namespace="n",plan="weekdays",pod="a"', '1x400'),
          ],
          alert_rule_test: [
            fires('BackupTooOld', '50h'),
            fires('BackupTooOld', '52h', { namespace: 'n', plan: 'daily' }),
            fires('BackupTooOld', '150h', { namespace: 'n', plan: 'daily' }),
            fires('BackupNeverSucceeded', '60h'),
            fires('RestoreDrillNeverSucceeded', '336h'),
            fires('RestoreDrillNeverSucceeded', '338h', { drill: 'weekly' }),
          ],
        },
        {
          // Nothing at all is there.
          interval: '1h',
          input_series: [],
          alert_rule_test: [
            fires('BackupNeverSucceeded', '2h'),
            fires('BackupNeverSucceeded', '4h', { plan: 'hourly' }),
            fires('BackupNeverSucceeded', '146h', { plan: 'hourly' }, { plan: 'daily' }, { plan: 'weekdays' }),
            fires('BackupTooOld', '146h'),
          ],
        },
        {
          // Nothing runs, and one alert says so for all plans. One that never succeeded was there before.
          interval: '1h',
          input_series: [
            series('up', 'job="holdfast",namespace="n"', '1x200 0x200'),
            series('holdfast_schedule_created_timestamp_seconds', 'namespace="n",plan="hourly"', '0x200 stale'),
            series('holdfast_schedule_created_timestamp_seconds', 'namespace="n",plan="daily"', '0x200 stale'),
            series(success, 'namespace="n",plan="daily"', '0+3600x200 stale'),
            series('holdfast_schedule_created_timestamp_seconds', 'namespace="n",plan="weekdays"', '0x200 stale'),
            series(success, 'namespace="n",plan="weekdays"', '0+3600x200 stale'),
          ],
          alert_rule_test: [
            fires('BackupNeverSucceeded', '199h', { plan: 'hourly' }),
            fires('BackupNeverSucceeded', '390h'),
            fires('BackupSidecarDown', '390h', { job: 'holdfast', namespace: 'n' }),
          ],
        },
      ],
    }),
  )
  // What they say is not what is tested here.
  const unsaid = rules.map(({ annotations: _, ...rule }) => rule)
  here.write('rules.yaml', stringify({ groups: [{ name: 'holdfast', rules: unsaid }] }))
  const run = (...args: readonly string[]): string =>
    execFileSync(promtool, args, { cwd: here.path, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  expect(run('check', 'rules', 'rules.yaml')).toContain(`SUCCESS: ${rules.length} rules found`)
  expect(run('test', 'rules', 'tests.yaml')).toContain('SUCCESS')
}
