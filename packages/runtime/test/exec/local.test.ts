import { describe, expect, it, vi } from 'vitest'
import { createSecret, type Sink } from '@holdfast/sdk'
import { failureOf, isAlive, kill, scratch, script, setup, until } from './support.ts'

const directory = scratch()
const sh = (text: string): [string, string, string] => ['sh', '-c', text]

describe('exec.local', () => {
  it('keeps standard output as text and passes standard error to the output', async () => {
    const { exec, output } = setup()
    const result = await exec.local({ command: sh('echo out; echo err >&2') })
    expect(result).toMatchObject({ exitCode: 0, stdout: 'out\n', stderrTail: 'err\n', bytes: 4, integrity: 'status' })
    expect(result.durationMs).toBeGreaterThan(0)
    expect(output.chunks).toEqual([['stderr', 'err\n']])
  })

  it('hands arguments over as they are: quotes, dollars, newlines, empty, dashes', async () => {
    const args = [`a'b"c`, '$HOME `id` \\', 'two\nlines', '', '-n', '--', 'ümläut €', 'x'.repeat(100_000)]
    const { stdout } = await setup().exec.local({ command: ['printf', '%s\\0', ...args] })
    expect(stdout.split('\0').slice(0, -1)).toEqual(args)
  })

  it('adds to the inherited environment, and runs where it is told', async () => {
    const { exec } = setup()
    const { stdout } = await exec.local({ command: sh('echo "$A $HOME"; pwd'), env: { A: 'added' }, cwd: directory })
    expect(stdout).toBe(`added ${process.env['HOME']}\n${directory}\n`)
  })

  it('reads /dev/null where there is no stdin', async () => {
    expect((await setup().exec.local({ command: sh('cat; readlink /proc/self/fd/0') })).stdout).toBe('/dev/null\n')
  })

  it('accepts the exit codes it is told to', async () => {
    const { exec } = setup()
    expect(await exec.local({ command: sh('exit 3'), okExitCodes: [0, 3] })).toMatchObject({ exitCode: 3 })
    expect(await exec.local({ command: sh('kill -TERM $$'), okExitCodes: [143] })).toMatchObject({ exitCode: 143 })
    expect(await failureOf(exec.local({ command: ['true'], okExitCodes: [1] }))).toMatchObject({ code: 'EXEC_FAILED' })
  })

  it('rejects on another exit code, with the last words of the command', async () => {
    const error = await failureOf(setup().exec.local({ command: sh('echo hopeless >&2; echo gone wrong >&2; exit 7') }))
    expect(error).toMatchObject({
      code: 'EXEC_FAILED',
      message: 'sh failed with exit code 7: gone wrong',
      details: { exitCode: 7, command: 'sh', stderrTail: 'hopeless\ngone wrong\n' },
    })
    expect(error.hint).toBeTruthy()
  })

  it('keeps the last 64 KiB of standard error, from the beginning of a line', async () => {
    const { stderrTail } = await setup().exec.local({ command: sh('seq 1 100000 >&2') })
    expect(stderrTail.length).toBeGreaterThan(65_000)
    expect(stderrTail.length).toBeLessThanOrEqual(65_536)
    expect(stderrTail).toMatch(/^\d+\n(.|\n)*\n99999\n100000\n$/)
    expect(Number(stderrTail.split('\n')[1])).toBe(Number(stderrTail.split('\n')[0]) + 1)
  })

  it('gives lines of both streams, whole, wherever they were cut', async () => {
    const lines: string[] = []
    await setup().exec.local({
      command: sh(`printf 'h\\303'; sleep 0.05; printf '\\244lf\\r\\nlast'; echo e >&2`),
      onLine: (line, from) => lines.push(`${from}: ${line}`),
    })
    expect(new Set(lines)).toEqual(new Set(['stderr: e', 'stdout: hälf', 'stdout: last']))
    expect(lines).toHaveLength(3)
  })

  it('refuses output as text beyond 16 MiB, and stops the command', async () => {
    const { exec } = setup()
    const error = await failureOf(exec.local({ command: sh('yes; echo never') }))
    expect(error).toMatchObject({ code: 'EXEC_OUTPUT_TOO_LARGE', message: 'sh printed more than 16 MiB' })
  })

  it.each([
    ['nothing at all', { command: [] as unknown as [string] }, 'its command is empty'],
    ['a number as its program', { command: [7] as unknown as [string] }, 'its command is empty'],
    ['no command', { command: [''] as [string] }, 'its command is empty'],
    ['a zero byte', { command: ['echo', 'a\0b'] as [string, string] }, 'its argument 1 holds a zero byte'],
    ['a variable with one', { command: ['echo'] as [string], env: { A: '\0' } }, 'the variable A holds a zero byte'],
    ['no duration', { command: ['echo'] as [string], timeout: 'soon' as '1s' }, 'timeout: "soon" is not a duration'],
  ])('refuses a request with %s', async (_, request, reason) => {
    const error = await failureOf(setup().exec.local(request))
    expect(error.code).toBe('EXEC_REQUEST')
    expect(error.message).toContain(reason)
  })

  it('runs no command in a container', async () => {
    const { exec } = setup()
    const where = { pod: 'p', container: 'db' }
    expect((await failureOf(exec.container(where, { command: ['ls'] }))).code).toBe('EXEC_NO_CLUSTER')
    expect((await failureOf(exec.session(where, { command: ['ls'] }))).message).toContain('the container "db"')
  })

  it('runs fifty at once', async () => {
    const { exec } = setup()
    const numbers = Array.from({ length: 50 }, (_, at) => String(at))
    const results = await Promise.all(numbers.map((n) => exec.local({ command: sh(`cat; echo ${n} >&2`), stdin: n })))
    expect(results.map(({ stdout, stderrTail }) => [stdout, stderrTail])).toEqual(numbers.map((n) => [n, `${n}\n`]))
  })
})

