import { randomBytes } from 'node:crypto'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSecret, type ExecRequest } from '@holdfast/sdk'
import { testClock } from '@holdfast/testing'
import { collect, db, setUp, sh, stream } from './container-support.ts'
import { failureOf, scratch, setup as local, until } from './support.ts'

describe('exec.container', () => {
  it('ends with what it printed, its exit code, and how much is proven', async () => {
    const { exec, output } = await setUp()
    const request: ExecRequest = { command: sh('echo out; echo err >&2; exit 3'), okExitCodes: [0, 3] }
    for (const integrity of ['status', 'bytes', 'sha256'] as const) {
      const result = await exec.container(db, { ...request, integrity })
      expect(result).toMatchObject({ exitCode: 3, stdout: 'out\n', stderrTail: 'err\n', bytes: 4, integrity })
    }
    expect((await exec.container(db, request)).integrity).toBe('status')
    expect(output.bytes().toString()).toBe('err\n'.repeat(4))
  })

  it('takes binary data both ways, byte by byte', async () => {
    const { exec } = await setUp()
    const data = randomBytes(300_000)
    const [stdout, stderr] = [collect(), collect()]
    const result = await exec.container(db, {
      command: sh('head -c 100 >&2; cat'),
      stdin: stream(data.subarray(0, 10), data.subarray(10, 100), data.subarray(100)),
      stdout,
      stderr,
      integrity: 'sha256',
    })
    expect(stdout.bytes().equals(data.subarray(100))).toBe(true)
    expect(stderr.bytes().equals(data.subarray(0, 100))).toBe(true)
    expect(result).toMatchObject({ bytes: 299_900, stdout: '', integrity: 'sha256' })
  })

  it('gives lines and logs while it runs', async () => {
    const { exec, output } = await setUp()
    const lines: string[] = []
    await exec.container(db, {
      command: sh('echo one; echo two >&2; printf three'),
      stdout: 'log',
      onLine: (line, from) => void lines.push(`${from} ${line}`),
    })
    expect(lines.toSorted()).toEqual(['stderr two', 'stdout one', 'stdout three'])
    expect(output.bytes().length).toBe('one\ntwo\nthree'.length)
  })

  it('has env, and a working directory', async () => {
    const { exec } = await setUp({ container: { env: { KEPT: 'kept' } } })
    const { stdout } = await exec.container(db, {
      command: sh('pwd; printf "%s|" "$A" "$KEPT"'),
      cwd: '/usr',
      env: { A: 'two\nlines\n' },
    })
    expect(stdout).toBe('/usr\ntwo\nlines\n|kept|')
    const error = await failureOf(exec.container(db, { command: ['pwd'], cwd: '/nowhere' }))
    expect(error).toMatchObject({ code: 'EXEC_NOT_FOUND', message: expect.stringContaining('/nowhere') })
  })

  it('fault F31: exit codes pass unchanged', async () => {
    const { exec, raw } = await setUp()
    for (const exitCode of [1, 2, 125, 126, 127, 137, 143, 255]) {
      const request = { command: sh(`exit ${exitCode}`) }
      for (const wrapper of ['auto', 'never'] as const) {
        const error = await failureOf(raw.run(db, request, { wrapper }))
        expect(error).toMatchObject({ code: 'EXEC_FAILED', details: { exitCode } })
      }
      expect((await exec.container(db, { ...request, okExitCodes: [exitCode] })).exitCode).toBe(exitCode)
    }
    const killed = await failureOf(exec.container(db, { command: sh('echo last words >&2; kill -9 $$') }))
    expect(killed).toMatchObject({
      code: 'EXEC_FAILED',
      message: 'sh in shop/db-0/postgres failed with exit code 137: last words',
      details: { exitCode: 137, stderrTail: 'last words\n' },
    })
  })

  it('a program that is not there is said to be missing', async () => {
    const { exec, raw } = await setUp()
    const wrapped = await failureOf(exec.container(db, { command: ['nonesuch'] }))
    expect(wrapped).toMatchObject({ code: 'EXEC_FAILED', details: { exitCode: 127 } })
    expect(wrapped.message).toContain('not found')
    expect(await failureOf(raw.run(db, { command: ['nonesuch'] }, { wrapper: 'never' }))).toMatchObject({
      code: 'EXEC_NOT_FOUND',
      message: 'nonesuch in shop/db-0/postgres cannot be started: there is no such program in its container',
    })
  })

  it('fault F54: secrets go neither into the URL nor into arguments, nor come out in a log', async () => {
    const { exec, server, redactor, output } = await setUp()
    const secret = createSecret('correct-horse-battery')
    const command = sh('tr "\\0" " " < /proc/$$/cmdline; echo; echo "$P" >&2; exit 1')
    const error = await failureOf(exec.container(db, { command, env: { P: secret }, stdout: 'log' }))
    expect(error.details['stderrTail']).toBe('[redacted]\n')
    expect(JSON.stringify([error, server.requests, server.execs.map(({ argv }) => argv)])).not.toContain(
      'correct-horse',
    )
    expect(output.bytes().toString()).not.toContain('correct-horse')
    expect(redactor.exposes('correct-horse-battery')).toBe(true)
    const refused = await failureOf(exec.container(db, { command: ['mysqldump', '-pcorrect-horse-battery'] }))
    expect(refused.code).toBe('EXEC_SECRET_IN_ARGV')
    expect(server.execs).toHaveLength(1)
  })

  it('refuses what a shell cannot do before anything is asked of the cluster', async () => {
    const { exec, raw, server } = await setUp()
    const codes = [
      exec.container(db, { command: ['x'], env: { 'not.a.name': '1' } }),
      exec.container(db, { command: ['-x'] }),
      exec.container(db, { command: ['x', 'zero\0byte'] }),
      exec.container(db, { command: ['x'], timeout: 'soon' as never }),
      raw.run(db, { command: ['x'], env: { A: '1' } }, { wrapper: 'never' }),
      raw.run({ selector: 'app=db', container: 'postgres' }, { command: ['x'] }, { lookFirst: false }),
    ].map(async (work) => (await failureOf(work)).code)
    expect(await Promise.all(codes)).toEqual(Array.from({ length: 6 }, () => 'EXEC_REQUEST'))
    expect(server.requests).toEqual([])
  })

  it('rejects without a cluster', async () => {
    const { exec } = local()
    expect((await failureOf(exec.container(db, { command: ['true'] }))).code).toBe('EXEC_NO_CLUSTER')
    expect((await failureOf(exec.session(db, { command: ['true'] }))).code).toBe('EXEC_NO_CLUSTER')
  })

  it('leaves nothing behind: what it started has ended, and every timer with it', async () => {
    const clock = testClock()
    const { exec, server, raw } = await setUp({ clock })
    await exec.container(db, { command: ['true'], timeout: '1h', idleTimeout: '1h' })
    await raw.run(db, { command: ['true'] }, { wrapper: 'never' })
    await until(() => server.execs.every(({ running, connection }) => !running && connection === 'closed'))
    expect([server.execs.length, clock.pending]).toEqual([2, 0])
  })

  it('counts commands and bytes', async () => {
    const { exec, metrics, server } = await setUp()
    await exec.container(db, { command: ['echo', 'four'] })
    await failureOf(exec.container(db, { command: sh('exit 1') }))
    await failureOf(exec.container({ pod: 'none', container: 'postgres' }, { command: ['true'] }))
    server.misbehaveExec({ times: 1 }, { kind: 'reset', afterBytes: 2 })
    await failureOf(exec.container(db, { command: ['echo', 'four'] }))
    const text = await metrics.text()
    expect(text).toContain('holdfast_exec_streams_total{result="success",container="postgres"} 1')
    expect(text).toContain('holdfast_exec_streams_total{result="failed",container="postgres"} 1')
    expect(text).toContain('holdfast_exec_streams_total{result="no_pod",container="postgres"} 1')
    expect(text).toContain('holdfast_exec_streams_total{result="lost",container="postgres"} 1')
    expect(text).toContain('holdfast_exec_bytes_total{container="postgres"} 7')
  })
})

