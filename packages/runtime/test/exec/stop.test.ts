import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { failureOf, isAlive, kill, manualClock, scratch, setup, until } from './support.ts'

const directory = scratch()
const sh = (text: string): [string, string, string] => ['sh', '-c', text]
let files = 0
const newFile = (): string => join(directory, `file-${files++}`)
const pidIn = (file: string): number => Number(readFileSync(file, 'utf8'))
const hasContent = (file: string) => (): boolean => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n')

describe('fault F4: a command that is killed', () => {
  it('fails by the name of the signal', async () => {
    const error = await failureOf(setup().exec.local({ command: sh('echo busy >&2; kill -SEGV $$') }))
    expect(error).toMatchObject({
      code: 'EXEC_SIGNAL',
      message: 'sh was killed by SIGSEGV: busy',
      details: { signal: 'SIGSEGV' },
    })
  })

  it('by SIGKILL says that memory was probably short', async () => {
    const error = await failureOf(setup().exec.local({ command: sh('kill -KILL $$') }))
    expect(error.hint).toContain('memory')
  })

  it('for want of memory fails, and nothing else does', async () => {
    const { exec } = setup()
    const error = await failureOf(
      exec.local({ command: sh('ulimit -v 50000; exec awk \'BEGIN { s = "x"; while (1) s = s s }\''), stdout: 'log' }),
    )
    expect(error.code).toMatch(/^EXEC_(FAILED|SIGNAL)$/)
    expect((await exec.local({ command: ['echo', 'well'] })).stdout).toBe('well\n')
  })
})

describe('fault F5: a command that ignores TERM, forks, and keeps its output open', () => {
  it('is killed with all its group after the grace, and not waited for', async () => {
    const file = newFile()
    const { exec, output } = setup({ killGraceMs: 200 })
    const begin = performance.now()
    const error = await failureOf(
      exec.local({
        command: sh(`trap '' TERM; sleep 86400 & echo $! > ${file}; echo started; wait; sleep 86400`),
        stdout: 'log',
        timeout: 100,
      }),
    )
    expect(performance.now() - begin).toBeLessThan(4000)
    expect(error.code).toBe('EXEC_TIMEOUT')
    expect(output.bytes().toString()).toBe('started\n')
    expect(isAlive(pidIn(file))).toBe(false)
  })

  it('is asked with SIGINT, where that is what it cleans up on', async () => {
    const file = newFile()
    const { exec } = setup({ killGraceMs: 10_000 })
    const error = await failureOf(
      exec.local({
        command: sh(`trap '' TERM; trap 'echo cleaned up > ${file}; exit 66' INT; while :; do sleep 0.05; done`),
        stopSignal: 'SIGINT',
        timeout: 300,
      }),
    )
    expect(error.code).toBe('EXEC_TIMEOUT')
    expect(readFileSync(file, 'utf8')).toBe('cleaned up\n')
  })

  it('whose child alone ignores TERM is not left behind either', async () => {
    const file = newFile()
    const { exec } = setup({ killGraceMs: 200 })
    const error = await failureOf(
      exec.local({
        command: sh(`(trap '' TERM; echo x > ${file}; exec sleep 86400) & echo $! > ${file}; wait`),
        timeout: 100,
      }),
    )
    expect(error.code).toBe('EXEC_TIMEOUT')
    expect(isAlive(pidIn(file))).toBe(false)
  })

  it('that left its group by setsid and holds the output is not waited for', async () => {
    const file = newFile()
    const begin = performance.now()
    const error = await failureOf(
      setup().exec.local({
        command: sh(`setsid sleep 86400 & echo $! > ${file}; sleep 86400`),
        stdout: 'log',
        timeout: 100,
      }),
    )
    expect(performance.now() - begin).toBeLessThan(3000)
    expect(error.code).toBe('EXEC_TIMEOUT')
    kill(pidIn(file))
  })
})

