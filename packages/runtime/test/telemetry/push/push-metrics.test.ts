import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunStatus, SecretRef } from '@holdfast/sdk'
import { testClock, type TestClock } from '@holdfast/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createSecrets } from '../../../src/secrets.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { createRedactor } from '../../../src/telemetry/redaction.ts'
import { pushMetrics, type MetricsPush, type PushMetricsOptions } from '../../../src/telemetry/push/push-metrics.ts'
import { parseGateway, shownGateway } from '../../../src/telemetry/push/gateway-address.ts'
import { startGateway, type Received } from './gateway.ts'

type Config = ReturnType<PushMetricsOptions['config']>

interface World {
  readonly push: MetricsPush
  readonly metrics: ReturnType<typeof createMetrics>
  readonly warnings: string[]
  readonly clock: TestClock
  /** A run that ended. */
  ended(of: { readonly plan: string; readonly drill?: string; readonly dryRun?: boolean }, status?: RunStatus): void
  failures(): Promise<string | undefined>
}

/** What references lead to. */
const env: NodeJS.ProcessEnv = {}

const plan = (name: string, maintenance = false) => ({ name, maintenance })
const shopOnly = { instance: 'east', plans: [plan('shop')], drills: [] }

function world(
  gateway: string | SecretRef | undefined,
  config: () => unknown = () => shopOnly,
  stateDirectory = scratch(),
): World {
  const metrics = createMetrics()
  const clock = testClock()
  const redactor = createRedactor()
  const warnings: string[] = []
  const log = { warn: (text: string) => void warnings.push(redactor.text(text)), info: () => {} }
  let configured: { readonly from: unknown; readonly config: Config } | undefined
  const push = pushMetrics({
    metrics,
    // The same object as long as nothing changes.
    config() {
      const from = config()
      if (configured === undefined || configured.from !== from) {
        configured = { from, config: { ...(from as Config), pushgateway: gateway } }
      }
      return configured.config
    },
    namespace: 'backup',
    stateDirectory,
    secrets: createSecrets({ redactor, env }),
    redactor,
    clock,
    log,
  })
  return {
    push,
    metrics,
    warnings,
    clock,
    ended({ plan: of, drill, dryRun = false }, status = 'succeeded') {
      const run = {
        id: 'r',
        plan: of,
        drill,
        attempt: 1,
        scheduledFor: clock.now(),
        trigger: 'manual',
        dryRun,
      } as const
      const outcome = { status, targets: [], warnings: [] }
      push.listen({ type: 'run-ended', run, status, durationMs: 5, outcome })
    },
    failures: async () => /^holdfast_push_failures_total\{sink="pushgateway"\} (\d+)$/m.exec(await metrics.text())?.[1],
  }
}

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'push-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const success = 'holdfast_run_last_success_timestamp_seconds'

test('a run that ended replaces the group of its plan: its own series, and those of nobody', async () => {
  const { address, received } = await startGateway()
  const { push, metrics, ended, warnings } = world(address)
  metrics.gauge(success, 'S', ['plan']).set(7, { plan: 'shop' })
  metrics.gauge(success, 'S', ['plan']).set(8, { plan: 'other' })
  metrics.gauge('holdfast_restore_drill_last_success_timestamp_seconds', 'S', ['drill']).set(8, { drill: 'd' })
  metrics.counter('holdfast_undo_failures_total', 'U', ['kind']).add(0, { kind: 'thaw' })
  ended({ plan: 'shop' })
  await push.settle()
  expect(received).toEqual([
    {
      method: 'PUT',
      path: '/metrics/job/holdfast/namespace/backup/holdfast_instance/east/plan/shop',
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: expect.stringContaining(`${success}{plan="shop"} 7\n`) as string,
    },
  ])
  const body = received[0]?.body ?? ''
  expect(body).toContain('holdfast_undo_failures_total{kind="thaw"} 0\n')
  expect(body).not.toMatch(/other|drill/)
  expect(warnings).toEqual([])
})

test('a drill has a group of its own; dry runs are not pushed, and nothing is without an address', async () => {
  const { address, received } = await startGateway()
  const drilled = world(address, () => ({ ...shopOnly, drills: [{ name: 'weekly' }] }))
  drilled.ended({ plan: 'shop', drill: 'weekly' })
  drilled.ended({ plan: 'shop', dryRun: true })
  await drilled.push.settle()
  expect(received.map(({ path }) => path)).toEqual([
    '/metrics/job/holdfast/namespace/backup/holdfast_instance/east/drill/weekly',
  ])
  const none = world(undefined)
  none.ended({ plan: 'shop' })
  await none.push.settle()
  expect(received).toHaveLength(1)
  expect(await none.failures()).toBeUndefined()
})

