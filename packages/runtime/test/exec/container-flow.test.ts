import { describe, expect, it } from 'vitest'
import { db, setUp } from './container-support.ts'
import { failureOf, until } from './support.ts'

const mebibyte = 2 ** 20
/** Ours, the server's, and what the kernel takes on the loopback interface for both sockets. */
const inFlight = 16 * mebibyte

/** Resident memory while something runs, beyond what it was at the start. */
async function growthWhile<T>(work: Promise<T>): Promise<{ readonly value: T; readonly growth: number }> {
  const begin = process.memoryUsage.rss()
  let most = begin
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5)
  try {
    return { value: await work, growth: most - begin }
  } finally {
    clearInterval(timer)
  }
}

describe('fault F26: somebody is slow', () => {
  it('a sink: 256 MiB pass, memory stays flat, and the server has to wait', async () => {
    const { raw, server } = await setUp()
    const bytes = 256 * mebibyte
    server.misbehaveExec({ times: 1 }, { kind: 'flood', bytes })
    let taken = 0
    let ahead = 0
    const sink = {
      async write(chunk: Uint8Array) {
        taken += chunk.length
        ahead = Math.max(ahead, (server.execs[0]?.sent ?? 0) - taken)
        // Slower than the server can send.
        if (taken % (8 * mebibyte) < chunk.length) await new Promise((resolve) => setTimeout(resolve, 5))
        else await new Promise((resolve) => setImmediate(resolve))
      },
    }
    const running = raw.run(db, { command: ['flood'], stdout: sink }, { wrapper: 'never' })
    const { value, growth } = await growthWhile(failureOf(running))
    expect(taken).toBe(bytes)
    // It has no shell: that these were all is not known.
    expect(value.code).toBe('EXEC_UNPROVEN')
    expect(ahead).toBeLessThan(inFlight)
    expect(growth).toBeLessThan(96 * mebibyte)
  })

  it('a sink that does not take anything: the command is held up, and nothing piles up', async () => {
    const { exec, server } = await setUp()
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let taken = 0
    const running = exec.container(db, {
      command: ['head', '-c', String(32 * mebibyte), '/dev/zero'],
      integrity: 'sha256',
      stdout: {
        async write(chunk) {
          await held
          taken += chunk.length
        },
      },
    })
    let sent = 0
    let since = performance.now()
    await until(() => {
      const now = server.execs[0]?.sent ?? 0
      if (now !== sent) since = performance.now()
      sent = now
      return sent > 0 && performance.now() - since > 300
    })
    expect(server.execs[0]?.sent).toBeLessThan(inFlight)
    release()
    expect((await running).bytes).toBe(32 * mebibyte)
    expect(taken).toBe(32 * mebibyte)
  })

  it('standard error does not wait for a slow sink of standard output', async () => {
    const { exec, output } = await setUp()
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const running = exec.container(db, {
      command: ['sh', '-c', 'echo data; echo progress >&2'],
      stdout: { write: () => held },
    })
    await until(() => output.bytes().toString() === 'progress\n')
    release()
    await running
  })

  it('a command that reads slowly: its input waits at the source', async () => {
    const { exec, server } = await setUp()
    const chunk = Buffer.alloc(mebibyte, 7)
    const total = 24
    let yielded = 0
    let ahead = 0
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < total; at++) {
        yielded += chunk.length
        ahead = Math.max(ahead, yielded - (server.execs[0]?.received ?? 0))
        yield chunk
      }
    }
    server.misbehaveExec({ times: 1 }, { kind: 'slow-reader', bytesPerSecond: 64 * mebibyte })
    const { value, growth } = await growthWhile(exec.container(db, { command: ['wc', '-c'], stdin: source() }))
    expect(Number(value.stdout)).toBe(total * mebibyte)
    expect(ahead).toBeLessThan(inFlight)
    expect(growth).toBeLessThan(64 * mebibyte)
  })
})
