import { lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync, existsSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net'
import type { Server } from 'node:http'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, createMetrics, createRedactor, parseListenAddress, type ListenAddress } from '@holdfast/runtime'
import { testClock } from '@holdfast/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { NotReadyReason } from '../src/daemon/status.ts'
import { createPages, type Answer, type PagesOptions } from '../src/http/pages.ts'
import { openPort, type Port } from '../src/http/port.ts'
import { closeServer, createPageServer } from '../src/http/server.ts'
import { openSocket, socketFile } from '../src/http/socket.ts'
import { ask, freePort } from './support/http.ts'

const scriptWithoutShebang: NotReadyReason = {
  code: 'SCRIPT_NO_SHEBANG',
  message: '10-dump has no first line that says what runs it',
  hint: 'Nothing is backed up. Begin it with #!/bin/sh.',
  plan: 'shop',
}

function pages(options: Partial<PagesOptions> = {}): Answer {
  return createPages({
    version: '1.2.3',
    reasons: () => [],
    metrics: createMetrics(),
    redactor: createRedactor(),
    log: { warn: () => undefined },
    ...options,
  })
}

/** The pages on a port of their own. */
async function served(
  answer: Answer,
  clock = testClock(),
): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createPageServer(answer, clock)
  onTestFinished(() => closeServer(server))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, server }
}

test('each page has its answer, and a plain index lists them', async () => {
  const metrics = createMetrics()
  metrics.gauge('holdfast_up', 'Up').set(1)
  const { port } = await served(pages({ metrics }))
  expect(await ask({ port }, '/')).toMatchObject({ status: 200, body: expect.stringContaining('/readyz') as string })
  expect(await ask({ port }, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' })
  expect(await ask({ port }, '/readyz?verbose')).toMatchObject({ status: 200, body: 'ready\n' })
  const scraped = await ask({ port }, '/metrics')
  expect(scraped.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(scraped.body).toBe('# HELP holdfast_up Up\n# TYPE holdfast_up gauge\nholdfast_up 1\n')
})

test('/readyz says why not, as text or as JSON', async () => {
  const reasons = [scriptWithoutShebang, { code: 'DAEMON_STARTING', message: 'the daemon\nis starting' }]
  const { port } = await served(pages({ reasons: () => reasons }))
  const text = await ask({ port }, '/readyz')
  expect(text.status).toBe(503)
  expect(text.body).toBe(
    'not ready\n' +
      'SCRIPT_NO_SHEBANG (plan "shop"): 10-dump has no first line that says what runs it\n' +
      '  Nothing is backed up. Begin it with #!/bin/sh.\n' +
      'DAEMON_STARTING: the daemon is starting\n',
  )
  const json = await ask({ port }, '/readyz', { headers: { accept: 'application/json' } })
  expect(json.status).toBe(503)
  expect(JSON.parse(json.body)).toEqual({ ready: false, reasons })
})

test('nothing can be changed: other methods are refused, other pages are not there', async () => {
  const { port } = await served(pages())
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
    const { status, headers } = await ask({ port }, '/metrics', { method })
    expect([status, headers.allow], method).toEqual([405, 'GET, HEAD'])
  }
  for (const path of ['/metrics/', '/debug/pprof', '/../etc/passwd', '//', '/constructor', '/status.json']) {
    expect((await ask({ port }, path)).status, path).toBe(404)
  }
  const head = await ask({ port }, '/healthz', { method: 'HEAD' })
  expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '3' } })
})

test('a scrape that fails is a readable 500; the next one is asked anew, and probes go on', async () => {
  const warnings: string[] = []
  let attempts = 0
  const metrics = {
    contentType: 'text/plain',
    async text() {
      attempts++
      if (attempts === 1) throw new Error('the registry\nis gone')
      return 'up 1\n'
    },
  }
  const { port } = await served(pages({ metrics, log: { warn: (message) => warnings.push(message) } }))
  const failed = await ask({ port }, '/metrics')
  expect(failed).toMatchObject({ status: 500, body: 'the metrics could not be read: the registry\n' })
  expect(warnings).toEqual(['the metrics could not be read: the registry'])
  expect((await ask({ port }, '/healthz')).status).toBe(200)
  expect((await ask({ port }, '/metrics')).body).toBe('up 1\n')
})

test('whoever scrapes at the same time gets the same page: it is made once', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const text = vi.fn(() => promise)
  const { port } = await served(pages({ metrics: { contentType: 'text/plain', text } }))
  const scrapes = Array.from({ length: 10 }, () => ask({ port }, '/metrics'))
  await vi.waitFor(() => expect(text).toHaveBeenCalled())
  // All of them have arrived before it is there.
  await ask({ port }, '/healthz')
  resolve('up 1\n')
  expect((await Promise.all(scrapes)).map(({ body }) => body)).toEqual(Array(10).fill('up 1\n'))
  expect(text).toHaveBeenCalledTimes(1)
})