test('who does not know of the last success leaves what the group says of it; a maintenance plan has none', async () => {
  const { address, received } = await startGateway()
  const plans = [plan('shop'), plan('cleanup', true)]
  const { push, metrics, ended } = world(address, () => ({ instance: 'east', plans, drills: [] }))
  metrics.counter('holdfast_runs_total', 'R', ['plan', 'result']).add(1, { plan: 'shop', result: 'failed' })
  ended({ plan: 'shop' }, 'failed')
  ended({ plan: 'cleanup' })
  await push.settle()
  expect(received.map(({ method }) => method)).toEqual(['POST', 'PUT'])
})

test('odd names are parts of the path, whatever is in them', async () => {
  const { address, received } = await startGateway()
  const names = ['a b', 'a/b', '..', '', 'é"\n']
  const plans = names.map((name) => plan(name))
  const { push, ended } = world(`http://${address}/prefix/`, () => ({ ...shopOnly, plans }))
  for (const name of names) ended({ plan: name })
  await push.settle()
  const prefix = '/prefix/metrics/job/holdfast/namespace/backup/holdfast_instance/east/'
  expect(received.map(({ path }) => path?.replace(prefix, ''))).toEqual([
    'plan/a%20b',
    'plan@base64/YS9i',
    'plan@base64/Li4',
    'plan@base64/=',
    'plan/%C3%A9%22%0A',
  ])
})

test('runs that end while one is pushed are pushed once more, not each', async () => {
  let answer = (): void => {}
  const { address, received } = await startGateway((response) => {
    answer = () => void response.writeHead(202).end()
    if (received.length > 1) answer()
  })
  const { push, ended } = world(address)
  ended({ plan: 'shop' })
  await vi.waitFor(() => expect(received).toHaveLength(1), { interval: 2 })
  for (let again = 0; again < 5; again++) ended({ plan: 'shop' })
  answer()
  await push.settle()
  expect(received).toHaveLength(2)
})

test('fault F51: a Pushgateway that says no is a warning and a count, and nothing else', async () => {
  const { address } = await startGateway((response) => void response.writeHead(400).end('inconsistent\nmetrics'))
  const { push, ended, warnings, failures } = world(address)
  expect(await failures()).toBe('0')
  ended({ plan: 'shop' })
  await push.settle()
  expect(warnings).toEqual([
    `metrics did not get to the Pushgateway http://${address}: it answered 400: inconsistent metrics`,
  ])
  expect(await failures()).toBe('1')
})

test('fault F51: a Pushgateway that is not there is a warning that does not have its password', async () => {
  const { push, ended, warnings, failures } = world('http://me:opensesame@127.0.0.1:1')
  ended({ plan: 'shop' })
  await push.settle()
  expect(warnings).toEqual([expect.stringMatching(/^metrics did not get to the Pushgateway http:\/\/127\.0\.0\.1:1: /)])
  expect(await failures()).toBe('1')
})

