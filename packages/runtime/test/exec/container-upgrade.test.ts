import { describe, expect, it } from 'vitest'
import { advanceUntil, testClock } from '@holdfast/testing'
import { makeCertificate } from '../kubernetes/certificate.ts'
import { db, setUp } from './container-support.ts'
import { failureOf, until } from './support.ts'

const command = ['echo', 'x'] as const
const dialing = 'error dialing backend: dial tcp 10.0.0.7:10250: connect: connection refused'

describe('fault F28: the upgrade is refused', () => {
  it.each([429, 500, 502, 503, 504])('HTTP %i is tried again: nothing was run', async (status) => {
    const { exec, server } = await setUp()
    server.misbehaveExec({ times: 2 }, { kind: 'refused', status })
    expect((await exec.container(db, { command, stdin: 'whole' })).stdout).toBe('x\n')
    expect(server.execs).toHaveLength(1)
  })

  it('Retry-After is heeded, within the time for the handshake', async () => {
    const clock = testClock()
    const { exec, server } = await setUp({ clock })
    server.misbehaveExec({ times: 1 }, { kind: 'refused', status: 429, retryAfter: 5 })
    const running = exec.container(db, { command })
    await until(() => server.requests.some(({ status }) => status === 429))
    await clock.advance('4s')
    expect(server.execs).toEqual([])
    await clock.advance('2s')
    expect((await running).stdout).toBe('x\n')

    server.misbehaveExec({}, { kind: 'refused', status: 503, retryAfter: 60 })
    expect(await failureOf(exec.container(db, { command }))).toMatchObject({
      code: 'EXEC_UNREACHABLE',
      retryable: true,
    })
  })

  it('for as long as the handshake may take, and no longer', async () => {
    const clock = testClock()
    const { exec, server } = await setUp({ clock })
    server.misbehaveExec({}, { kind: 'refused', status: 503, message: 'etcd is slow' })
    const begin = clock.monotonic()
    const error = await advanceUntil(clock, failureOf(exec.container(db, { command })), '100ms')
    expect(error).toMatchObject({
      code: 'EXEC_UNREACHABLE',
      message: expect.stringContaining('etcd is slow'),
      details: { status: 503 },
    })
    expect(clock.monotonic() - begin).toBeLessThanOrEqual(15_100)
    const tries = server.requests.filter(({ resource }) => resource === 'pods/exec').length
    expect(tries).toBeGreaterThan(4)
    expect(tries).toBeLessThan(20)
  })

  it('because nobody answers who should log us in: the time for the handshake ends it', async () => {
    const clock = testClock()
    const { raw, server, connection } = await setUp({ clock })
    Object.assign(connection, { credentials: () => new Promise<never>(() => {}) })
    const running = raw.run(db, { command }, { lookFirst: false })
    const error = await advanceUntil(clock, failureOf(running), '1s')
    expect(error).toMatchObject({ code: 'EXEC_UNREACHABLE', retryable: true })
    expect(server.execs).toEqual([])
  })

  it('with other words is not tried again', async () => {
    for (const [status, code] of [
      [400, 'EXEC_REFUSED'],
      [403, 'EXEC_FORBIDDEN'],
      [404, 'EXEC_NO_POD'],
      [409, 'EXEC_REFUSED'],
      [410, 'EXEC_REFUSED'],
    ] as const) {
      const { exec, server } = await setUp()
      server.misbehaveExec({}, { kind: 'refused', status, message: 'no, because' })
      const error = await failureOf(exec.container(db, { command }))
      expect([error.code, error.details['status']]).toEqual([code, status])
      expect(`${error.message} ${error.hint}`).toContain('no, because')
      expect(server.requests.filter(({ resource }) => resource === 'pods/exec')).toHaveLength(1)
    }
  })

  it('because the token was rotated: it is read again, once', async () => {
    const { raw, server } = await setUp()
    server.rotateToken()
    expect((await raw.run(db, { command }, { lookFirst: false })).stdout).toBe('x\n')
    server.misbehaveExec({}, { kind: 'refused', status: 401 })
    const begin = server.requests.length
    expect(await failureOf(raw.run(db, { command }, { lookFirst: false }))).toMatchObject({
      code: 'EXEC_UNAUTHORIZED',
      message: 'echo in shop/db-0/postgres was not started: the API server does not know the test',
    })
    expect(server.requests.length - begin).toBe(2)
  })
})

