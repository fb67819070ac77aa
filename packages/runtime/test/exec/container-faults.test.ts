import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { advanceUntil, testClock, type ExecFault } from '@holdfast/testing'
import { collect, db, setUp, sh, stream } from './container-support.ts'
import { failureOf, scratch, until } from './support.ts'

/** In the middle of ten bytes. */
const halfway = { command: sh('printf 0123456789; exec sleep 86400') } as const
const success = JSON.stringify({ metadata: {}, status: 'Success' })
const failure = (message: string): object => ({ status: 'Failure', reason: 'InternalError', code: 500, message })

describe('fault F22: the connection ends without a status', () => {
  it.each(['reset', 'fin', 'close', 'close-1011'] as const)('%s in the middle: lost, and killed', async (kind) => {
    const { exec, server } = await setUp()
    server.misbehaveExec({ times: 1 }, { kind, afterBytes: 5 })
    const sink = collect()
    const error = await failureOf(exec.container(db, { ...halfway, stdout: sink }))
    expect(error).toMatchObject({ code: 'EXEC_LOST', retryable: true, details: { remote: 'killed' } })
    expect(error.message).toMatch(/^the connection to sh in shop\/db-0\/postgres was lost before it was known how/)
    expect(sink.bytes().toString()).toBe('01234')
    expect(server.execs[0]?.running).toBe(false)
  })

  it.each(['reset', 'fin', 'close', 'close-1011'] as const)('%s in place of the status: lost', async (kind) => {
    for (const wrapper of ['auto', 'never'] as const) {
      const { raw, server } = await setUp()
      server.misbehaveExec({ times: 1 }, kind)
      const error = await failureOf(raw.run(db, { command: ['echo', 'all'] }, { wrapper }))
      expect(error).toMatchObject({
        code: 'EXEC_LOST',
        details: { remote: wrapper === 'auto' ? 'gone' : 'unknown' },
      })
    }
  })

  it('before anything came', async () => {
    const { exec, server } = await setUp()
    server.misbehaveExec({ times: 1 }, { kind: 'reset', afterBytes: 0 })
    expect((await failureOf(exec.container(db, halfway))).code).toBe('EXEC_LOST')
    expect(server.execs[0]?.running).toBe(false)
  })
})

describe('a status that says nothing', () => {
  it('is no success', async () => {
    const { raw, server } = await setUp()
    for (const body of [
      'no JSON',
      '',
      'null',
      '[]',
      '{}',
      '"Success"',
      '{"status":true}',
      '{"status":"success"}',
      '{',
    ]) {
      server.misbehaveExec({ times: 1 }, { kind: 'status', body })
      const error = await failureOf(raw.run(db, { command: ['true'] }, { wrapper: 'never' }))
      expect(error.code, body).toBe('EXEC_LOST')
    }
    server.misbehaveExec({ times: 1 }, { kind: 'status', body: '{}' })
    expect(await failureOf(raw.run(db, { command: ['true'] }))).toMatchObject({
      code: 'EXEC_LOST',
      message: expect.stringContaining('its status is not readable: {}'),
      details: { remote: 'gone' },
    })
  })

  it.each([
    failure('error executing command in container: context deadline exceeded'),
    { status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '0' }] } },
    { status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: 'one' }] } },
    { status: 'Failure', details: { causes: null } },
    { status: 'Failure' },
  ])('has no exit code: %j', async (body) => {
    const { exec, server } = await setUp()
    server.misbehaveExec({ times: 1 }, { kind: 'status', body })
    const error = await failureOf(exec.container(db, { command: ['true'] }))
    expect(error).toMatchObject({ code: 'EXEC_STATUS', message: expect.stringContaining('it is not known how true') })
  })

  it('contradicts the container', async () => {
    const { exec, server } = await setUp()
    server.misbehaveExec({ times: 1 }, { kind: 'status', body: success })
    expect(await failureOf(exec.container(db, { command: sh('exit 3') }))).toMatchObject({
      code: 'EXEC_STATUS',
      message: expect.stringContaining('the cluster says exit code 0, its container says 3'),
    })
  })
})