test('an address that is a secret is opened at each push, so that a rotated password works', async () => {
  const { address, received } = await startGateway()
  const { push, ended, warnings } = world({ env: 'GATEWAY' })
  for (const password of ['open%20sesame', 'rotated']) {
    env['GATEWAY'] = `http://me:${password}@${address}/push`
    ended({ plan: 'shop' })
    await push.settle()
  }
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  expect(received.map(({ authorization }) => authorization)).toEqual([basic('me:open sesame'), basic('me:rotated')])
  expect(received[0]?.path).toMatch(/^\/push\/metrics\/job\/holdfast\//)
  expect(warnings).toEqual([])
})

test('fault F51: a Pushgateway that says no, and repeats what it was sent, is a warning without any of the password', async () => {
  const { address } = await startGateway((response, { authorization = '' }) => {
    const sent = Buffer.from(authorization.slice(6), 'base64').toString()
    response.writeHead(401).end(`not ${authorization}, which is ${sent}, with open sesame`)
  })
  env['GATEWAY'] = `http://me:open%20sesame@${address}`
  const { push, ended, warnings, failures } = world({ env: 'GATEWAY' })
  ended({ plan: 'shop' })
  await push.settle()
  expect(warnings).toEqual([
    `metrics did not get to the Pushgateway http://${address}: it answered 401: not Basic [redacted], which is [redacted], with [redacted]`,
  ])
  expect(await failures()).toBe('1')
})

test.for([
  ['is not there', undefined, 'the secret in the variable GATEWAY is not there'],
  ['is no address', 'ftp://opensesame', 'what is there is not a URL such as http://pushgateway:9091, or host:port'],
] as const)('fault F51: an address that %s is a warning and a count, and nothing else', async ([, value, reason]) => {
  delete env['GATEWAY']
  if (value !== undefined) env['GATEWAY'] = value
  const { push, ended, warnings, failures } = world({ env: 'GATEWAY' })
  ended({ plan: 'shop' })
  await push.settle()
  expect(warnings).toEqual([`metrics did not get to the Pushgateway of the variable GATEWAY: ${reason}`])
  expect(await failures()).toBe('1')
})

test.for([
  ['never answers', () => {}],
  ['never ends its answer', (response: { write(text: string): void }) => response.write('x')],
] as const)('fault F51: a Pushgateway that %s is given up after 4 s', async ([, answer]) => {
  const { address, received } = await startGateway(answer)
  const { push, ended, warnings, clock } = world(address)
  ended({ plan: 'shop' })
  await vi.waitFor(() => expect(received).toHaveLength(1), { interval: 2 })
  await clock.advance('4s')
  await push.settle()
  expect(warnings).toEqual([`metrics did not get to the Pushgateway http://${address}: no answer within 4s`])
})

const removed = (received: readonly Received[]): readonly (string | undefined)[] =>
  received.filter(({ method }) => method === 'DELETE').map(({ path }) => path)

test('the group of a plan or a drill that is gone is removed, by whoever has pushed it and by nobody else', async () => {
  const { address, received } = await startGateway()
  let config: unknown = { instance: 'east', plans: [plan('shop'), plan('old')], drills: [{ name: 'weekly' }] }
  const runOnce = async ({ push, ended }: World, of: Parameters<World['ended']>[0] = { plan: 'shop' }) => {
    ended(of)
    await push.settle()
  }
  const state = scratch()
  const first = world(address, () => config, state)
  await runOnce(first)
  await runOnce(first, { plan: 'old' })
  await runOnce(first, { plan: 'old', drill: 'weekly' })
  expect(removed(received)).toEqual([])

  config = shopOnly
  // Another installation of the same name, with a state directory of its own, has not pushed these.
  await runOnce(world(address, () => config))
  expect(removed(received)).toEqual([])

  // A later process.
  const next = world(address, () => config, state)
  await runOnce(next)
  await runOnce(next)
  const prefix = '/metrics/job/holdfast/namespace/backup/holdfast_instance/east'
  expect(new Set(removed(received))).toEqual(new Set([`${prefix}/drill/weekly`, `${prefix}/plan/old`]))
  expect(removed(received)).toHaveLength(2)

  config = { ...shopOnly, instance: 'west' }
  await runOnce(next)
  expect(removed(received).slice(2)).toEqual([`${prefix}/plan/shop`])
})

test('a group that could not be removed is tried again after the next run', async () => {
  let isBroken = true
  const { address, received } = await startGateway((response) => {
    const isRemoval = received.at(-1)?.method === 'DELETE'
    response.writeHead(isRemoval && isBroken ? 500 : 202).end()
  })
  let config: unknown = { instance: 'east', plans: [plan('old')], drills: [] }
  const { push, ended } = world(address, () => config)
  ended({ plan: 'old' })
  await push.settle()
  config = shopOnly
  for (let again = 0; again < 3; again++) {
    ended({ plan: 'shop' })
    await push.settle()
    isBroken = false
  }
  expect(removed(received)).toHaveLength(2)
})

test.for([
  ['gateway:9091', 'http://gateway:9091'],
  ['http://gateway:9091/', 'http://gateway:9091'],
  ['https://user:secret@gateway/push/', 'https://gateway/push'],
  ['[::1]:9091', 'http://[::1]:9091'],
  ['ftp://gateway', undefined],
  ['http://', undefined],
  ['', undefined],
  ['http://gateway/?job=x', undefined],
] as const)('the address %s is %s', ([address, shown]) => {
  const url = parseGateway(address)
  expect(url && shownGateway(url)).toBe(shown)
})
