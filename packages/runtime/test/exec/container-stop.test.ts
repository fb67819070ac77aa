import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { advanceUntil, testClock } from '@holdfast/testing'
import { db, setUp, sh, stream } from './container-support.ts'
import { failureOf, scratch, until } from './support.ts'

/** Says that it has begun, and goes on for ever. */
const forever = sh('echo begun; sleep 86400')

describe('a command in a container that must end', () => {
  it('by its timeout: is killed there, by the injected clock', async () => {
    const clock = testClock()
    const { exec, server, output } = await setUp({ clock })
    const running = failureOf(exec.container(db, { command: forever, stdout: 'log', timeout: '20m' }))
    await until(() => output.bytes().length > 0)
    // With its connection's pings on the way.
    for (let minute = 0; minute < 20; minute++) {
      for (let beat = 0; beat < 4; beat++) await clock.advance('15s')
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(await running).toMatchObject({
      code: 'EXEC_TIMEOUT',
      message: 'sh in shop/db-0/postgres did not finish within 20m and was stopped',
      details: { remote: 'killed' },
    })
    expect(server.execs[0]?.running).toBe(false)
    // What killed it is gone, too.
    await until(() => server.execs.every(({ running: runs, connection }) => !runs && connection === 'closed'))
  })

  it('by its silence, not while it prints, nor while what it printed waits to be taken', async () => {
    const clock = testClock()
    const { exec, output } = await setUp({ clock })
    let held = false
    let release = (): void => {}
    const sink = {
      async write() {
        held = true
        await new Promise<void>((resolve) => (release = resolve))
      },
    }
    const running = failureOf(
      exec.container(db, {
        command: sh('echo data; read go; echo more >&2; sleep 86400'),
        stdin: (async function* () {
          await until(() => held)
          await clock.advance('50s')
          release()
          yield Buffer.from('go\n')
          await new Promise(() => {})
        })(),
        stdout: sink,
        idleTimeout: '40s',
      }),
    )
    await until(() => output.bytes().length > 0)
    await clock.advance('30s')
    await clock.advance('10s')
    expect(await running).toMatchObject({ code: 'EXEC_IDLE', details: { remote: 'killed', stderrTail: 'more\n' } })
  })

  it('by a signal, with its reason; its last words are heard', async () => {
    for (const which of ['request', 'all'] as const) {
      const controller = new AbortController()
      const { exec, server, output } = await setUp(which === 'all' ? { signal: controller.signal } : {})
      // In the background: of a child that is killed in the foreground a shell would say so.
      const trapped = sh("trap 'echo given back; exit 0' TERM; echo begun; sleep 86400 & wait")
      const signal = which === 'request' ? controller.signal : undefined
      const running = failureOf(exec.container(db, { command: trapped, stdout: 'log', signal }))
      await until(() => output.bytes().length > 0)
      controller.abort(new Error('shutdown'))
      expect(await running).toMatchObject({
        code: 'EXEC_ABORTED',
        message: 'sh in shop/db-0/postgres was stopped: shutdown',
        details: { remote: 'killed' },
      })
      expect(output.bytes().toString()).toBe('begun\ngiven back\n')
      expect(server.execs[0]?.running).toBe(false)
    }
  })

  it('by KILL after the grace when it ignores TERM, with all that it started', async () => {
    const { exec, server, output } = await setUp({ killGraceMs: 100 })
    const controller = new AbortController()
    const command = sh("trap '' TERM; setsid sleep 86400 & sleep 86400 & echo begun; wait")
    const running = failureOf(exec.container(db, { command, stdout: 'log', signal: controller.signal }))
    await until(() => output.bytes().length > 0)
    controller.abort()
    expect((await running).details['remote']).toBe('killed')
    expect(server.execs[0]?.running).toBe(false)
  })

  it('before it was started: nothing is run', async () => {
    const { exec, server } = await setUp()
    const signal = AbortSignal.abort(new Error('too late'))
    expect(await failureOf(exec.container(db, { command: ['true'], signal }))).toMatchObject({
      code: 'EXEC_ABORTED',
      message: 'true was stopped: too late',
    })
    expect(server.execs).toEqual([])

    const controller = new AbortController()
    server.misbehaveExec({}, 'never-opens')
    const running = failureOf(exec.container(db, { command: ['true'], signal: controller.signal }))
    await until(() => server.requests.some(({ resource }) => resource === 'pods/exec'))
    controller.abort(new Error('enough'))
    expect((await running).code).toBe('EXEC_ABORTED')
    expect(server.execs).toEqual([])
  })

  it('because a sink or a handler of lines failed', async () => {
    const { exec, server } = await setUp()
    const sink = { write: () => Promise.reject(new Error('disk full')) }
    expect(await failureOf(exec.container(db, { command: forever, stdout: sink }))).toMatchObject({
      code: 'EXEC_SINK',
      message: 'the stdout of sh in shop/db-0/postgres could not be taken: disk full',
      details: { remote: 'killed' },
    })
    const onLine = (): void => {
      throw new Error('bad line')
    }
    expect((await failureOf(exec.container(db, { command: forever, onLine }))).message).toContain('bad line')
    const much = { command: sh('head -c 20000000 /dev/zero; sleep 86400') } as const
    expect((await failureOf(exec.container(db, much))).code).toBe('EXEC_OUTPUT_TOO_LARGE')
    await until(() => server.execs.every(({ running }) => !running))
  })

  it('because its input failed: it must not take a part for the whole', async () => {
    const directory = scratch()
    const { exec, server } = await setUp({ container: { directory } })
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield* stream('a part')
      await until(() => (server.execs[0]?.received ?? 0) > 'a part'.length)
      throw new Error('source gone')
    }
    const command = sh('cat > restored; touch complete')
    expect(await failureOf(exec.container(db, { command, stdin: broken() }))).toMatchObject({
      code: 'EXEC_STDIN',
      message: 'the input of sh in shop/db-0/postgres failed: source gone',
    })
    expect([existsSync(join(directory, 'complete')), server.execs[0]?.running]).toEqual([false, false])
  })

  it('but hangs on its way to a sink: is given up', async () => {
    const controller = new AbortController()
    const { exec, server } = await setUp()
    let held = false
    const sink = {
      write() {
        held = true
        return new Promise<void>(() => {})
      },
    }
    const running = failureOf(exec.container(db, { command: forever, stdout: sink, signal: controller.signal }))
    await until(() => held)
    controller.abort()
    expect((await running).code).toBe('EXEC_ABORTED')
    expect(server.execs[0]?.running).toBe(false)
  })

  it('and whose connection is lost while a sink hangs, does not hang', async () => {
    const { exec, server } = await setUp()
    let held = false
    const sink = {
      write() {
        held = true
        return new Promise<void>(() => {})
      },
    }
    server.misbehaveExec({ times: 1 }, { kind: 'reset', afterBytes: 5 })
    const error = await failureOf(exec.container(db, { command: forever, stdout: sink }))
    expect([held, error.code]).toEqual([true, 'EXEC_LOST'])
  })
})

