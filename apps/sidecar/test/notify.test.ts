// Whether people are told: by a command, by one run, by a daemon.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defineHook, defineNotifier, type Notification } from '@holdfast/sdk'
import { createTestRun } from '@holdfast/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import { watchStale } from '../src/daemon/stale-watch.ts'
import { startDaemon } from './support/daemon.ts'
import { workspace, type Workspace } from './support/workspace.ts'

const hourMs = 3_600_000
const anything: StandardSchemaV1 = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
}

interface Told {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

/** A service on this machine that is told things as JSON. */
async function service(
  status: () => number = () => 200,
): Promise<{ readonly url: string; readonly told: readonly Told[] }> {
  const told: Told[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const body = text.startsWith('{') ? (JSON.parse(text) as Told['body']) : { text }
      told.push({ path: request.url ?? '', body })
      response.statusCode = status()
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, told }
}

/** A plan of scripts, and those who are told of it. */
function shop(notify: string, more = ''): Workspace {
  const here = workspace()
  here.write(
    'holdfast.yaml',
    `notify:
${notify}
plans:
  shop:
    schedule: { cron: '0 3 * * *', timeZone: Europe/Berlin }
    use: ['@holdfast/plugin-scripts#scripts': { path: ${here.path}/scripts }]
${more}`,
  )
  return here
}

test('`notify test` tells everybody that it is a test, and says who was told', async () => {
  const well = await service()
  const ill = await service(() => 500)
  const here = shop(
    `  - webhook: { url: '${well.url}/hook' }
  - ping: { url: { env: PING }, path: '{name}' }
  - slack: { url: { env: SLACK } }
    name: on-call`,
    `    notify: [{ webhook: { url: '${ill.url}/canary' } }]
  mail:
    use: ['@holdfast/plugin-scripts#scripts': { path: /nowhere }]
`,
  )
  const env = { PING: `${well.url}/check`, SLACK: `${ill.url}/canary-key` }
  const { code, stdout } = await here.run(['notify', 'test'], { env })
  expect(code).toBe(1)
  expect(stdout.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')).toBe(
    `✗ webhook (plan "shop"): HOST could not be told: it answered 500
  It is tried again. Look at the network, or at the service.
✓ webhook: told
✓ ping: told
✗ on-call (slack): HOST could not be told: it answered 500
  It is tried again. Look at the network, or at the service.
`,
  )
  expect(well.told.map(({ path }) => path).toSorted()).toEqual(['/check/mail/log', '/hook'])
  expect(well.told.find(({ path }) => path === '/hook')?.body).toMatchObject({
    kind: 'test',
    plan: 'mail',
    subject: 'Holdfast: this is a test, nothing has happened',
  })
  expect(ill.told.filter(({ path }) => path === '/canary-key')).toHaveLength(1)
  const one = await here.run(['notify', 'test', 'ping', '--json'], { env })
  expect(one.code).toBe(0)
  expect(JSON.parse(one.stdout)).toEqual([{ notifier: 'ping', kind: 'ping', plan: 'mail', ok: true }])
})

test('`notify test` without anybody to tell, or of somebody who is not there, is a mistake', async () => {
  const here = shop('  []')
  const nobody = await here.run(['notify', 'test'])
  expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('nobody is told anything by')])
  const other = await shop(`  - slack: { url: { env: SLACK } }`).run(['notify', 'test', 'slak'])
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('there is no notifier "slak"')])
})

test('`holdfast run` ends when everybody is told, and its exit code is that of the run', async () => {
  const { url, told } = await service()
  const here = shop(`  - webhook: { url: '${url}' }`)
  here.script('backups/10-dump', 'echo no space left >&2; exit 3')
  expect((await here.run(['run', 'shop'])).code).toBe(1)
  expect(told).toMatchObject([{ body: { kind: 'failure', plan: 'shop', code: 'SCRIPT_FAILED' } }])
  expect(JSON.stringify(told)).not.toContain('no space left')
  here.script('backups/10-dump', 'true')
  expect((await here.run(['run', 'shop'])).code).toBe(0)
  expect(told.slice(1)).toMatchObject([{ body: { kind: 'recovery', plan: 'shop' } }])
  // What is only looked at is no news.
  here.script('backups/10-dump', 'exit 3')
  await here.run(['run', 'shop', '--dry-run'])
  expect(told).toHaveLength(2)
})