test('fault F54: no secret on any page', async () => {
  const redactor = createRedactor()
  redactor.add('hunter2-hunter2')
  const leaking = {
    code: 'HOOK_FAILED',
    message: 'validate of "db" failed: hunter2-hunter2 was refused by mongodb://app:s3cr3t@db/',
    hint: `base64: ${Buffer.from('hunter2-hunter2').toString('base64')}`,
  }
  const metrics = { contentType: 'text/plain', text: () => Promise.reject(new Error('hunter2-hunter2')) }
  const { port } = await served(pages({ redactor, reasons: () => [leaking], metrics }))
  const answers = [
    await ask({ port }, '/readyz'),
    await ask({ port }, '/readyz', { headers: { accept: 'application/json' } }),
    await ask({ port }, '/metrics'),
  ]
  for (const { body } of answers) {
    expect(body).toContain('[redacted]')
    expect(body).not.toMatch(/hunter2|s3cr3t|aHVudGVyMi/)
  }
})

/** A client that does what no decent one does. */
async function client(port: number, text = ''): Promise<{ readonly socket: Socket; readonly received: () => string }> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let received = ''
  socket.on('data', (chunk) => (received += chunk.toString()))
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(text)
  return { socket, received: () => received }
}

const closed = ({ socket }: { readonly socket: Socket }): Promise<unknown> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve))