describe('what is left behind', () => {
  it('holds the output open: no success, for nobody knows whether it is whole', async () => {
    const clock = testClock()
    const { exec, server, output } = await setUp({ clock })
    const running = failureOf(exec.container(db, { command: sh('sleep 86400 & echo begun'), stdout: 'log' }))
    await until(() => output.bytes().length > 0)
    expect(await advanceUntil(clock, running, '500ms')).toMatchObject({
      code: 'EXEC_INCOMPLETE',
      message: 'sh in shop/db-0/postgres ended, but another process still holds its output open',
    })
    // It may be meant to stay.
    expect(server.execs.map(({ running: runs }) => runs)).toEqual([true])
    // It is told once that all has arrived, however long that takes: the server may have closed meanwhile.
    await exec.container(db, { command: sh(':'), stdout: 'log' })
    expect(server.execs[0]?.received).toBe(server.execs[1]?.received)
  })

  it('goes on writing when the cluster has said that all is over: no success without what it writes', async () => {
    const { exec, server } = await setUp()
    // What comes last comes after the status.
    server.misbehaveExec({ times: 1 }, { kind: 'late-stdout', bytes: 5 })
    const command = sh('(sleep 0.3; echo late) & echo now')
    expect((await failureOf(exec.container(db, { command }))).code).toBe('EXEC_INCOMPLETE')
  })

  it('wrote while nobody took anything, behind the end', async () => {
    const { exec, server } = await setUp()
    const { promise, resolve } = Promise.withResolvers<void>()
    const command = sh('head -c 100000 /dev/zero; (sleep 0.3; echo late) & :')
    // So slow that the end and what is written behind it are read together.
    server.misbehaveExec({ times: 1 }, { kind: 'slow-sender', bytesPerSecond: 150_000 })
    const running = failureOf(exec.container(db, { command, stdout: { write: () => promise } }))
    setTimeout(resolve, 500)
    expect((await running).code).toBe('EXEC_INCOMPLETE')
  })

  it('is said when there is no shell to kill it with', async () => {
    const controller = new AbortController()
    const { exec, server, log, output } = await setUp({ container: { shell: false } })
    const command = [process.execPath, '-e', 'console.log("begun"); setInterval(() => {}, 1e9)'] as const
    const running = failureOf(exec.container(db, { command, stdout: 'log', signal: controller.signal }))
    await until(() => output.bytes().length > 0)
    controller.abort(new Error('shutdown'))
    expect(await running).toMatchObject({
      code: 'EXEC_ABORTED',
      details: { remote: 'unknown', remoteReason: expect.stringContaining('without a shell') },
    })
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      expect.stringContaining('may still run: without a shell in its container it cannot be found again'),
    ])
    expect(server.execs.at(-1)?.running).toBe(true)
  })

  it('is said when the API server is gone, and that takes no longer than it must', async () => {
    const clock = testClock()
    const controller = new AbortController()
    const { exec, server, log, output } = await setUp({ clock })
    const running = failureOf(exec.container(db, { command: forever, stdout: 'log', signal: controller.signal }))
    await until(() => output.bytes().length > 0)
    await server.down()
    expect(await advanceUntil(clock, running, '500ms')).toMatchObject({
      code: 'EXEC_LOST',
      details: { remote: 'unknown', remoteReason: expect.stringContaining('ECONNREFUSED') },
    })
    expect(log.lines.map(({ message }) => message)).toEqual([expect.stringContaining('may still run')])
    await server.up()
  })

  it('is said when what should kill it cannot be started', async () => {
    const controller = new AbortController()
    const { exec, log, output, server } = await setUp()
    const running = failureOf(exec.container(db, { command: forever, stdout: 'log', signal: controller.signal }))
    await until(() => output.bytes().length > 0)
    const status = { kind: 'status', body: { status: 'Failure', message: 'no more processes' } } as const
    server.misbehaveExec({ times: 1 }, [{ kind: 'flood', bytes: 0 }, status])
    controller.abort()
    expect((await running).details).toMatchObject({ remote: 'unknown', remoteReason: 'no more processes' })
    expect(log.lines).toHaveLength(1)
  })
})
