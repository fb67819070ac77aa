// Whether alerts fire when they should, and only then, as promtool sees it. Other tests of it are skipped where there is none;
// here the kit has brought it along.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { generalAlerts } from '../src/generate/alerts/general-alerts.ts'
import { promtool, tryGeneratedAlerts } from './support/alerts.ts'

if (!existsSync(promtool)) throw new Error('no promtool here (Debian: apt install prometheus)')

test('generated alerts fire when they should, and only then', tryGeneratedAlerts)

test('the alerts for any configuration fire when they should, and only then', () => {
  const folder = mkdtempSync(join(tmpdir(), 'alerts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const charts = join(import.meta.dirname, '../../../charts')
  copyFileSync(join(charts, 'holdfast/files/alerts.yaml'), join(folder, 'alerts.yaml'))
  copyFileSync(join(charts, 'test/alerts.test.yaml'), join(folder, 'alerts.test.yaml'))
  const run = (...args: readonly string[]): string => execFileSync(promtool, args, { cwd: folder, encoding: 'utf8' })
  expect(run('check', 'rules', 'alerts.yaml')).toContain(`SUCCESS: ${generalAlerts.length} rules found`)
  expect(run('test', 'rules', 'alerts.test.yaml')).toContain('SUCCESS')
})
