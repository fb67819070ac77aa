// Whoever is told has a bad day: the run is what it was, and it is said that nobody heard of it.
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { advanceUntil, selfSignedTls, type TestRun } from '@holdfast/testing'
import { defineNotifier, HoldfastError, webhook, type Notifier } from '@holdfast/sdk'
import { expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'
import { testRun } from '../lifecycle/test-run.ts'
import { certificateFile, orders, service } from './support.ts'

const broken = new HoldfastError({ code: 'DISK_FULL', message: 'the disk is full' })

/** The clock runs faster than the network: nothing is late unless it is meant to be. */
const patient = { timeout: '1h' } as const

/** Runs a plan that fails, and waits until it was told, or not. */
async function failing(notify: readonly Notifier[], env: NodeJS.ProcessEnv = {}): Promise<TestRun> {
  const run = await testRun([orders({ failure: broken })], { config: { notify }, env })
  const { outcome } = await run.run()
  expect(outcome.error?.code).toBe('DISK_FULL')
  await advanceUntil(run.clock, run.engine.notifications.close(), '500ms')
  return run
}

/** What the history, the log and the metrics say of it. */
async function saidOf(run: TestRun): Promise<{ readonly history: string; readonly failures: string | undefined }> {
  const [record] = run.engine.journal.runs()
  expect(record?.status).toBe('failed')
  const history = (record?.warnings ?? []).map(({ code, message }) => `${code}: ${message}`).join('\n')
  const logged = run.log.map((line) => (JSON.parse(line) as { readonly msg: string }).msg)
  for (const { message } of record?.warnings ?? []) expect(logged).toContain(message)
  const text = await run.metrics.text()
  return { history, failures: /^holdfast_notify_failures_total\{sink="webhook"\} (\d+)$/m.exec(text)?.[1] }
}

/** A port that accepts connections and does with them what it likes. */
async function port(accept: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    accept(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('fault F51: an answer of 500 is tried three times, and then said in the history, the log and the metrics', async () => {
  const hook = await service((response) => {
    response.statusCode = 500
    response.end('out of\n  order')
  })
  const said = await saidOf(await failing([webhook({ url: hook.url }, patient)]))
  expect(hook.received).toHaveLength(3)
  expect(said.failures).toBe('1')
  expect(said.history).toMatch(
    /^NOTIFY_FAILED: "webhook" could not be told that plan "test" failed: 127\.0\.0\.1:\d+ could not be told: it answered 500: out of order$/,
  )
})

test('one that answers at the second time has heard of it, and nothing is said', async () => {
  const hook = await service((response, _, count) => {
    response.statusCode = count === 1 ? 503 : 204
    response.end()
  })
  const said = await saidOf(await failing([webhook({ url: hook.url }, patient)]))
  expect(hook.received).toHaveLength(2)
  expect(said).toEqual({ history: '', failures: '0' })
})

test('fault F51: one that never answers keeps a process that ends no longer than its time', async () => {
  const hook = await service(() => {})
  const run = await testRun([orders({ failure: broken })], { config: { notify: [webhook({ url: hook.url })] } })
  await run.run()
  await vi.waitFor(() => expect(hook.received).toHaveLength(1))
  const began = run.clock.monotonic()
  await advanceUntil(run.clock, run.engine.notifications.close(), '500ms')
  expect(run.clock.monotonic() - began).toBeLessThanOrEqual(10_500)
  const said = await saidOf(run)
  expect(said.failures).toBe('1')
  expect(said.history).toMatch(/no answer within 10\.0 s|there was no time left/)
})

test('a secret that can not be read in time, such as on a share that hangs, keeps nobody: neither others nor the end', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-notify-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'url')
  // Whoever opens it waits until somebody writes.
  execFileSync('mkfifo', [file])
  onTestFinished(() => closeSync(openSync(file, constants.O_RDWR | constants.O_NONBLOCK)))
  const other = await service()
  const notify = [webhook({ url: { file } }), webhook({ url: other.url }, { name: 'other' })]
  const run = await testRun([orders({ failure: broken })], { config: { notify } })
  await run.run()
  await vi.waitFor(() => expect(other.received).toHaveLength(1))
  await advanceUntil(run.clock, run.engine.notifications.close(), '500ms')
  const said = await saidOf(run)
  expect(said.failures).toBe('1')
  expect(said.history).toMatch(/no answer within 10\.0 s|there was no time left/)
})

test('while the process goes on, one that hangs is tried again, and others are told meanwhile', async () => {
  const hook = await service((response, _, count) => {
    if (count === 2) response.end()
  })
  const other = await service()
  const notify = [webhook({ url: hook.url }, { timeout: '2s' }), webhook({ url: other.url }, { name: 'other' })]
  const run = await testRun([orders({ failure: broken })], { config: { notify } })
  await run.run()
  await vi.waitFor(() => expect(other.received).toHaveLength(1))
  await vi.waitFor(() => expect(hook.received).toHaveLength(1))
  await run.clock.advance('2s')
  await run.clock.advance('1s')
  await vi.waitFor(() => expect(hook.received).toHaveLength(2))
  await run.engine.notifications.close()
  expect((await saidOf(run)).history).toBe('')
})

test('one that is not there is tried again, too', async () => {
  const nobody = await port((socket) => socket.resetAndDestroy())
  const run = await failing([webhook({ url: `http://127.0.0.1:${nobody}/` }, patient)])
  expect((await saidOf(run)).history).toMatch(/could not be told: .*(ECONNRESET|socket hang up)/)
})

test('what is redirected goes nowhere else: it would take the key along', async () => {
  const elsewhere = await service()
  const hook = await service((response) => response.writeHead(307, { location: elsewhere.url }).end())
  const said = await saidOf(
    await failing([webhook({ url: hook.url, headers: { authorization: { env: 'KEY' } } }, patient)], {
      KEY: 'key-4711',
    }),
  )
  expect(elsewhere.received).toHaveLength(0)
  expect(hook.received).toHaveLength(1)
  expect(said.history).toContain(`Redirects are not followed`)
  expect(said.history).toContain(new URL(elsewhere.url).host)
})

test('an answer without end is not read', async () => {
  for (const statusCode of [200, 400]) {
    let written = 0
    const hook = await service((response) => {
      response.writeHead(statusCode, { 'content-type': 'text/html' })
      const more = (): void => {
        written += 65_536
        if (written < 2 ** 30 && response.write('x'.repeat(65_536))) setImmediate(more)
      }
      response.on('drain', more)
      more()
    })
    const said = await saidOf(await failing([webhook({ url: hook.url }, patient)]))
    expect(said.failures).toBe(statusCode === 200 ? '0' : '1')
    expect(said.history.length).toBeLessThan(600)
    expect(written).toBeLessThan(64 * 2 ** 20)
  }
})

test('a server that is not who it should be is told nothing; with its certificate named, it is', async () => {
  const tls = selfSignedTls()
  const hook = await service(undefined, tls)
  const said = await saidOf(await failing([webhook({ url: hook.url }, patient)]))
  expect(hook.received).toHaveLength(0)
  expect(said.history).toMatch(/is not who it should be: self-signed certificate/)

  const ca = certificateFile(tls)
  expect((await saidOf(await failing([webhook({ url: hook.url, ca }, patient)]))).history).toBe('')
  expect(hook.received).toHaveLength(1)
})

test('something that speaks no HTTP, or no TLS, is an error like any other', async () => {
  const other = await port((socket) => socket.end('220 mail.example.com ESMTP\r\n'))
  for (const scheme of ['http', 'https']) {
    const said = await saidOf(await failing([webhook({ url: `${scheme}://127.0.0.1:${other}/` }, patient)]))
    expect(said.failures).toBe('1')
  }
})

test('a secret that is not there is said, by the name of its variable', async () => {
  const said = await saidOf(await failing([webhook({ url: { env: 'NOWHERE' } }, patient)]))
  expect(said.history).toContain('the secret in the variable NOWHERE is not there')
  const wrong = await saidOf(
    await failing([webhook({ url: { env: 'HOOK' } }, patient)], { HOOK: 'hooks.example.com/canary' }),
  )
  expect(wrong.history).toContain('its address is no URL')
  expect(wrong.history).not.toContain('canary')
})

test('a notifier of somebody else that throws, hangs and ignores its signal changes nothing', async () => {
  const make = (name: string, send: () => unknown) => defineNotifier({ name, config: z.strictObject({}), send })({})
  const notify = [
    make('throws', () => {
      throw new TypeError('undefined is not a function')
    }),
    make('rejects', () => Promise.reject(new Error('rejected'))),
    make('hangs', () => new Promise(() => {})),
    make('final', () => Promise.reject(new HoldfastError({ code: 'NO_ACCOUNT', message: 'no such account' }))),
  ]
  const run = await failing(notify)
  const [record] = run.engine.journal.runs()
  const reasons = record?.warnings.map(({ message }) => message.replace(/.*failed: /, ''))
  expect(reasons?.toSorted()).toEqual([
    'no answer within 10.0 s',
    'no such account',
    'rejected',
    'undefined is not a function',
  ])
})

test('a template that throws keeps nobody from being told', async () => {
  const hook = await service()
  const text = (): string => {
    throw new Error('a fault in the template')
  }
  await failing([webhook({ url: hook.url }, { ...patient, text })])
  expect(hook.json()[0]?.['text']).toMatch(/DISK_FULL[^]*the template failed: a fault in the template/)
})

test('a service that is away for long costs the oldest messages, not memory', async () => {
  const told: string[] = []
  const gate = Promise.withResolvers<void>()
  const make = defineNotifier({
    name: 'slow',
    config: z.strictObject({}),
    async send({ run }) {
      await gate.promise
      told.push(run?.id ?? '')
    },
  })
  const run = await testRun([orders({ failure: broken })], { config: { notify: [make({}, { timeout: '1h' })] } })
  const ended = await run.run()
  for (let more = 0; more < 102; more += 1) run.engine.notifications.ended(ended)
  gate.resolve()
  await run.engine.notifications.close()
  expect(told).toHaveLength(101)
  expect(run.log.filter((line) => line.includes('more than 100 wait already'))).toHaveLength(2)
})

test('a process whose grace is used up waits three seconds more, whatever a notifier may take', async () => {
  const make = defineNotifier({ name: 'hangs', config: z.strictObject({}), send: () => new Promise(() => {}) })
  const run = await testRun([orders({ failure: broken })], { config: { notify: [make({}, { timeout: '1h' })] } })
  await run.run()
  const stopped = run.engine.shutdown(20_000)
  const closed = run.engine.notifications.close()
  await stopped
  let isClosed = false
  void closed.then(() => (isClosed = true))
  await run.clock.advance('22s')
  expect(isClosed).toBe(false)
  await run.clock.advance('1s')
  await closed
  expect(run.engine.journal.runs()[0]?.warnings[0]?.message).toContain('there was no time left')
})

test('one that hangs is not tried longer because another one may take longer', async () => {
  const make = (name: string) => defineNotifier({ name, config: z.strictObject({}), send: () => new Promise(() => {}) })
  const notify = [make('quick')({}, { timeout: '2s' }), make('slow')({}, { timeout: '1m' })]
  const run = await testRun([orders({ failure: broken })], { config: { notify } })
  await run.run()
  const closed = run.engine.notifications.close()
  await run.clock.advance('2s')
  expect(run.engine.journal.runs()[0]?.warnings.map(({ details }) => details['sink'])).toEqual(['quick'])
  await run.clock.advance('58s')
  await closed
})
