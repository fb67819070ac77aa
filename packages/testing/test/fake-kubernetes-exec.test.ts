import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { startFakeKubernetes, type ExecFault, type FakeKubernetes } from '../src/index.ts'
import { execClient, type ExecClient } from './support/exec-client.ts'

let server: FakeKubernetes
beforeEach(async () => {
  server = await startFakeKubernetes()
  server.addPod({ name: 'p', containers: [{ name: 'c', env: { COLOUR: 'blue' } }] })
})
afterEach(() => server[Symbol.asyncDispose]())

async function run(command: readonly string[], options: Parameters<typeof execClient>[2] = {}): Promise<ExecClient> {
  const client = execClient(server, command, options)
  await client.ended
  return client
}

const v4 = { protocols: ['v4.channel.k8s.io'] }

describe('a command', () => {
  test('runs; its streams and its exit code arrive', async () => {
    const client = await run(['sh', '-c', 'echo out $COLOUR $HOSTNAME; echo err >&2; exit 9'])
    expect(client.text(1)).toBe('out blue p\n')
    expect(client.text(2)).toBe('err\n')
    expect(client.status()).toEqual({
      metadata: {},
      status: 'Failure',
      message: 'command terminated with non-zero exit code: command terminated with exit code 9',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '9' }] },
    })
    expect(client.seen.closed).toEqual({ code: 1000 })
    expect(client.seen.frames[0], 'the connection works').toEqual({ channel: 1, bytes: Buffer.alloc(0) })
    expect(server.execs).toMatchObject([
      { pod: 'p', container: 'c', stdin: 'none', protocol: 'v5.channel.k8s.io', running: false, exit: { code: 9 } },
    ])
    expect(server.requests.at(-1)).toMatchObject({ verb: 'get', resource: 'pods/exec', name: 'p', status: 101 })
  })

  test('sees nothing of the environment of the tests', async () => {
    process.env['FAKE_KUBERNETES_CANARY'] = 'seen'
    onTestFinished(() => void delete process.env['FAKE_KUBERNETES_CANARY'])
    expect((await run(['env'])).text(1)).not.toContain('FAKE_KUBERNETES_CANARY')
  })

  test('runs in the directory that stands for its container', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fake-kubernetes-test-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    server.addPod({ name: 'q', containers: [{ name: 'a', directory }, { name: 'b' }] })
    expect((await run(['pwd'], { pod: 'q', container: 'a' })).text(1).trim()).toBe(directory)
    expect((await run(['pwd'], { pod: 'q', container: 'b' })).text(1).trim()).not.toBe(directory)
    expect(() => server.addPod({ name: 'r', containers: [{ name: 'a', directory: '/no/such' }] })).toThrow('ENOENT')
  })

  test('gets stdin, and its end by half-close', async () => {
    const client = execClient(server, ['wc', '-c'], { stdin: true })
    await client.opened
    client.ws.send(Buffer.from('\0hello'))
    client.ws.send(Buffer.of(255, 0))
    await client.ended
    expect(client.text(1).trim()).toBe('5')
    expect(client.status()).toEqual({ metadata: {}, status: 'Success' })
    expect(server.execs[0]).toMatchObject({ stdin: 'half-closed', received: 5 })
  })

  test('that was killed has 128 and the signal as its exit code', async () => {
    expect((await run(['sh', '-c', 'kill -9 $$'])).status()).toMatchObject({
      details: { causes: [{ reason: 'ExitCode', message: '137' }] },
    })
    expect(server.execs[0]?.exit).toEqual({ code: undefined, signal: 'SIGKILL' })
  })

  test.each([126, 127, 137, 255])('exit code %i', async (code) => {
    expect((await run(['sh', '-c', `exit ${code}`])).status()).toMatchObject({
      details: { causes: [{ message: String(code) }] },
    })
  })

  test('with any argv gets it unchanged', async () => {
    const word = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '-', '--help', '"', "'", '$HOME', 'a\nb', ' ', 'é€😀', '&;+%2F', '\\'),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          word.filter((each) => !each.includes('\0')),
          { maxLength: 6 },
        ),
        async (words) => {
          const client = await run(['printf', '%s\\0', 'first', ...words])
          expect(client.text(1)).toBe(['first', ...words, ''].join('\0'))
        },
      ),
      { numRuns: 40 },
    )
  })

  test('with 128 KiB of argv, percent-encoded, and one argument as long as Linux takes', async () => {
    const longest = 'x'.repeat(131_071)
    expect((await run(['printf', '%s', longest])).text(1)).toBe(longest)
    const many = Array.from({ length: 32 }, () => 'é'.repeat(2048))
    expect((await run(['printf', '%s', ...many])).text(1)).toBe(many.join(''))
    const tooLong = await run(['true', `${longest}y`])
    expect(tooLong.text(2)).toBe('exec true: argument list too long')
    expect(tooLong.status()).toMatchObject({ details: { causes: [{ message: '1' }] } })
  })

  test('goes on when the connection is gone, without stdin, and is killed with the server', async () => {
    const client = execClient(server, ['sh', '-c', 'cat; sleep 60'], { stdin: true })
    await client.opened
    await expect.poll(() => server.execs[0]?.running).toBe(true)
    client.ws.terminate()
    await expect
      .poll(() => server.execs[0])
      .toMatchObject({ connection: 'closed', stdin: 'disconnected', running: true })
    const pid = server.execs[0]?.pid ?? 0
    expect(process.kill(pid, 0)).toBe(true)
    await server[Symbol.asyncDispose]()
    expect(server.execs[0]).toMatchObject({ running: false, exit: { signal: 'SIGKILL' } })
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('that writes is held up when nobody reads any more', async () => {
    const client = execClient(server, ['sh', '-c', 'head -c 4000000 /dev/zero; exit 3'])
    await client.opened
    client.ws.terminate()
    await expect.poll(() => server.execs[0]?.connection).toBe('closed')
    expect(server.execs[0]).toMatchObject({ running: true, exit: undefined })
  })

  test('that was started in the background is killed with the server, too', async () => {
    await run(['sh', '-c', 'sleep 60 >/dev/null 2>&1 &'])
    expect(server.execs[0]).toMatchObject({ running: true, exit: { code: 0 } })
    await server[Symbol.asyncDispose]()
    await expect.poll(() => server.execs[0]?.running).toBe(false)
  })

  test('dies with its container, and with its pod', async () => {
    const first = execClient(server, ['sleep', '60'])
    await expect.poll(() => server.execs[0]?.running).toBe(true)
    const { status } = server.restartContainer('p', 'c') as unknown as { status: { containerStatuses: unknown[] } }
    expect(status.containerStatuses[0]).toMatchObject({ restartCount: 1, state: { running: {} } })
    await first.ended
    expect(first.status()).toMatchObject({ details: { causes: [{ message: '137' }] } })
    const second = execClient(server, ['sleep', '60'])
    await expect.poll(() => server.execs[1]?.running).toBe(true)
    server.objects.remove('pods', 'default', 'p')
    await second.ended
    expect((await run(['true'])).seen.refused?.status).toBe(404)
  })
})