describe('fault F23: Success, but standard output is short', () => {
  it.each([
    ['bytes', 'it wrote 10 bytes, 4 arrived'],
    ['sha256', 'the SHA-256 of what it wrote is 84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882'],
    ['status', 'the end of its standard output is missing'],
  ] as const)('%s find it out', async (integrity, reason) => {
    const clock = testClock()
    const { exec, server } = await setUp({ clock })
    server.misbehaveExec({ times: 1 }, { kind: 'truncated', bytes: 4 })
    const running = failureOf(exec.container(db, { command: ['printf', '0123456789'], integrity }))
    // In small steps: a busy machine needs a while for the command itself, which must not become too late by that.
    expect(await advanceUntil(clock, running, '50ms')).toMatchObject({
      code: 'EXEC_TRUNCATED',
      retryable: true,
      message: expect.stringContaining(reason),
    })
  })

  it('Success comes before the command has ended: no success, and nothing is left running', async () => {
    const clock = testClock()
    const { exec, server, output } = await setUp({ clock })
    server.misbehaveExec({ times: 1 }, 'early-success')
    const running = failureOf(exec.container(db, { command: sh('echo begun; exec sleep 86400'), stdout: 'log' }))
    await until(() => output.bytes().length > 0)
    expect(await advanceUntil(clock, running)).toMatchObject({ code: 'EXEC_TRUNCATED', details: { remote: 'killed' } })
    expect(server.execs[0]?.running).toBe(false)
  })

  it('a server that loses what is on its way when the command ends loses nothing: the command waits', async () => {
    const { exec, raw, server } = await setUp()
    // At the end of the command there is something on its way.
    server.misbehaveExec({ times: 2 }, ['loses-rest', { kind: 'slow-sender', bytesPerSecond: 2 ** 21 }])
    const size = 2 ** 19
    const command = sh(`head -c ${size} /dev/zero; echo last words >&2`)
    const whole = collect()
    const result = await exec.container(db, { command, stdout: whole })
    expect({ arrived: whole.bytes().length, counted: result.bytes, said: result.stderrTail }).toEqual({
      arrived: size,
      counted: size,
      said: 'last words\n',
    })
    // Without the shell that waits, the very same server cuts it short and says that all is well.
    const short = collect()
    await raw.run(db, { command, stdout: short }, { wrapper: 'never' })
    expect(short.bytes().length).toBeLessThan(size)
  })

  describe('without a shell, output that is taken slowly', () => {
    /** Takes nothing until it is released. */
    const hold = (): ReturnType<typeof collect> & { readonly release: () => void } => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const sink = collect()
      return { ...sink, write: (chunk) => promise.then(() => sink.write(chunk)), release: resolve }
    }
    const noise = `head -c ${2 ** 21} /dev/zero`

    it('is not known to be whole: the server loses the end, and says that all is well', async () => {
      const { exec, server } = await setUp({ container: { shell: false } })
      server.misbehaveExec({ times: 2 }, 'loses-rest')
      const sink = hold()
      const running = failureOf(
        exec.container(db, { command: ['head', '-c', String(2 ** 25), '/dev/zero'], stdout: sink }),
      )
      await until(() => (server.execs.at(-1)?.sent ?? 0) > 2 ** 20)
      setTimeout(sink.release, 100)
      expect(await running).toMatchObject({
        code: 'EXEC_UNPROVEN',
        retryable: true,
        message: expect.stringContaining('its container has no shell that could tell'),
      })
    })

    it('counts when nothing was held up any more long before its end', async () => {
      const clock = testClock()
      const { raw } = await setUp({ clock })
      const sink = hold()
      const goOn = Promise.withResolvers<void>()
      const order = async function* (): AsyncGenerator<Uint8Array> {
        await goOn.promise
        yield Buffer.from('\n')
      }
      const run = (): Promise<unknown> =>
        raw.run(db, { command: sh(`${noise}; read x; echo end`), stdin: order(), stdout: sink }, { wrapper: 'never' })
      const running = run()
      setTimeout(sink.release, 100)
      await until(() => sink.bytes().length === 2 ** 21)
      await clock.advance('10s')
      goOn.resolve()
      expect(await running).toMatchObject({ exitCode: 0, bytes: 2 ** 21 + 4 })
    })

    it('counts where it is only logged, and where the command fails its exit code says so', async () => {
      const { raw, server } = await setUp()
      const how = { wrapper: 'never' } as const
      expect(await raw.run(db, { command: sh(noise), stdout: 'log' }, how)).toMatchObject({ bytes: 2 ** 21 })
      const sink = hold()
      const failing = failureOf(raw.run(db, { command: sh(`${noise}; exit 3`), stdout: sink }, how))
      await until(() => (server.execs[1]?.sent ?? 0) > 2 ** 20)
      setTimeout(sink.release, 100)
      expect(await failing).toMatchObject({ code: 'EXEC_FAILED', details: { exitCode: 3 } })
    })
  })

  it('a stall of some seconds while the last output is under way loses nothing: the command goes on waiting', async () => {
    const clock = testClock()
    const { exec, server } = await setUp({ clock })
    server.misbehaveExec({ times: 1 }, ['loses-rest', { kind: 'slow-sender', bytesPerSecond: 200 }])
    const sink = collect()
    const running = exec.container(db, { command: ['printf', '0123456789'.repeat(20)], stdout: sink })
    await until(() => sink.bytes().length > 150)
    await clock.advance('15s')
    expect(await running).toMatchObject({ exitCode: 0, bytes: 200 })
  })

  it('the rest comes after the status, and counts', async () => {
    const clock = testClock()
    const { exec, raw, server } = await setUp({ clock })
    server.misbehaveExec({ times: 2 }, { kind: 'late-stdout', bytes: 4 })
    const request = { command: ['printf', '0123456789'] } as const
    const running = exec.container(db, { ...request, integrity: 'sha256' })
    // Far slower than it would lose patience.
    expect((await advanceUntil(clock, running, '10ms')).stdout).toBe('0123456789')
    expect((await raw.run(db, request, { wrapper: 'never' })).stdout).toBe('0123456789')
  })
})