describe('fault F28: the certificate authority was rotated', () => {
  it('it is read again, once; a server of another one gets nothing', async () => {
    const [ours, others] = [makeCertificate(), makeCertificate('others')]
    const asked: boolean[] = []
    const ca = (refresh: boolean): string => {
      asked.push(refresh)
      return refresh ? ours.cert : others.cert
    }
    const { raw } = await setUp({ server: { tls: ours }, ca })
    expect((await raw.run(db, { command }, { lookFirst: false })).stdout).toBe('x\n')
    expect(asked).toEqual([false, true])

    const stranger = await setUp({ server: { tls: ours }, ca: () => others.cert })
    expect(await failureOf(stranger.raw.run(db, { command }, { lookFirst: false }))).toMatchObject({
      code: 'EXEC_UNREACHABLE',
      message: expect.stringMatching(/certificate/),
    })
    expect(stranger.server.requests).toEqual([])
  })
})

describe('fault F29: what is between here and the container is down', () => {
  it('the API server: tried again until it is back', async () => {
    const clock = testClock()
    const { raw, server } = await setUp({ clock })
    await server.down()
    const running = raw.run(db, { command }, { lookFirst: false })
    const back = new Promise<void>((resolve) => setTimeout(resolve, 30)).then(() => server.up())
    expect((await advanceUntil(clock, running, '100ms')).stdout).toBe('x\n')
    await back
  })

  it('the API server, for longer: a typed error', async () => {
    const clock = testClock()
    const { exec, raw, server } = await setUp({ clock })
    await server.down()
    for (const lookFirst of [true, false]) {
      const error = await advanceUntil(clock, failureOf(raw.run(db, { command }, { lookFirst })), '1s')
      expect(error).toMatchObject({ code: 'EXEC_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') })
    }
    await server.up()
    expect((await exec.container(db, { command })).stdout).toBe('x\n')
  })

  it('the node: tried again as long as nothing was run', async () => {
    const { exec, server } = await setUp()
    const status = { kind: 'status', body: { status: 'Failure', reason: 'InternalError', message: dialing } } as const
    server.misbehaveExec({ times: 2 }, [{ kind: 'flood', bytes: 0 }, status])
    expect((await exec.container(db, { command })).stdout).toBe('x\n')

    const clock = testClock()
    const late = await setUp({ clock })
    late.server.misbehaveExec({}, [{ kind: 'flood', bytes: 0 }, status])
    const error = await advanceUntil(clock, failureOf(late.exec.container(db, { command })), '200ms')
    expect(error).toMatchObject({ code: 'EXEC_UNREACHABLE', message: expect.stringContaining(dialing) })
  })

  it('the node, once the command has begun: not run twice', async () => {
    const { exec, server } = await setUp()
    server.misbehaveExec({}, { kind: 'status', body: { status: 'Failure', message: dialing } })
    expect((await failureOf(exec.container(db, { command }))).code).toBe('EXEC_STATUS')
    expect(server.execs.filter(({ argv }) => argv.includes('echo'))).toHaveLength(1)
  })

  it('a node that never starts the command: given up after a minute', async () => {
    const clock = testClock()
    const { exec, server } = await setUp({ clock })
    server.misbehaveExec({ times: 1 }, [
      { kind: 'flood', bytes: 1000 },
      { kind: 'slow-sender', bytesPerSecond: 20 },
    ])
    const running = failureOf(exec.container(db, { command }))
    await until(() => server.execs.length === 1)
    const begin = clock.monotonic()
    expect(await advanceUntil(clock, running, '1s')).toMatchObject({
      code: 'EXEC_UNREACHABLE',
      message: expect.stringContaining('did not start it within 1m'),
    })
    expect(clock.monotonic() - begin).toBeGreaterThan(50_000)
  })
})