describe('fault F6: a command that hangs', () => {
  it('ends at its timeout, by the injected clock', async () => {
    const clock = manualClock()
    const { exec, output } = setup({ clock })
    const running = failureOf(exec.local({ command: sh('echo begun; sleep 86400'), stdout: 'log', timeout: '6h' }))
    await until(() => output.bytes().length > 0)
    clock.advance(6 * 3_600_000)
    expect(await running).toMatchObject({
      code: 'EXEC_TIMEOUT',
      message: 'sh did not finish within 6h and was stopped: begun',
      retryable: true,
    })
  })

  it('ends when it was silent for too long, and not while it talks', async () => {
    const clock = manualClock()
    const { exec, output } = setup({ clock })
    const running = failureOf(
      exec.local({
        command: sh('echo 1; read x; echo 2; sleep 86400'),
        stdin: inTime(clock, 50_000),
        stdout: 'log',
        idleTimeout: '1m',
      }),
    )
    await until(() => output.bytes().toString() === '1\n2\n')
    clock.advance(50_000)
    await new Promise((resolve) => setTimeout(resolve, 30))
    clock.advance(10_000)
    expect(await running).toMatchObject({ code: 'EXEC_IDLE', message: 'sh printed nothing for 1m and was stopped: 2' })
  })

  it('is not silent while what it printed waits to be taken', async () => {
    const clock = manualClock()
    let writing = false
    const sink = {
      async write() {
        writing = true
        await new Promise((resolve) => setTimeout(resolve, 20))
        clock.advance(120_000)
        await new Promise((resolve) => setTimeout(resolve, 20))
        clock.advance(30_000)
      },
    }
    const result = await setup({ clock }).exec.local({ command: ['echo', 'x'], stdout: sink, idleTimeout: '1m' })
    expect([writing, result.exitCode]).toEqual([true, 0])
  })

  async function* inTime(clock: ReturnType<typeof manualClock>, ms: number): AsyncGenerator<Uint8Array> {
    await new Promise((resolve) => setTimeout(resolve, 30))
    clock.advance(ms)
    yield Buffer.from('go\n')
    await new Promise(() => {})
  }
})

describe('an abort', () => {
  it('of the request or of everything ends a command at once, with the reason', async () => {
    for (const which of ['request', 'all'] as const) {
      const controller = new AbortController()
      const { exec, output } = setup({ killGraceMs: 20_000, ...(which === 'all' && { signal: controller.signal }) })
      const running = failureOf(
        exec.local({
          command: sh("trap 'echo given back; exit 0' TERM; sleep 86400 & sleep 0.1; echo begun; wait"),
          stdout: 'log',
          signal: which === 'request' ? controller.signal : undefined,
        }),
      )
      await until(() => output.bytes().length > 0)
      const begin = performance.now()
      const reason = new Error('the pod is going down')
      controller.abort(reason)
      const error = await running
      expect(performance.now() - begin).toBeLessThan(5000)
      expect(error).toMatchObject({
        code: 'EXEC_ABORTED',
        message: 'sh was stopped: the pod is going down',
        cause: reason,
      })
      expect(output.bytes().toString()).toBe('begun\ngiven back\n')
    }
  })

  it('before the start starts nothing', async () => {
    const file = newFile()
    const { exec } = setup({ signal: AbortSignal.abort(new Error('too late')) })
    expect((await failureOf(exec.local({ command: ['touch', file] }))).code).toBe('EXEC_ABORTED')
    expect(existsSync(file)).toBe(false)
  })

  it('reaches grandchildren, and lets them have the grace', async () => {
    const file = newFile()
    const controller = new AbortController()
    const { exec } = setup({ killGraceMs: 2000 })
    const script = `sh -c 'trap "sleep 0.2; echo thawed > ${file}; exit" TERM; echo ready > ${file}; while :; do sleep 0.02; done' & wait`
    const running = failureOf(exec.local({ command: sh(script), signal: controller.signal }))
    await until(hasContent(file))
    controller.abort()
    await running
    expect(readFileSync(file, 'utf8')).toBe('thawed\n')
  })

  it('is not held up by whoever takes the output', async () => {
    const controller = new AbortController()
    const { exec } = setup({
      killGraceMs: 100,
      output: { open: () => ({ write: () => new Promise(() => {}), end() {} }) },
    })
    const running = failureOf(exec.local({ command: ['yes'], stdout: 'log', signal: controller.signal }))
    await new Promise((resolve) => setTimeout(resolve, 100))
    controller.abort()
    expect((await running).code).toBe('EXEC_ABORTED')
    const sink = failureOf(
      exec.local({ command: ['echo'], stdout: { write: () => new Promise(() => {}) }, timeout: 200 }),
    )
    expect((await sink).code).toBe('EXEC_TIMEOUT')
  })

  it('after the end changes nothing', async () => {
    const controller = new AbortController()
    const { exec } = setup({ signal: controller.signal })
    const result = await exec.local({ command: ['true'], signal: controller.signal })
    controller.abort()
    expect(result.exitCode).toBe(0)
  })
})