describe('fault F24: half-open', () => {
  it('is noticed by a ping without an answer, and the command is killed', async () => {
    for (const wrapper of ['auto', 'never'] as const) {
      const clock = testClock()
      const { raw, server, output } = await setUp({ clock })
      server.misbehaveExec({ times: 1 }, { kind: 'half-open', afterBytes: 5 })
      const running = failureOf(raw.run(db, { ...halfway, stdout: 'log' }, { wrapper }))
      await until(() => output.bytes().length === 5)
      // What came last counts as a sign of life, so that it takes a third beat.
      for (let beat = 0; beat < 3; beat++) await clock.advance('15s')
      expect(await running).toMatchObject({
        code: 'EXEC_LOST',
        message: expect.stringContaining('no answer to a ping for 15.0 s'),
        details: { remote: wrapper === 'auto' ? 'killed' : 'unknown' },
      })
      expect(server.execs[0]?.running).toBe(wrapper === 'never')
    }
  })

  it('of an answer to the handshake is noticed by its deadline', async () => {
    const clock = testClock()
    const { exec, server } = await setUp({ clock })
    server.misbehaveExec({}, 'never-opens')
    const running = failureOf(exec.container(db, { command: ['true'] }))
    await until(() => server.requests.some(({ resource }) => resource === 'pods/exec'))
    await clock.advance('15s')
    expect(await running).toMatchObject({ code: 'EXEC_UNREACHABLE', message: expect.stringContaining('in time') })
  })

  it('after the handshake, before the command: noticed, too', async () => {
    const clock = testClock()
    const { exec, server } = await setUp({ clock })
    server.misbehaveExec({ times: 1 }, { kind: 'half-open', afterBytes: 0 })
    const running = failureOf(exec.container(db, halfway))
    await until(() => server.execs.length === 1)
    expect((await advanceUntil(clock, running, '5s')).code).toBe('EXEC_LOST')
  })
})