describe('the pipes of a command are real ones', () => {
  it('so that /dev/stdout, /dev/stderr and /dev/stdin can be opened', async () => {
    const { exec, output } = setup()
    const result = await exec.local({
      command: sh('echo to-err > /dev/stderr; cat /dev/stdin > /dev/stdout'),
      stdin: 'from-stdin',
    })
    expect(result).toMatchObject({ stdout: 'from-stdin', stderrTail: 'to-err\n' })
    await exec.local({
      command: sh('echo 1 > /dev/stderr; echo 2 > /dev/stdout; echo 3 >> /dev/stderr'),
      stdout: 'log',
    })
    expect(output.bytes().toString()).toBe('to-err\n1\n2\n3\n')
  })

  it('so that an input that has ended already can be opened, too', async () => {
    const { stdout } = await setup().exec.local({ command: sh('sleep 0.1; cat /dev/stdin'), stdin: 'early' })
    expect(stdout).toBe('early')
  })
})

describe('standard input', () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(65_536)
  }

  it('takes bytes with backpressure', async () => {
    let yielded = 0
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; yielded < 200; yielded++) yield Buffer.alloc(65_536, 'x')
    }
    const running = setup().exec.local({ command: sh('sleep 0.3; wc -c'), stdin: source() })
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(yielded).toBeLessThan(20)
    expect((await running).stdout.trim()).toBe(String(200 * 65_536))
  })

  it('that the command does not read to its end is no error by itself', async () => {
    let returned = false
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* endless()
      } finally {
        returned = true
      }
    }
    const { exec } = setup()
    expect((await exec.local({ command: ['head', '-c', '4'], stdin: source() })).bytes).toBe(4)
    await until(() => returned)
    expect((await exec.local({ command: ['true'], stdin: endless() })).exitCode).toBe(0)
    expect((await exec.local({ command: ['true'], stdin: 'x'.repeat(1_000_000) })).exitCode).toBe(0)
    expect((await exec.local({ command: sh('exec 0<&-; sleep 0.05'), stdin: endless() })).exitCode).toBe(0)
  })

  it('that fails stops the command before it takes a part for the whole', async () => {
    const { exec, output } = setup()
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first half')
      await vi.waitFor(() => expect(output.bytes()).not.toHaveLength(0), { timeout: 10_000 })
      throw new Error('source is gone')
    }
    const error = await failureOf(
      exec.local({ command: sh('cat >&2; echo took it for the whole'), stdin: broken(), stdout: 'log' }),
    )
    expect(error).toMatchObject({ code: 'EXEC_STDIN', message: 'the input of sh failed: source is gone' })
    expect(output.bytes().toString()).toBe('first half')
  })

  it('that never yields holds nobody up', async () => {
    async function* stuck(): AsyncGenerator<Uint8Array> {
      await new Promise(() => {})
      yield Buffer.alloc(0)
    }
    expect((await setup().exec.local({ command: ['true'], stdin: stuck() })).exitCode).toBe(0)
  })
})

