import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { createExec } from '../../src/exec/create-exec.ts'
import { logOutput } from '../../src/exec/log-output.ts'
import { rawOutput } from '../../src/exec/output.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'
import { captureLog, captureOutput, failureOf, manualClock, scratch, script, setup, until } from './support.ts'

const directory = scratch()
const sh = (text: string): [string, string, string] => ['sh', '-c', text]
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, at) => at))

describe('the output of scripts', () => {
  it('sidefridge F7: passes every byte untouched, UTF-8 or not', async () => {
    const { exec, output } = setup()
    const text = Buffer.from('café ünïcödé ✓ \u{1F9CA}')
    async function* source(): AsyncGenerator<Uint8Array> {
      for (const byte of text) yield Buffer.from([byte])
      yield everyByte
    }
    await exec.local({ command: ['cat'], stdin: source(), stdout: 'log' })
    expect(output.bytes().equals(Buffer.concat([text, everyByte]))).toBe(true)
  })

  it('sidefridge F11: has standard error in its place, to the byte', async () => {
    const { exec, output } = setup()
    const numbers = Array.from({ length: 300 }, (_, at) => at)
    const file = script(
      directory,
      'both',
      `#!/bin/sh\n${numbers.map((n) => `echo ${n} ${n % 3 === 0 ? '>&2' : ''}`).join('\n')}\n`,
    )
    const { stderrTail } = await exec.local({ command: [file], stdout: 'log' })
    const expected = numbers.map((n) => `${n}\n`).join('')
    expect(output.bytes().toString()).toBe(expected)
    expect(output.chunks.every(([from]) => from === 'stdout')).toBe(true)
    expect(stderrTail).toBe(expected)
  })

  it('sidefridge F12: arrives when it is written, not when the script ends', async () => {
    const { exec, output } = setup()
    const seen: string[] = []
    // The script goes on only when what it has written is here: buffered anywhere, this would hang.
    async function* source(): AsyncGenerator<Uint8Array> {
      for (const expected of ['1', '1a', '1ab']) {
        await until(() => output.bytes().toString() === expected)
        seen.push(expected)
        yield Buffer.from('go\n')
      }
    }
    const text = 'printf 1; read x; printf a >&2; read x; printf b; read x; printf c'
    await exec.local({ command: sh(text), stdin: source(), stdout: 'log' })
    expect([seen.length, output.bytes().toString()]).toEqual([3, '1abc'])
  })

  it('sidefridge F10: of a script that hangs is there, and the script is not', async () => {
    const { exec, output } = setup()
    const error = await failureOf(
      exec.local({ command: sh('printf half-a-line; sleep 86400'), stdout: 'log', timeout: 150 }),
    )
    expect(error.code).toBe('EXEC_TIMEOUT')
    expect(output.bytes().toString()).toBe('half-a-line')
  })

  it('that cannot be passed on never fails the command', async () => {
    const fail = (): never => {
      throw new Error('gone')
    }
    for (const output of [
      { open: fail },
      { open: () => ({ write: fail, end() {} }) },
      { open: () => ({ write: () => Promise.reject(new Error('gone')), end: fail }) },
    ]) {
      const { exec, log } = setup({ output })
      const { stderrTail } = await exec.local({ command: sh('seq 50000'), stdout: 'log' })
      expect(stderrTail).toMatch(/50000\n$/)
      expect(log.lines.map(({ message }) => message)).toEqual(['the output of sh could not be passed on'])
    }
  })
})

