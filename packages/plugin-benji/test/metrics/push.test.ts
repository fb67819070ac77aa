import { HoldfastError } from '@holdfast/sdk'
import { testClock } from '@holdfast/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { commandLabel, type CompatBackup } from '../../src/metrics/groups.ts'
import { pushCompatMetrics, removeCompatMetrics } from '../../src/metrics/push.ts'
import { startGateway, pushContext } from './gateway.ts'

const backup: CompatBackup = {
  kind: 'backup',
  volume: 'shop/data-0',
  claim: { namespace: 'shop', name: 'data-0' },
  startedAt: new Date('2026-01-01T00:00:00.250Z'),
  endedAt: new Date('2026-01-01T00:01:00.750Z'),
  succeeded: true,
}

afterEach(() => vi.unstubAllEnvs())

test('K26, B11: a backup is one group of its claim, replaced as a whole, with both statuses', async () => {
  const { address, received } = await startGateway()
  const { ctx, warnings } = pushContext({ gateway: address })
  await pushCompatMetrics(ctx, backup)
  await pushCompatMetrics(ctx, { ...backup, succeeded: false })
  expect(warnings).toEqual([])
  expect(received[0]).toMatchObject({
    method: 'PUT',
    url: '/metrics/job/benji-east/pvc_name/data-0/pvc_namespace/shop',
    type: 'text/plain; version=0.0.4; charset=utf-8',
  })
  const series = (at: number): string | undefined => received[at]?.body.replaceAll(/^#.*\n/gm, '')
  expect(series(0)).toBe(
    `benji_backup_start_time{volume="shop/data-0"} 1767225600.25
benji_backup_completion_time{volume="shop/data-0"} 1767225660.75
benji_backup_runtime_seconds{volume="shop/data-0"} 60.5
benji_backup_status_succeeded{volume="shop/data-0"} 1
benji_backup_status_failed{volume="shop/data-0"} 0
`,
  )
  expect(series(1)).toContain('status_succeeded{volume="shop/data-0"} 0\n')
  expect(series(1)).toContain('status_failed{volume="shop/data-0"} 1\n')
  expect(received[0]?.body).toMatch(/^# HELP benji_backup_start_time \S.*\n# TYPE benji_backup_start_time gauge\n/)
})

test('K27, B11: a group has the series of its own volume only', async () => {
  const { address, received } = await startGateway()
  const { ctx } = pushContext({ gateway: address })
  await pushCompatMetrics(ctx, backup)
  await pushCompatMetrics(ctx, { ...backup, volume: 'web/b', claim: { namespace: 'web', name: 'b' } })
  expect(received[1]?.body).not.toContain('shop/data-0')
})

test.for([
  ['cleanup', '/metrics/job/benji-east/command/cleanup'],
  // K28: a blank stays a blank.
  ['enforce latest3', '/metrics/job/benji-east/command/enforce%20latest3'],
  ['batch-scrub x/y', `/metrics/job/benji-east/command@base64/${Buffer.from('batch-scrub x/y').toString('base64url')}`],
  ['', '/metrics/job/benji-east/command@base64/='],
  ['..', '/metrics/job/benji-east/command@base64/Li4'],
  ['größe? #1', '/metrics/job/benji-east/command/gr%C3%B6%C3%9Fe%3F%20%231'],
] as const)('the group of the command %j is %s', async ([command, url]) => {
  const { address, received } = await startGateway()
  const { ctx } = pushContext({ gateway: address })
  const { startedAt, endedAt } = backup
  await pushCompatMetrics(ctx, { kind: 'command', command, startedAt, endedAt, succeeded: true })
  expect(received.map((each) => each.url)).toEqual([url])
  expect(received[0]?.body).toContain(`benji_command_status_succeeded{command="${command}"} 1\n`)
})

test('values are escaped in labels; an image without a claim is a group of its own', async () => {
  const { address, received } = await startGateway()
  const { ctx } = pushContext({ gateway: address })
  await pushCompatMetrics(ctx, { ...backup, claim: undefined, volume: 'pool/a"b\\c\n' })
  expect(received[0]?.url).toBe(
    `/metrics/job/benji-east/volume@base64/${Buffer.from('pool/a"b\\c\n').toString('base64url')}`,
  )
  expect(received[0]?.body).toContain(String.raw`benji_backup_status_failed{volume="pool/a\"b\\c\n"} 0`)
})

test('what versions-status found belongs to the job alone; where it is not known any more, it is removed (K30)', async () => {
  const { address, received } = await startGateway()
  const { ctx } = pushContext({ gateway: address })
  await pushCompatMetrics(ctx, { kind: 'versions', invalid: 2, olderIncomplete: 0 })
  await removeCompatMetrics(ctx, { kind: 'versions' })
  expect(received).toMatchObject([
    { method: 'PUT', url: '/metrics/job/benji-east' },
    { method: 'DELETE', url: '/metrics/job/benji-east', body: '' },
  ])
  expect(received[0]?.body).toContain('\nbenji_invalid_versions 2\n')
  expect(received[0]?.body).toContain('\nbenji_older_incomplete_versions 0\n')
})

test('K28: a command that names versions is labelled by its name alone', () => {
  expect(commandLabel(['rm', '--force', 'shop-data-0-abc123'])).toBe('rm')
  expect(commandLabel(['enforce', 'latest3', 'volume == "a/b"'])).toBe('enforce latest3 volume == "a/b"')
  expect(commandLabel(['enforce', 'latest3', ''])).toBe('enforce latest3')
  expect(commandLabel([])).toBe('')
})

test('a URL may have a path and a password, which no message shows', async () => {
  const { address, received } = await startGateway((_, response) => void response.writeHead(403).end('not you\n'))
  const { ctx, warnings } = pushContext({ gateway: `http://me:hunter2@${address}/push/` })
  await pushCompatMetrics(ctx, { kind: 'versions', invalid: 0, olderIncomplete: 0 })
  expect(received[0]).toMatchObject({
    url: '/push/metrics/job/benji-east',
    authorization: `Basic ${Buffer.from('me:hunter2').toString('base64')}`,
  })
  expect(warnings).toEqual([`metrics did not get to the Pushgateway http://${address}/push: it answered 403: not you`])
})

test('PROM_PUSH_GATEWAY: a missing host is this machine; unset or empty is no push', async () => {
  const { port, received } = await startGateway()
  const versions = { kind: 'versions', invalid: 0, olderIncomplete: 0 } as const
  vi.stubEnv('PROM_PUSH_GATEWAY', `:${port}`)
  await pushCompatMetrics(pushContext(true).ctx, versions)
  expect(received).toHaveLength(1)
  // Not asked for.
  await pushCompatMetrics(pushContext(false).ctx, versions)
  await pushCompatMetrics(pushContext(undefined).ctx, versions)
  for (const value of ['', ' ', undefined]) {
    vi.stubEnv('PROM_PUSH_GATEWAY', value)
    const { ctx, failures } = pushContext(true)
    await pushCompatMetrics(ctx, versions)
    expect(failures()).toBe(0)
  }
  expect(received).toHaveLength(1)
})

test.for([
  ['a refusal', '400', /answered 400: text format parsing error/],
  ['a redirect', '302', /answered 302/],
  ['a connection that breaks', 'break', /socket hang up|ECONNRESET/],
] as const)('K28: %s is a warning and is counted, and nothing else', async ([, how, message]) => {
  const { address } = await startGateway((request, response) => {
    if (how === 'break') request.socket.destroy()
    else response.writeHead(Number(how)).end(how === '400' ? 'text format parsing error\n' : '')
  })
  const { ctx, warnings, failures } = pushContext({ gateway: address })
  await pushCompatMetrics(ctx, backup)
  expect(warnings).toEqual([expect.stringMatching(message)])
  expect(failures()).toBe(1)
})

test.for(['ftp://here:21', 'http://', 'here:99999', 'a b:1', 'here:9091/?x=1'])(
  'K28: %j is no address: a warning, counted, at every push',
  async (address) => {
    const { ctx, warnings, failures } = pushContext({ gateway: address })
    await pushCompatMetrics(ctx, backup)
    await pushCompatMetrics(ctx, backup)
    expect(warnings[0]).toBe(`"${address}" is no address of a Pushgateway`)
    expect(failures()).toBe(2)
  },
)

test('K28: a Pushgateway where nothing listens, by a name with several addresses', async () => {
  const { ctx, warnings, failures } = pushContext({ gateway: 'localhost:1' })
  await pushCompatMetrics(ctx, backup)
  expect(warnings).toEqual([expect.stringMatching(/^metrics did not get to .*localhost:1: .*ECONNREFUSED/)])
  expect(failures()).toBe(1)
})

test('K28: a Pushgateway that never answers is given up after 30 s', async () => {
  const { address, received } = await startGateway(() => {})
  const clock = testClock()
  const { ctx, warnings, failures } = pushContext({ gateway: address }, clock)
  const pushed = pushCompatMetrics(ctx, backup)
  await vi.waitFor(() => expect(received).toHaveLength(1))
  await clock.advance('29s')
  expect(warnings).toEqual([])
  await clock.advance('1s')
  await pushed
  expect(warnings).toEqual([`metrics did not get to the Pushgateway http://${address}: no answer within 30s`])
  expect(failures()).toBe(1)
  expect(clock.pending).toBe(0)
})

test('a push ends with its run', async () => {
  const { address, received } = await startGateway(() => {})
  const clock = testClock()
  const { ctx, warnings, stop } = pushContext({ gateway: address }, clock)
  const pushed = pushCompatMetrics(ctx, backup)
  await vi.waitFor(() => expect(received).toHaveLength(1))
  stop.abort(new HoldfastError({ code: 'RUN_ABORTED', message: 'stopped' }))
  await pushed
  expect(warnings).toEqual([expect.stringContaining('the run was stopped')])
  expect(clock.pending).toBe(0)
})