describe('a sink', () => {
  it('gets every byte, and slows the command down', async () => {
    const seen: Uint8Array[] = []
    let open = 0
    const slow: Sink = {
      async write(chunk) {
        expect(++open).toBe(1)
        await new Promise((resolve) => setTimeout(resolve, 10))
        seen.push(chunk)
        open--
      },
    }
    const { exec } = setup()
    const counter = script(
      directory,
      'counter',
      '#!/bin/sh\ni=0; while [ $i -lt 40 ]; do head -c 65536 /dev/zero | tr "\\0" "$((i % 10))"; i=$((i+1)); done\n',
    )
    const { bytes } = await exec.local({ command: [counter], stdout: slow })
    const whole = Buffer.concat(seen)
    expect([bytes, whole.length]).toEqual([40 * 65_536, 40 * 65_536])
    for (let at = 0; at < 40; at++) expect(whole[at * 65_536 + 17]).toBe(48 + (at % 10))
  })

  it('is not run over by a fast command', async () => {
    let written = 0
    const sink: Sink = {
      async write(chunk) {
        written += chunk.length
        await new Promise((resolve) => setTimeout(resolve, 20))
      },
    }
    const controller = new AbortController()
    const running = setup().exec.local({ command: ['yes'], stdout: sink, signal: controller.signal })
    await new Promise((resolve) => setTimeout(resolve, 200))
    controller.abort(new Error('enough'))
    expect((await failureOf(running)).code).toBe('EXEC_ABORTED')
    expect(written).toBeLessThan(30 * 65_536)
  })

  it('that fails stops the command, and is the cause', async () => {
    const cause = new Error('disk full')
    const error = await failureOf(
      setup().exec.local({ command: ['yes'], stdout: { write: () => Promise.reject(cause) } }),
    )
    expect(error).toMatchObject({
      code: 'EXEC_SINK',
      message: 'the stdout of yes could not be taken: disk full',
      cause,
    })
  })

  it('that fails at the last bytes fails the command, although it exited well', async () => {
    const error = await failureOf(
      setup().exec.local({
        command: sh('echo data'),
        stdout: {
          async write() {
            await new Promise((resolve) => setTimeout(resolve, 50))
            throw new Error('disk full')
          },
        },
      }),
    )
    expect(error.code).toBe('EXEC_SINK')
  })

  it('is never told that all is well while somebody may still write to it', async () => {
    const { exec } = setup()
    let got = ''
    const sink: Sink = { write: async (chunk) => void (got += Buffer.from(chunk).toString()) }
    // A part of the data comes from a process that outlives the command.
    await exec.local({ command: sh('echo one; (sleep 0.5; echo two) &'), stdout: sink })
    expect(got).toBe('one\ntwo\n')
  })

  it('takes standard error, too', async () => {
    let got = ''
    const { exec, output } = setup()
    const { stderrTail } = await exec.local({
      command: sh('echo data >&2'),
      stderr: { write: async (chunk) => void (got += Buffer.from(chunk).toString()) },
    })
    expect([got, stderrTail, output.chunks]).toEqual(['data\n', 'data\n', []])
  })

  it('of lines that throws stops the command', async () => {
    const error = await failureOf(
      setup().exec.local({
        command: sh('echo x; sleep 10'),
        onLine() {
          throw new Error('no such line')
        },
      }),
    )
    expect(error).toMatchObject({ code: 'EXEC_SINK', message: expect.stringContaining('no such line') })
  })
})