describe('fault F25: a long silence', () => {
  it('is no loss while pings are answered', async () => {
    const clock = testClock()
    const { exec } = await setUp({ clock })
    const session = await exec.session(db, { command: sh('echo up; read word; echo "$word"') })
    for (let minute = 0; minute < 240; minute++) {
      for (let beat = 0; beat < 4; beat++) await clock.advance('15s')
      // Real time for the answer.
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await session.write('still there\n')
    expect((await session.result).stdout).toBe('up\nstill there\n')
  })

  it('is no loss while we are the ones who do not take what came', async () => {
    const clock = testClock()
    const { exec, server } = await setUp({ clock })
    let release = (): void => {}
    let taken = 0
    const sink = {
      async write(chunk: Uint8Array) {
        if (taken === 0) await new Promise<void>((resolve) => (release = resolve))
        taken += chunk.length
      },
    }
    const running = exec.container(db, { command: ['head', '-c', '20000000', '/dev/zero'], stdout: sink })
    await until(() => (server.execs[0]?.sent ?? 0) > 1_000_000)
    for (let beat = 0; beat < 40; beat++) await clock.advance('15s')
    release()
    expect((await running).bytes).toBe(20_000_000)
    expect(taken).toBe(20_000_000)
  })

  it('is no loss while the command does not read its input', async () => {
    const clock = testClock()
    const directory = scratch()
    const { exec, server } = await setUp({ clock, container: { directory } })
    const running = exec.container(db, {
      command: sh('until [ -e go ]; do sleep 0.02; done; wc -c'),
      stdin: stream(Buffer.alloc(20_000_000)),
    })
    await until(() => (server.execs[0]?.received ?? 0) > 100_000)
    for (let beat = 0; beat < 40; beat++) await clock.advance('15s')
    writeFileSync(join(directory, 'go'), '')
    expect((await running).stdout.trim()).toBe('20000000')
  })
})

describe('fault F27: odd servers', () => {
  const odd: readonly (readonly [string, ExecFault])[] = [
    ['knows only v4', 'v4-only'],
    ['closes channels', 'channel-255'],
    ['sends unknown channels', 'unknown-channel'],
    ['sends empty frames', 'empty-frames'],
    ['splits characters', { kind: 'split-frames', size: 1 }],
    ['sends slowly', { kind: 'slow-sender', bytesPerSecond: 500 }],
  ]
  it.each(odd)('%s', async (_name, fault) => {
    const { exec, raw, server } = await setUp()
    server.misbehaveExec({}, fault)
    const lines: string[] = []
    const result = await exec.container(db, {
      command: sh('printf "日本 ü\\nlast"; printf "ä ö\\n" >&2'),
      onLine: (line) => void lines.push(line),
      integrity: 'sha256',
    })
    expect(result).toMatchObject({ stdout: '日本 ü\nlast', stderrTail: 'ä ö\n' })
    expect(lines.toSorted()).toEqual(['last', 'ä ö', '日本 ü'].toSorted())
    expect((await raw.run(db, { command: ['echo', 'x'] }, { wrapper: 'never' })).stdout).toBe('x\n')
  })

  it('a v4-only server with input is a loud error: what comes after its end would be lost', async () => {
    const { exec, raw, server } = await setUp()
    server.misbehaveExec({}, 'v4-only')
    for (const work of [
      exec.container(db, { command: ['cat'], stdin: 'x' }),
      exec.session(db, { command: ['cat'] }),
      raw.run(db, { command: ['cat'], stdin: stream('x') }, { wrapper: 'never' }),
    ]) {
      expect((await failureOf(work)).code).toBe('EXEC_NO_HALF_CLOSE')
    }
    expect(server.execs).toEqual([])
  })

  it('the end of the input is told: half-closed, not disconnected', async () => {
    const { exec, raw, server } = await setUp()
    for (const wrapper of ['auto', 'never'] as const) {
      const { stdout } = await raw.run(db, { command: sh('cat; sleep 0.1; echo end'), stdin: 'x' }, { wrapper })
      expect(stdout).toBe('xend\n')
    }
    await exec.container(db, { command: ['true'] })
    await until(() => server.execs.every(({ connection }) => connection === 'closed'))
    expect(server.execs.map(({ stdin, protocol }) => [stdin, protocol])).toEqual([
      ['half-closed', 'v5.channel.k8s.io'],
      ['half-closed', 'v5.channel.k8s.io'],
      ['disconnected', 'v5.channel.k8s.io'],
    ])
  })
})

describe('a container runtime that says on standard output that there is no shell', () => {
  it('does not get its words into the data', async () => {
    const { exec, server } = await setUp()
    // What Docker did: its own message as the command's output, and exit code 126.
    server.misbehaveExec({ times: 1, program: '/bin/sh' }, [
      { kind: 'flood', bytes: 100 },
      {
        kind: 'status',
        body: { status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '126' }] } },
      },
    ])
    const sink = collect()
    const result = await exec.container(db, { command: ['echo', 'data'], stdout: sink })
    expect([sink.bytes().toString(), result.bytes]).toEqual(['data\n', 5])
    expect(server.execs.map(({ argv }) => argv[0])).toEqual(['/bin/sh', 'echo'])
  })
})