describe('what can not be run', () => {
  const notFound = 'exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH'

  test.each([
    ['nosuch', 'exec: "nosuch": executable file not found in $PATH: unknown'],
    ['/no/such', 'exec: "/no/such": stat /no/such: no such file or directory: unknown'],
    ['/etc/passwd', 'exec: "/etc/passwd": permission denied: unknown'],
    ['', 'exec: "": executable file not found in $PATH: unknown'],
  ])('%j fails without an exit code', async (program, message) => {
    const client = await run([program])
    expect(client.status()).toMatchObject({ status: 'Failure', reason: 'InternalError', code: 500 })
    expect(client.status()['message']).toContain(message)
    expect(client.status()['details']).not.toHaveProperty('causes.0.reason')
    expect(client.seen.closed).toEqual({ code: 1000 })
  })

  test('no words at all', async () => {
    expect((await run([])).status()['message']).toContain(
      'OCI runtime exec failed: exec failed: args must not be empty',
    )
  })

  test('version 5 of the protocol says it twice', async () => {
    expect((await run(['nosuch'])).status()['message']).toMatch(
      /^Internal error occurred: Internal error occurred: error/,
    )
    expect((await run(['nosuch'], v4)).status()['message']).toMatch(/^Internal error occurred: error executing/)
    expect((await run(['nosuch'], v4)).status()['message']).toContain(notFound)
    expect((await run(['sh', '-c', 'exit 9'], v4)).status()['message']).toBe(
      'command terminated with non-zero exit code: error executing command [sh -c exit 9], exit code 9',
    )
  })

  test('a shell in a container without one', async () => {
    server.addPod({ name: 'q', containers: [{ name: 'c', shell: false }] })
    for (const shell of ['sh', '/bin/sh', 'bash']) {
      expect((await run([shell, '-c', 'true'], { pod: 'q' })).status()).toMatchObject({ reason: 'InternalError' })
    }
    expect((await run(['true'], { pod: 'q' })).status()).toMatchObject({ status: 'Success' })
  })

  test.each([
    ['nopod', undefined, 404, 'pods \\"nopod\\" not found'],
    ['p', 'zz', 400, 'container zz is not valid for pod p'],
    ['two', undefined, 400, 'a container name must be specified for pod two, choose one of: [i a b]'],
    ['unscheduled', undefined, 400, 'pod unscheduled does not have a host assigned'],
  ])('in pod %s, container %s: HTTP %i', async (pod, container, status, message) => {
    server.addPod({ name: 'two', containers: [{ name: 'i', sidecar: true }, { name: 'a' }, { name: 'b' }] })
    server.addPod({ name: 'unscheduled', node: '', containers: [{ name: 'c', state: 'waiting' }] })
    const { seen } = await run(['true'], { pod, ...(container === undefined ? {} : { container }) })
    expect(seen.refused?.status).toBe(status)
    expect(seen.refused?.body).toContain(message)
  })

  test.each(['waiting', 'terminated', 'restarting'] as const)('in a container that is %s', async (state) => {
    server.addPod({ name: 'q', containers: [{ name: 'c', state }] })
    expect((await run(['true'], { pod: 'q' })).status()).toMatchObject({
      reason: 'InternalError',
      message: 'Internal error occurred: unable to upgrade connection: container not found ("c")',
    })
    expect((await run(['true'], { pod: 'q', ...v4 })).seen.refused).toEqual({
      status: 500,
      body: 'container not found ("c")',
    })
  })

  test('with a wrong token, or another protocol', async () => {
    expect((await run(['true'], { token: 'wrong' })).seen.refused?.status).toBe(401)
    expect((await run(['true'], { protocols: ['v9.channel.k8s.io'] })).seen.refused).toEqual({ status: 403, body: '' })
  })
})