test('a service that is away is a warning of the run: in its log and its history, not in its exit code', async () => {
  const { url } = await service(() => 404)
  const here = shop(`  - webhook: { url: '${url}/canary' }\n    on: [success]`)
  here.script('backups/10-dump', 'true')
  const { code, stderr } = await here.run(['run', 'shop'])
  expect(code).toBe(0)
  expect(stderr).toContain('"webhook\\" could not be told that plan \\"shop\\" succeeded')
  const [{ id = '' } = {}] = JSON.parse((await here.run(['history', '--json'])).stdout) as { readonly id?: string }[]
  const { stdout } = await here.run(['history', id])
  expect(stdout).toContain('NOTIFY_FAILED')
  expect(stdout + stderr).not.toContain('canary')
})

test('a daemon looks for what has not succeeded for too long', async () => {
  const { url, told } = await service()
  const here = shop(`  - webhook: { url: '${url}' }\n    on: [stale]`)
  here.script('backups/10-dump', 'true')
  const { clock, logged } = startDaemon(here)
  await logged('"msg":"ready"')
  // As if the machine had slept.
  clock.jump(48 * hourMs + 600_000)
  await clock.advance('61s')
  await vi.waitFor(() => expect(told).toHaveLength(1), { timeout: 10_000 })
  expect(told[0]?.body).toMatchObject({ kind: 'stale', subject: 'plan "shop" has never succeeded' })
})

/** A plan of every day, and what of it is told by whoever looks every minute. */
async function watched(options: Partial<Parameters<typeof watchStale>[0]> = {}) {
  const told: Notification[] = []
  const make = defineNotifier({ name: 'x', config: anything, send: (each) => void told.push(each) })
  const run = await createTestRun({
    use: [defineHook('backups', () => {})],
    plan: { schedule: { cron: '0 3 * * *', timeZone: 'UTC' } },
    config: { notify: [make({})] },
  })
  const stop = watchStale({ engine: run.engine, clock: run.clock, isPaused: () => false, ...options })
  onTestFinished(async () => {
    stop()
    await run.close()
  })
  return { run, told: () => told.map(({ kind, since }) => [kind, since?.toISOString()]) }
}

test('stale is what has not succeeded for twice the time between two slots, and ten minutes; it is said once', async () => {
  const { run, told } = await watched()
  await run.clock.advance('1h')
  await run.run()
  for (let hour = 0; hour < 48; hour += 1) await run.clock.advance('1h')
  expect(told()).toEqual([])
  await run.clock.advance('12m')
  expect(told()).toEqual([['stale', '2026-01-01T01:00:00.000Z']])
  for (let hour = 0; hour < 72; hour += 1) await run.clock.advance('1h')
  expect(told()).toHaveLength(1)
  await run.run()
  await run.engine.notifications.close()
  expect(told()[1]).toEqual(['recovery', '2026-01-03T01:10:00.000Z'])
})

test('a plan that is paused by hand is not stale, nor is one that another pod ran until a moment ago', async () => {
  const paused = await watched({ isPaused: () => true })
  const inherited = await watched({ from: new Date('2026-01-03T00:00:00Z') })
  for (let hour = 0; hour < 72; hour += 1) {
    await paused.run.clock.advance('1h')
    await inherited.run.clock.advance('1h')
  }
  expect([paused.told(), inherited.told()]).toEqual([[], []])
  for (let hour = 0; hour < 48; hour += 1) await inherited.run.clock.advance('1h')
  expect(inherited.told()).toEqual([['stale', undefined]])
})