describe('raw output', () => {
  it('goes to files, pipes and streams, standard error apart where streams are', async () => {
    const file = join(directory, 'raw')
    const fd = openSync(file, 'w')
    const stream = new PassThrough()
    const exec = createExec({
      clock: systemClock,
      redactor: createRedactor(),
      log: captureLog(),
      output: rawOutput({ stdout: fd, stderr: stream }),
      signal: new AbortController().signal,
    })
    await exec.local({ command: sh('echo both; echo err >&2'), stdout: 'log' })
    await exec.local({ command: sh('echo out; echo err >&2') })
    closeSync(fd)
    expect(readFileSync(file, 'utf8')).toBe('both\nerr\n')
    expect(String(stream.read())).toBe('err\n')
  })

  it('waits for a slow destination, and loses nothing', async () => {
    const slow = new PassThrough({ highWaterMark: 1 })
    const hash = createHash('sha256')
    let bytes = 0
    const reading = (async () => {
      for await (const chunk of slow) {
        hash.update(chunk as Buffer)
        bytes += (chunk as Buffer).length
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    const output = rawOutput({ stdout: slow, stderr: slow })
    const { exec } = setup({ output })
    await exec.local({ command: sh('seq 200000'), stdout: 'log' })
    slow.end()
    await reading
    const expected = Array.from({ length: 200_000 }, (_, at) => `${at + 1}\n`).join('')
    expect([bytes, hash.digest('hex')]).toEqual([expected.length, createHash('sha256').update(expected).digest('hex')])
  })

  it('goes on without a destination that is gone, and says so once', async () => {
    const log = captureLog()
    const gone = new PassThrough()
    gone.on('error', () => {})
    gone.destroy(new Error('EPIPE'))
    const { exec } = setup({ output: rawOutput({ stdout: gone, stderr: gone, log }) })
    await exec.local({ command: sh('seq 100000'), stdout: 'log' })
    expect(log.lines).toHaveLength(1)
    expect(log.lines[0]?.level).toBe('warn')
  })
})

describe('output as log lines', () => {
  const lines = (log: ReturnType<typeof captureLog>): string[] => log.lines.map(({ message }) => message)

  it('is one log line for each, NUL and broken UTF-8 included', async () => {
    const log = captureLog()
    const { exec } = setup({ logger: log, output: logOutput({ log, clock: systemClock }) })
    await exec.local({
      command: sh(`printf 'one\\r\\ntwo\\000\\377\\n\\nlast'; echo err >&2`),
      stdout: { write: async () => {} },
    })
    await exec.local({ command: sh(`printf 'one\\r\\ntwo\\000\\377\\n\\nlast'`), stdout: 'log' })
    expect(lines(log)).toEqual(['err', 'one', 'two\0\uFFFD', '', 'last'])
    expect(log.lines[1]?.fields).toEqual({ command: 'sh', from: 'stdout' })
  })

  it('says whose it is: it goes to the log of the run, the hook and the target that the command belongs to', async () => {
    const common = captureLog()
    const { exec, log } = setup({ output: logOutput({ log: common, clock: systemClock }) })
    await exec.local({ command: sh('echo rows'), stdout: 'log' })
    expect(lines(log)).toEqual(['rows'])
    expect(common.lines).toEqual([])
  })

  it('is capped in its rate, counts the rest, and slows nobody down', () => {
    const log = captureLog()
    const clock = manualClock()
    const stream = logOutput({ log, clock, linesPerSecond: 3 }).open({ command: 'loud' })
    const wrote = stream.write(Buffer.from('1\n2\n3\n4\n5'), 'stdout')
    expect(wrote).toBeUndefined()
    clock.advance(999)
    void stream.write(Buffer.from('5\n6\n'), 'stderr')
    clock.advance(1)
    void stream.write(Buffer.from('5\n7\n'), 'stdout')
    stream.end()
    expect(lines(log)).toEqual(['1', '2', '3', 'loud printed too fast: 3 lines were not logged', '55', '7'])
    expect(log.lines[3]).toMatchObject({ level: 'warn', fields: { command: 'loud', lines: 3, bytes: 6 } })
  })

  it('says at the end what was not logged', () => {
    const log = captureLog()
    const stream = logOutput({ log, clock: manualClock(), linesPerSecond: 1 }).open({ command: 'loud' })
    void stream.write(Buffer.from('1\n2\n'), 'stdout')
    stream.end()
    expect(lines(log)).toEqual(['1', 'loud printed too fast: 1 lines were not logged'])
  })
})

describe('fault F9: output that is too much', () => {
  // Well above what it may grow by.
  const mebibytes = process.env['HOLDFAST_TEST_LONG'] === '1' ? 300 : 200

  /** The least of up to three: on a busy machine the collector falls behind, but what is kept is kept every time. */
  async function growth(work: () => Promise<unknown>): Promise<number> {
    let least = Infinity
    for (let tries = 0; tries < 3 && least >= 128; tries++) least = Math.min(least, await growthOnce(work))
    return least
  }

  async function growthOnce(work: () => Promise<unknown>): Promise<number> {
    globalThis.gc?.()
    const before = process.memoryUsage.rss()
    let most = 0
    const look = setInterval(() => (most = Math.max(most, process.memoryUsage.rss() - before)), 5)
    await work()
    clearInterval(look)
    return Math.max(most, process.memoryUsage.rss() - before) / 2 ** 20
  }

  it('keeps memory bounded: no newline, no end, as lines, log and raw', async () => {
    const redactor = createRedactor()
    redactor.add('c4nary-of-volume')
    const log = createLogger({
      level: 'info',
      format: 'json',
      redactor,
      destination: { write: (line) => (longest = Math.max(longest, line.length)) },
    })
    let longest = 0
    let longestLine = 0
    const command = sh(`head -c ${mebibytes * 2 ** 20} /dev/zero | tr '\\0' x`)
    const { exec } = setup({ logger: log, output: logOutput({ log, clock: systemClock }) })
    await exec.local({ command, stdout: 'log' })
    const logged = await growth(() =>
      exec.local({ command, stdout: 'log', onLine: (line) => (longestLine = Math.max(longestLine, line.length)) }),
    )
    const sunk = await growth(() => exec.local({ command, stdout: { write: async () => {} } }))
    expect(longestLine).toBe(65_536)
    expect(longest).toBeLessThanOrEqual(16_384)
    expect(logged).toBeLessThan(128)
    expect(sunk).toBeLessThan(128)
  })

  it('preserves NUL and bytes that are no UTF-8', async () => {
    const output = captureOutput()
    const { exec } = setup({ output })
    let got = Buffer.alloc(0)
    async function* source(): AsyncGenerator<Uint8Array> {
      yield everyByte
    }
    const { bytes } = await exec.local({
      command: ['cat'],
      stdin: source(),
      stdout: { write: async (chunk) => void (got = Buffer.concat([got, chunk])) },
    })
    expect([bytes, got.equals(everyByte)]).toEqual([256, true])
  })
})