describe('states of pods', () => {
  test.each([
    [['running', 'running'], 'Running', 'True'],
    [['running', 'restarting'], 'Running', 'False'],
    [['waiting'], 'Pending', 'False'],
    [['terminated', 'terminated'], 'Succeeded', 'False'],
  ] as const)('%j is %s', (states, phase, ready) => {
    const containers = states.map((state, index) => ({ name: `c${index}`, state }))
    expect(server.addPod({ name: 'q', containers })['status']).toMatchObject({ phase, conditions: [{ status: ready }] })
  })

  test('a crash loop and a sidecar', () => {
    const { status } = server.addPod({
      name: 'q',
      containers: [
        { name: 'a', state: 'restarting' },
        { name: 's', sidecar: true },
      ],
    }) as unknown as { status: Record<string, unknown[]> }
    expect(status['containerStatuses']).toMatchObject([
      {
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 1 } },
      },
    ])
    expect(status['initContainerStatuses']).toMatchObject([{ name: 's', ready: true }])
  })
})

describe('bad days', () => {
  const tenBytes = ['printf', '0123456789']

  test.each([
    ['reset', 1006, 'ECONNRESET'],
    ['fin', 1006, 'end'],
    ['close', 1000, undefined],
    ['close-1011', 1011, undefined],
  ] as const)('%s instead of the status, after all or in the middle of stdout', async (kind, code, tcp) => {
    server.misbehaveExec({ times: 1 }, kind)
    server.misbehaveExec({}, { kind, afterBytes: 4 })
    for (const stdout of ['0123456789', '0123']) {
      const client = await run(tenBytes)
      expect(client.text(1)).toBe(stdout)
      expect(client.text(3), 'no status').toBe('')
      expect(client.seen.closed).toEqual({ code })
      if (tcp !== undefined) expect(client.seen.tcp).toBe(tcp)
    }
  })

  test('half-open: nothing comes, no pong either, and the connection stays', async () => {
    server.misbehaveExec({}, { kind: 'half-open', afterBytes: 4 })
    const client = execClient(server, tenBytes)
    await expect.poll(() => client.text(1)).toBe('0123')
    let pongs = 0
    client.ws.on('pong', () => pongs++)
    client.ws.ping()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(pongs).toBe(0)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    expect(client.text(1)).toBe('0123')
    client.ws.terminate()
  })

  test('status: whatever was asked for', async () => {
    server.misbehaveExec({ times: 1 }, { kind: 'status', body: '{"status":"Suc' })
    expect((await run(tenBytes)).text(3)).toBe('{"status":"Suc')
    server.misbehaveExec({}, { kind: 'status', body: { status: 'Failure', reason: 'NonZeroExitCode' } })
    expect((await run(tenBytes)).status()).toEqual({ status: 'Failure', reason: 'NonZeroExitCode' })
  })

  test('truncated: Success, and stdout is short', async () => {
    server.misbehaveExec({}, { kind: 'truncated', bytes: 3 })
    const client = await run(tenBytes)
    expect(client.text(1)).toBe('012')
    expect(client.status()).toMatchObject({ status: 'Success' })
  })

  const order = ({ seen }: ExecClient): string =>
    seen.frames
      .filter(({ bytes }) => bytes.length > 0)
      .map(({ channel, bytes }) => (channel === 3 ? 'status' : bytes.toString()))
      .join(' ')

  test('late-stdout and early-success: stdout comes after the status', async () => {
    server.misbehaveExec({ times: 1 }, { kind: 'late-stdout', bytes: 3 })
    expect(order(await run(tenBytes))).toBe('0123456 status 789')
    server.misbehaveExec({}, 'early-success')
    const early = await run(['sh', '-c', 'printf 0123456789; exit 1'])
    expect(order(early)).toBe('status 0123456789')
    expect(early.status()).toMatchObject({ status: 'Success' })
  })

  test('v4-only: the half-close is not understood', async () => {
    server.misbehaveExec({}, 'v4-only')
    const client = execClient(server, ['wc', '-c'], { stdin: true })
    await client.opened
    expect(client.ws.protocol).toBe('v4.channel.k8s.io')
    client.ws.send(Buffer.of(255, 0))
    client.ws.send(Buffer.from('\0hello'))
    await expect.poll(() => server.execs[0]).toMatchObject({ received: 5, stdin: 'open', running: true })
    client.ws.terminate()
    expect((await run(['true'], { protocols: ['v5.channel.k8s.io'] })).seen.refused?.status).toBe(403)
  })

  test('channel-255, unknown-channel and empty-frames besides all that is right', async () => {
    server.misbehaveExec({}, ['channel-255', 'unknown-channel', 'empty-frames'])
    const client = await run(tenBytes)
    expect(client.text(1)).toBe('0123456789')
    expect(client.status()).toMatchObject({ status: 'Success' })
    const channels = new Set(client.seen.frames.map(({ channel }) => channel))
    expect(channels).toEqual(new Set([0, 1, 2, 255, 3, 7, 9, undefined]))
  })

  test('split-frames: characters in pieces', async () => {
    server.misbehaveExec({}, { kind: 'split-frames', size: 1 })
    const client = await run(['printf', 'é😀'])
    expect(client.text(1)).toBe('é😀')
    expect(client.seen.frames.filter(({ channel, bytes }) => channel === 1 && bytes.length === 1)).toHaveLength(6)
  })

  test('slow-sender and slow-reader', async () => {
    server.misbehaveExec({ times: 1 }, { kind: 'slow-sender', bytesPerSecond: 1000 })
    const begin = performance.now()
    await run(['head', '-c', '100', '/dev/zero'])
    expect(performance.now() - begin).toBeGreaterThan(80)

    server.misbehaveExec({}, { kind: 'slow-reader', bytesPerSecond: 1000 })
    const client = execClient(server, ['wc', '-c'], { stdin: true })
    await client.opened
    const second = performance.now()
    for (let i = 0; i < 10; i++) client.ws.send(Buffer.alloc(11))
    client.ws.send(Buffer.of(255, 0))
    await client.ended
    expect(client.text(1).trim()).toBe('100')
    expect(performance.now() - second).toBeGreaterThan(80)
  })

  test('flood: as fast as it is taken, and no faster', async () => {
    const bytes = 40_000_003
    server.misbehaveExec({}, { kind: 'flood', bytes })
    const client = execClient(server, ['cat', 'huge'])
    let received = 0
    let isRight = true
    client.ws.removeAllListeners('message')
    client.ws.on('message', (data: Buffer) => {
      if (data[0] !== 1 || data.length === 1) return
      isRight &&= data[1] === received % 251 && data.at(-1) === (received + data.length - 2) % 251
      received += data.length - 1
    })
    await client.opened
    client.ws.pause()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const held = server.execs[0]?.sent ?? 0
    expect(held).toBeLessThan(20_000_000)
    client.ws.resume()
    await client.ended
    expect(received).toBe(bytes)
    expect(isRight).toBe(true)
    expect(server.execs[0]).toMatchObject({ sent: bytes, pid: undefined })
  })

  test('a process is held up by a client that does not read, and a client by a process', async () => {
    const reader = execClient(server, ['head', '-c', '25000000', '/dev/zero'])
    await reader.opened
    reader.ws.pause()
    const writer = execClient(server, ['sleep', '60'], { stdin: true })
    await writer.opened
    for (let i = 0; i < 300; i++) writer.ws.send(Buffer.alloc(100_000))
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(server.execs[0]).toMatchObject({ running: true })
    expect(server.execs[0]?.sent).toBeLessThan(20_000_000)
    expect(server.execs[1]?.received).toBeLessThan(20_000_000)
    expect(writer.ws.bufferedAmount).toBeGreaterThan(10_000_000)
    reader.ws.resume()
    await reader.ended
    expect(reader.text(1)).toHaveLength(25_000_000)
    writer.ws.terminate()
  })

  test.each([400, 403, 404, 500, 503])('refused with HTTP %i and a body', async (status) => {
    server.misbehaveExec({ times: 1 }, { kind: 'refused', status, message: 'not today' })
    const { refused } = (await run(['true'])).seen
    expect(refused?.status).toBe(status)
    expect(JSON.parse(refused?.body ?? '')).toMatchObject({ kind: 'Status', message: 'not today', code: status })
    expect(server.execs).toEqual([])
    expect((await run(['true'])).status()).toMatchObject({ status: 'Success' })
  })

  test('never-opens', async () => {
    server.misbehaveExec({}, 'never-opens')
    const client = execClient(server, ['true'])
    await expect.poll(() => server.requests.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(client.ws.readyState).toBe(client.ws.CONNECTING)
    expect(server.requests[0]?.status).toBeUndefined()
    client.ws.terminate()
  })

  test('are for those who are meant, as often as was asked', async () => {
    server.addPod({ name: 'q', containers: [{ name: 'c' }] })
    const fault: ExecFault = { kind: 'truncated', bytes: 0 }
    const day = server.misbehaveExec({ pod: 'q', container: 'c', program: 'printf', times: 1 }, fault)
    const stdout = async (...args: Parameters<typeof run>): Promise<string> => (await run(...args)).text(1)
    expect(await stdout(['printf', 'x'])).toBe('x')
    expect(await stdout(['echo', 'x'], { pod: 'q', container: 'c' })).toBe('x\n')
    expect(await stdout(['printf', 'x'], { pod: 'q', container: 'c' })).toBe('')
    expect(await stdout(['printf', 'x'], { pod: 'q', container: 'c' })).toBe('x')
    expect(day.hits).toBe(1)
    const other = server.misbehaveExec({}, fault)
    other.end()
    expect(await stdout(['printf', 'x'])).toBe('x')
  })
})
