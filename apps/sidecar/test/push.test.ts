import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rmSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { parseExposition, type Exposition } from './support/exposition.ts'
import { workspace, type Workspace } from './support/workspace.ts'

interface Pushed {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly body: string
}

/** A Pushgateway that answers so. */
async function gateway(status = 202): Promise<{ readonly port: number; readonly pushed: Pushed[] }> {
  const pushed: Pushed[] = []
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      pushed.push({ method: request.method, path: request.url, body })
      return response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, pushed }
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** A plan of scripts, one that maintains, and a drill. */
function configured(port: number): Workspace {
  const here = workspace()
  here.write('check.mjs', 'export default async () => {}\n')
  here.write('clean.mjs', `export default { $type: 'holdfast.hook/v1', hook: 'maintain', entry: () => {} }\n`)
  here.write(
    'holdfast.yaml',
    `metrics: { pushgateway: 'http://127.0.0.1:${port}' }
plans:
  shop:
    schedule: { cron: '0 3 * * *', timeZone: UTC }
    use: [{ '@holdfast/plugin-scripts#scripts': { path: ${here.at('scripts')} } }]
  clean:
    schedule: { cron: '0 4 * * *', timeZone: UTC }
    use: [./clean.mjs]
drills:
  weekly: { plan: shop, schedule: { cron: '0 5 * * 1', timeZone: UTC }, expect: ./check.mjs }
`,
  )
  here.script('backups/10', 'printf x | save_artifact x')
  return here
}

const pageOf = (pushed: Pushed | undefined): Exposition => parseExposition(pushed?.body ?? '')

test('holdfast run pushes once, what the alerts need of its plan and nothing of the others', async () => {
  const { port, pushed } = await gateway()
  const here = configured(port)
  expect((await here.run(['run', 'shop'])).code).toBe(0)
  expect(pushed).toHaveLength(1)
  expect(pushed[0]).toMatchObject({ method: 'PUT', path: '/metrics/job/holdfast/holdfast_instance/default/plan/shop' })
  const page = pageOf(pushed[0])
  expect(page.value('holdfast_runs_total', { plan: 'shop', result: 'succeeded' })).toBeGreaterThan(0)
  expect(page.value('holdfast_run_phase', { plan: 'shop', phase: 'succeeded' })).toBe(1)
  expect(page.value('holdfast_schedule_expected_interval_seconds', { plan: 'shop' })).toBe(86_400)
  for (const name of [
    'holdfast_run_last_success_timestamp_seconds',
    'holdfast_run_last_completion_timestamp_seconds',
    'holdfast_schedule_created_timestamp_seconds',
  ]) {
    expect(page.value(name, { plan: 'shop' }), name).toBeGreaterThan(1.7e9)
  }
  // It would stay for ever.
  expect(page.samples('holdfast_run_deadline_timestamp_seconds')).toEqual([])
  expect(page.value('holdfast_push_failures_total', { sink: 'pushgateway' })).toBe(0)
  expect(pushed[0]?.body).not.toMatch(/plan="clean"|drill=/)

  expect((await here.run(['run', 'clean'])).code).toBe(0)
  expect(pushed[1]?.path).toMatch(/\/plan\/clean$/)
  const cleaned = pageOf(pushed[1])
  // Alerts of age leave it alone.
  for (const name of ['run_last_success_timestamp_seconds', 'schedule_expected_interval_seconds']) {
    expect(cleaned.samples(`holdfast_${name}`), name).toEqual([])
  }

  expect((await here.run(['drill', 'weekly'])).code).toBe(0)
  expect(pushed[2]?.path).toMatch(/\/drill\/weekly$/)
  const drill = pageOf(pushed[2])
  expect(drill.value('holdfast_restore_drill_phase', { drill: 'weekly', phase: 'succeeded' })).toBe(1)
  expect(drill.value('holdfast_restore_drill_schedule_expected_interval_seconds', { drill: 'weekly' })).toBe(7 * 86_400)
  expect((await here.run(['run', 'shop', '--dry-run'])).code).toBe(0)
  expect(pushed).toHaveLength(3)
})

test('a run that fails says so, and does not take the last success away, with or without its state', async () => {
  const { port, pushed } = await gateway()
  const here = configured(port)
  here.script('backups/10', `[ ! -e ${here.at('broken')} ] && printf x | save_artifact x`)
  const run = () => here.run(['run', 'shop'])
  expect((await run()).code).toBe(0)
  here.write('broken', '')
  expect((await run()).code).toBe(1)
  const [good, bad] = pushed.map(pageOf)
  const name = 'holdfast_run_last_success_timestamp_seconds'
  // The journal writes it a moment after the run has said it.
  expect(bad?.value(name, { plan: 'shop' })).toBeCloseTo(good?.value(name, { plan: 'shop' }) ?? 0, 0)
  expect(bad?.value('holdfast_run_phase', { plan: 'shop', phase: 'failed' })).toBe(1)
  // As in a pod that has a new state directory each time.
  rmSync(here.state, { recursive: true })
  expect((await run()).code).toBe(1)
  expect(pushed.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'POST'])
  expect(pageOf(pushed[2]).samples(name)).toEqual([])
})

test('the group of a plan that is no longer configured is removed by the next run', async () => {
  const { port, pushed } = await gateway()
  const here = configured(port)
  expect((await here.run(['run', 'clean'])).code).toBe(0)
  const rest = configured(port)
  here.write(
    'holdfast.yaml',
    `metrics: { pushgateway: 'http://127.0.0.1:${port}' }
plans: { shop: { use: [{ '@holdfast/plugin-scripts#scripts': { path: ${rest.at('scripts')} } }] } }\n`,
  )
  expect((await here.run(['run', 'shop'])).code).toBe(0)
  expect(pushed.map(({ method, path = '' }) => `${method} ${path.split('/').at(-1)}`)).toEqual([
    'PUT clean',
    'PUT shop',
    'DELETE clean',
  ])
})

test.for([
  ['says no', async () => (await gateway(500)).port],
  ['is not there', () => Promise.resolve(1)],
] as const)('fault F51: a Pushgateway that %s changes nothing about the run', async ([, port]) => {
  const here = configured(await port())
  const { code, stderr } = await here.run(['run', 'shop'])
  expect(code).toBe(0)
  expect(stderr).toContain('metrics did not get to the Pushgateway http://127.0.0.1:')
  expect((await here.run(['list'])).stdout).toContain('shop')
})