describe('a container without a shell', () => {
  const shellLess = { container: { shell: false } }

  it('fault F32: gets exactly the arguments, one at a time up to 131,071 bytes', async () => {
    const { exec } = await setUp(shellLess)
    const print = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))'
    const args = ["it's", '$HOME', '', '-n', '--', '"\\', '\n', 'ü日😀', 'x'.repeat(131_071), '%2F+&=#?'] as const
    const { stdout, integrity } = await exec.container(db, { command: [process.execPath, '-e', print, '--', ...args] })
    expect(JSON.parse(stdout)).toEqual(args)
    expect(integrity).toBe('status')
  })

  it('is remembered: the shell is tried once per start of the container', async () => {
    const { exec, server } = await setUp(shellLess)
    for (let at = 0; at < 3; at++) {
      const { stdout } = await exec.container(db, { command: ['cat'], stdin: stream('all', ' of it') })
      expect(stdout).toBe('all of it')
    }
    expect(server.execs.map(({ argv }) => argv[0])).toEqual(['/bin/sh', 'cat', 'cat', 'cat'])
  })

  it('is refused what needs one: never silently less', async () => {
    const { exec, server } = await setUp(shellLess)
    for (const [more, wanted] of [
      [{ env: { A: '1' } }, 'env'],
      [{ cwd: '/tmp' }, 'cwd'],
      [{ integrity: 'bytes' }, 'integrity "bytes"'],
      [{ integrity: 'sha256', cwd: '/' }, 'cwd and integrity "sha256"'],
    ] as const) {
      const error = await failureOf(exec.container(db, { command: ['cat'], ...more }))
      expect(error).toMatchObject({
        code: 'EXEC_NO_SHELL',
        message: expect.stringContaining(`${wanted} needs /bin/sh`),
      })
    }
    expect(server.execs.filter(({ argv }) => argv[0] !== '/bin/sh')).toEqual([])
  })
})

describe('a tool that is missing in the container', () => {
  it('is named before any byte is trusted, and nothing is run', async () => {
    const directory = scratch()
    symlinkSync('/usr/bin/tee', join(directory, 'tee'))
    const { exec } = await setUp({ container: { env: { PATH: directory } } })
    const error = await failureOf(exec.container(db, { command: ['/bin/echo', 'x'], integrity: 'sha256' }))
    expect(error).toMatchObject({
      code: 'EXEC_NO_TOOL',
      message:
        '/bin/echo in shop/db-0/postgres was not started: integrity "sha256" needs sha256sum, which its container does not have',
    })
  })
})