test('a client that sends nothing, sends slowly or does not read is cut off', async () => {
  const clock = testClock()
  const page = 'x'.repeat(20 * 1024 * 1024)
  const { port, server } = await served(
    pages({ metrics: { contentType: 'text/plain', text: async () => page } }),
    clock,
  )
  const connections = (): Promise<number> =>
    new Promise((resolve) => void server.getConnections((_, count) => resolve(count)))
  const silent = await client(port)
  const slow = await client(port, 'GET /healthz HTTP/1.1\r\nhost: ')
  const deaf = await client(port, 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
  deaf.socket.pause()
  await vi.waitFor(async () => expect(await connections()).toBe(3))
  await clock.advance('29s')
  expect(await connections()).toBe(3)
  await clock.advance('2s')
  await Promise.all([closed(silent), closed(slow)])
  await vi.waitFor(async () => expect(await connections()).toBe(0))
  expect((await ask({ port }, '/healthz')).status).toBe(200)
  expect(clock.pending).toBeLessThanOrEqual(1)
})

test('many clients at once can not pile up: beyond 50 they are turned away, and the others are served', async () => {
  const clock = testClock()
  const { port, server } = await served(pages(), clock)
  const crowd = await Promise.all(Array.from({ length: 60 }, () => client(port)))
  await vi.waitFor(() => expect(crowd.filter(({ socket }) => socket.closed)).toHaveLength(10))
  const staying = crowd.find(({ socket }) => !socket.closed)
  staying?.socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
  await vi.waitFor(() => expect(staying?.received()).toMatch(/^HTTP\/1\.1 200 OK/))
  await clock.advance('31s')
  await vi.waitFor(async () => {
    expect(await new Promise((resolve) => void server.getConnections((_, count) => resolve(count)))).toBe(0)
  })
  expect((await ask({ port }, '/healthz')).status).toBe(200)
})

test('a connection answers one request and is closed', async () => {
  const { port } = await served(pages())
  const asked = await client(port, 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n')
  await closed(asked)
  expect(asked.received().toLowerCase()).toContain('connection: close')
})

test.for([
  ['too many headers', `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['noise', '\u0016\u0003\u0001 this is no HTTP\r\n\r\n', 400],
  ['two lengths', 'GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400],
] as const)('%s: an answer, and the next request is served', async ([, text, status]) => {
  const { port } = await served(pages())
  const asked = await client(port, text)
  await closed(asked)
  expect(asked.received()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect((await ask({ port }, '/healthz')).status).toBe(200)
})

interface OpenedPort {
  readonly port: Port
  readonly clock: ReturnType<typeof testClock>
  log(): readonly { readonly level: string; readonly msg: string; readonly code?: string }[]
  listening(): Promise<string | undefined>
}

function opened(): OpenedPort {
  const clock = testClock()
  const lines: string[] = []
  const log = createLogger({
    level: 'info',
    format: 'json',
    redactor: createRedactor(),
    destination: { write: (line) => lines.push(line) },
  })
  const metrics = createMetrics()
  const port = openPort({ answer: pages(), clock, log, metrics })
  onTestFinished(() => port.close())
  return {
    port,
    clock,
    log: () => lines.map((line) => JSON.parse(line) as ReturnType<OpenedPort['log']>[number]),
    listening: async () => /^holdfast_http_listening (.*)$/m.exec(await metrics.text())?.[1],
  }
}

/** Somebody else who has the port. */
async function occupy(port: number): Promise<NetServer> {
  const other = createServer((socket) => void socket.destroy())
  await new Promise<void>((resolve) => void other.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => void other.close())
  return other
}

test('a port that is taken is one warning and a metric; it is tried again quietly, and taken when it is free', async () => {
  const number = await freePort()
  const other = await occupy(number)
  const { port, clock, log, listening } = opened()
  port.listen({ host: '127.0.0.1', port: number })
  await vi.waitFor(async () => expect(await listening()).toBe('0'))
  await clock.advance('5m')
  expect(log()).toMatchObject([
    { level: 'warn', msg: expect.stringContaining(`127.0.0.1:${number} can't be listened on`) as string },
  ])
  await new Promise<void>((resolve) => void other.close(() => resolve()))
  await clock.advance('31s')
  await vi.waitFor(async () => expect(await listening()).toBe('1'))
  expect((await ask({ port: number }, '/healthz')).status).toBe(200)
  expect(log().map(({ level }) => level)).toEqual(['warn', 'info'])
})

test('it moves with its configuration, and 0 turns it off', async () => {
  const { port, listening } = opened()
  const [first, second] = [await freePort(), await freePort()]
  port.listen({ host: '127.0.0.1', port: first })
  await vi.waitFor(async () => expect((await ask({ port: first }, '/healthz')).status).toBe(200))
  port.listen({ host: '127.0.0.1', port: second })
  await vi.waitFor(async () => expect((await ask({ port: second }, '/healthz')).status).toBe(200))
  await expect(ask({ port: first }, '/healthz')).rejects.toThrow('ECONNREFUSED')
  port.listen({ host: undefined, port: 0 })
  await vi.waitFor(() => expect(ask({ port: second }, '/healthz')).rejects.toThrow('ECONNREFUSED'))
  expect(await listening()).toBe('0')
})

test('also on IPv6', async ({ skip }) => {
  const hasIpv6 = Object.values(networkInterfaces()).some((found) => found?.some(({ address }) => address === '::1'))
  skip(!hasIpv6, 'this machine has no IPv6: listening on [::1] was NOT tested')
  const { port } = opened()
  const number = await freePort()
  port.listen(parseListenAddress(`[::1]:${number}`) as ListenAddress)
  await vi.waitFor(async () => expect((await ask({ port: number, host: '::1' }, '/healthz')).status).toBe(200))
})

/** A state directory at a path of this length, and a socket in it. */
function stateDirectory(length = 0): string {
  const base = mkdtempSync(join(tmpdir(), 'holdfast-http-'))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const path = join(base, 'd'.repeat(Math.max(1, length - base.length)))
  mkdirSync(path)
  return path
}

async function socketIn(directory: string, answer = pages()): Promise<() => Promise<void>> {
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  const log = { debug: warn, info: warn, warn, error: warn }
  const close = await openSocket({ stateDirectory: directory, answer, clock: testClock(), log })
  onTestFinished(close)
  expect(warnings).toEqual([])
  return close
}

test('the socket in the state directory is for this user alone, and gone at the end', async () => {
  const directory = stateDirectory()
  const close = await socketIn(directory)
  const file = socketFile(directory)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect((await ask({ socketPath: file }, '/readyz')).body).toBe('ready\n')
  await close()
  expect(existsSync(file)).toBe(false)
})

test('the socket of a process that was killed is replaced; that of the next daemon is left alone', async () => {
  const directory = stateDirectory()
  const closeFirst = await socketIn(directory, pages({ reasons: () => [scriptWithoutShebang] }))
  // As after kill -9, the socket of the first is still there.
  await socketIn(directory)
  const file = socketFile(directory)
  expect((await ask({ socketPath: file }, '/readyz')).status).toBe(200)
  await closeFirst()
  expect((await ask({ socketPath: file }, '/readyz')).status).toBe(200)
})

test('where the path is too long for a socket, there is a link to one', async () => {
  const directory = stateDirectory(200)
  const close = await socketIn(directory)
  const file = socketFile(directory)
  const there = readlinkSync(file)
  expect(statSync(there).mode & 0o777).toBe(0o600)
  expect((await ask({ socketPath: there }, '/healthz')).body).toBe('ok\n')
  await close()
  expect([lstatSync(file, { throwIfNoEntry: false }), existsSync(there)]).toEqual([undefined, false])
})

test('where there can be no socket at all, that is one warning', async () => {
  const warnings: unknown[] = []
  const log = {
    debug: vi.fn(),
    info: vi.fn(),
    error: vi.fn(),
    warn: (_: string, fields: unknown) => warnings.push(fields),
  }
  const missing = join(stateDirectory(), 'missing')
  const close = await openSocket({ stateDirectory: missing, answer: pages(), clock: testClock(), log })
  await close()
  expect(warnings).toMatchObject([{ error: { code: 'HTTP_SOCKET' } }])
})
