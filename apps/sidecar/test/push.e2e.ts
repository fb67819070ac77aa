// What runs push, taken by a real Pushgateway: it refuses what is not valid, or does not go with what it has.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseExposition } from './support/exposition.ts'
import { ask, freePort } from './support/http.ts'
import { workspace } from './support/workspace.ts'

const program = '/usr/bin/prometheus-pushgateway'
let gateway: ChildProcess | undefined
let port: number

const page = async (): Promise<string> => (await ask({ port }, '/metrics')).body

beforeAll(async () => {
  if (!existsSync(program)) throw new Error('no Pushgateway here (Debian: apt install prometheus-pushgateway)')
  port = await freePort()
  const args = [`--web.listen-address=127.0.0.1:${port}`, '--log.level=error']
  gateway = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const end = Date.now() + 15_000
  while (!(await page().catch(() => ''))) {
    if (Date.now() > end) throw new Error('the Pushgateway does not answer')
    await sleep(50)
  }
})

afterAll(async () => {
  if (gateway?.exitCode !== null) return
  const ended = new Promise((resolve) => gateway?.once('exit', resolve))
  gateway.kill('SIGKILL')
  await ended
})

/** What the Pushgateway has of these plans and drills: name of the metric, and all its labels. */
async function pushed(name: string): Promise<readonly { readonly labels: object; readonly value: number }[]> {
  return parseExposition(ours(await page())).samples(name)
}

/** Its own metrics have types that ours have not. */
function ours(text: string): string {
  const families = text.split(/^(?=# HELP )/m).filter((family) => /^# HELP (?:holdfast|push)_/.test(family))
  return families.join('')
}

test('runs that succeed, fail, lose their state, drill, and plans that go: the Pushgateway takes it all, and forgets', async () => {
  const here = workspace()
  here.write('check.mjs', 'export default async () => {}\n')
  here.write('clean.mjs', `export default { $type: 'holdfast.hook/v1', hook: 'maintain', entry: () => {} }\n`)
  here.script('backups/10', `[ ! -e ${here.at('broken')} ] && printf x | save_artifact x`)
  const shop = `shop: { schedule: { cron: '0 3 * * *' }, use: [{ '@holdfast/plugin-scripts#scripts': { path: ${here.at('scripts')} } }] }`
  const head = `metrics: { pushgateway: '127.0.0.1:${port}' }\nstorage: 'file://${here.at('store')}'\n`
  here.write(
    'holdfast.yaml',
    `${head}plans:\n  ${shop}\n  clean: { use: [./clean.mjs] }\ndrills: { weekly: { plan: shop, expect: ./check.mjs } }\n`,
  )
  const run = async (code: number, ...args: readonly string[]): Promise<void> => {
    const result = await here.run(args)
    expect(result.code, result.stderr).toBe(code)
    expect(result.stderr).not.toContain('Pushgateway')
  }
  await run(0, 'run', 'shop')
  await run(0, 'run', 'clean')
  await run(0, 'drill', 'weekly')
  const success = 'holdfast_run_last_success_timestamp_seconds'
  const labels = { job: 'holdfast', holdfast_instance: 'default', instance: '' }
  const [good, ...more] = await pushed(success)
  expect(good).toMatchObject({ labels: { ...labels, plan: 'shop' } })
  expect(more).toEqual([])
  expect(await pushed('holdfast_restore_drill_last_success_timestamp_seconds')).toHaveLength(1)
  expect((await pushed('push_failure_time_seconds')).every(({ value }) => value === 0)).toBe(true)

  here.write('broken', '')
  rmSync(here.state, { recursive: true })
  await run(1, 'run', 'shop')
  // A new state directory knows of no success: what the Pushgateway says of it stays.
  expect(await pushed(success)).toEqual([good])
  expect(await pushed('holdfast_run_phase')).toContainEqual(
    expect.objectContaining({ labels: { ...labels, plan: 'shop', phase: 'failed' }, value: 1 }),
  )

  rmSync(here.at('broken'))
  await run(0, 'run', 'clean')
  here.write('holdfast.yaml', `${head}plans:\n  ${shop}\n`)
  const { code, stderr } = await here.run(['run', 'shop'])
  expect(code, stderr).toBe(0)
  expect(stderr).toMatch(/what the Pushgateway had of the plan .*clean.* is removed/)
  expect((await pushed('holdfast_plan_info')).map((sample) => sample.labels)).toEqual([
    // The drill's group was removed, too.
    { ...labels, plan: 'shop', kind: 'backup' },
  ])
})