describe('a process that outlives its command', () => {
  it('holding the output does not hang it', async () => {
    const { exec, log } = setup()
    const begin = performance.now()
    const { stdout } = await exec.local({ command: sh('setsid sleep 20 & echo $!') })
    expect(performance.now() - begin).toBeLessThan(5000)
    expect(log.lines).toEqual([
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('holds its output open') }),
    ])
    const pid = Number(stdout)
    expect(isAlive(pid)).toBe(true)
    kill(pid)
  })

  it('does not reach the next command through its pipe', async () => {
    const { exec, output } = setup()
    const { stdout } = await exec.local({
      command: sh('(trap "" PIPE; while sleep 0.05; do echo intruder 2>/dev/null; done) & echo $!'),
    })
    const pid = Number.parseInt(stdout, 10)
    for (let again = 0; again < 8; again++) {
      expect((await exec.local({ command: sh('sleep 0.06; echo mine') })).stdout).toBe('mine\n')
    }
    expect(isAlive(pid)).toBe(true)
    kill(pid)
    expect(output.bytes().toString()).not.toContain('intruder')
  })

  it('a little may still say its last words', async () => {
    const { exec, output } = setup()
    await exec.local({ command: sh('(sleep 0.05; echo last words) & echo first'), stdout: 'log' })
    expect(output.bytes().toString()).toBe('first\nlast words\n')
  })

  it('a command that closes its output early is waited for', async () => {
    const { exec } = setup()
    const error = await failureOf(exec.local({ command: sh('exec >&- 2>&-; sleep 0.2; exit 9'), stdout: 'log' }))
    expect(error.details['exitCode']).toBe(9)
  })
})

describe('fault F54: secrets', () => {
  it('reach the command by its environment, and no output, tail or error', async () => {
    const { exec, output } = setup()
    const secret = createSecret('c4nary-of-env')
    const request = {
      command: sh('echo "$S"; echo "$S" >&2; printf %s "$S" | base64; echo "$S" >&2; exit ${CODE:-0}'),
      env: { S: secret },
      stdout: 'log' as const,
    }
    const { stderrTail } = await exec.local(request)
    const error = await failureOf(exec.local({ ...request, env: { S: secret, CODE: '4' } }))
    const everything = [output.bytes().toString(), stderrTail, error.message, JSON.stringify(error.details), error.hint]
    expect(everything.join()).not.toMatch(/c4nary|YzRuYXJ5/)
    expect(stderrTail).toContain('[redacted]')
  })

  it('pass unchanged where the bytes are data', async () => {
    const { exec, redactor } = setup()
    redactor.add('c4nary-of-data')
    expect((await exec.local({ command: ['cat'], stdin: 'x c4nary-of-data y' })).stdout).toBe('x c4nary-of-data y')
  })

  it('that became text on the way are refused: the command would get something else', async () => {
    const { exec } = setup()
    const secret = createSecret('c4nary')
    const url = `postgres://me:${String(secret)}@db/shop`
    const argument = await failureOf(exec.local({ command: ['psql', url] }))
    expect(argument).toMatchObject({
      code: 'EXEC_REQUEST',
      message: 'psql was not started: its argument 1 has a secret in it that was made text: hand it to env or stdin',
    })
    const variable = await failureOf(exec.local({ command: ['psql'], env: { URL: url, PGPASSWORD: secret } }))
    expect(variable).toMatchObject({
      code: 'EXEC_REQUEST',
      message: 'psql was not started: the variable URL has a secret in it that was made text: use its reveal()',
    })
  })

  it('in an argument are refused, and not repeated', async () => {
    const { exec, redactor } = setup()
    redactor.add('c4nary-of-argv')
    const error = await failureOf(exec.local({ command: ['curl', '-u', 'me:c4nary-of-argv', 'https://x'] }))
    expect(error).toMatchObject({ code: 'EXEC_SECRET_IN_ARGV', details: { position: 2 } })
    expect(JSON.stringify([error.message, error.details])).not.toContain('c4nary')
    expect((await failureOf(exec.local({ command: ['c4nary-of-argv'] }))).message).not.toContain('c4nary')
  })

  it('cut by chunks are blanked, also where the tail begins', async () => {
    const { exec, redactor, output } = setup()
    const file = script(
      directory,
      'leak',
      '#!/bin/sh\nfor i in 1 2 3; do printf c4nary-; sleep 0.02; printf of-chunks; done\n' +
        'yes c4nary-of-chunks | head -n 9000\n',
    )
    redactor.add('c4nary-of-chunks')
    const { stderrTail } = await exec.local({ command: [file], stdout: 'log' })
    expect(output.bytes().toString()).not.toContain('of-chunks')
    expect(stderrTail).toMatch(/^(\[redacted\]\n)+$/)
  })
})
