import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { isHoldfastError, type Exec, type HoldfastError, type Logger } from '@holdfast/sdk'
import { sleepOn, systemClock, type RuntimeClock } from '../../src/clock.ts'
import { createExec } from '../../src/exec/create-exec.ts'
import type { ExecOutput } from '../../src/exec/output.ts'
import { createRedactor, type Redactor } from '../../src/telemetry/redaction.ts'

/** A line that was logged. */
export interface Logged {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Record<string, unknown> | undefined
}

/** A log that is kept. */
export function captureLog(): Logger & { readonly lines: Logged[] } {
  const lines: Logged[] = []
  const at =
    (level: Logged['level']) =>
    (message: string, fields?: Record<string, unknown>): void =>
      void lines.push({ level, message, fields })
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** An output that is kept. */
export function captureOutput(): ExecOutput & { readonly bytes: () => Buffer; readonly chunks: [string, string][] } {
  const parts: Buffer[] = []
  const chunks: [string, string][] = []
  return {
    chunks,
    bytes: () => Buffer.concat(parts),
    open: () => ({
      write(chunk, from) {
        parts.push(Buffer.from(chunk))
        chunks.push([from, Buffer.from(chunk).toString()])
      },
      end() {},
    }),
  }
}

/** An exec whose output and log are kept. */
export function setup(
  options: {
    signal?: AbortSignal
    clock?: RuntimeClock
    output?: ExecOutput
    killGraceMs?: number
    /** In place of the one that is handed back. */
    logger?: Logger
  } = {},
): {
  readonly exec: Exec
  readonly redactor: Redactor
  readonly log: ReturnType<typeof captureLog>
  readonly output: ReturnType<typeof captureOutput>
} {
  const redactor = createRedactor()
  const log = captureLog()
  const output = captureOutput()
  const exec = createExec({
    clock: options.clock ?? systemClock,
    redactor,
    log: options.logger ?? log,
    output: options.output ?? output,
    signal: options.signal ?? new AbortController().signal,
    killGraceMs: options.killGraceMs ?? 300,
  })
  return { exec, redactor, log, output }
}

/** What a promise rejects with, which must be an error of ours. */
export async function failureOf(promise: Promise<unknown>): Promise<HoldfastError> {
  const thrown = await promise.then(
    () => {
      throw new Error('it should have failed')
    },
    (error: unknown) => error,
  )
  if (!isHoldfastError(thrown)) throw thrown
  return thrown
}

/** A directory of the test file, gone at its end. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Writes a script. @returns its path */
export function script(directory: string, name: string, text: string, mode = 0o755): string {
  const file = join(directory, name)
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

/** Whether a process lives; a zombie doesn't. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

/** Waits until something is so, at most 15 s: the machine may be busy with other tests. */
export async function until(condition: () => boolean): Promise<void> {
  const begin = performance.now()
  while (!condition()) {
    if (performance.now() - begin > 15_000) throw new Error('it never became so')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Ends what a test has left behind. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}

/** A clock that stands still until it is moved. */
export function manualClock(): RuntimeClock & { advance(ms: number): void } {
  let time = 0
  const timers = new Set<{ readonly due: number; readonly callback: () => void }>()
  const clock: RuntimeClock & { advance(ms: number): void } = {
    now: () => new Date(time),
    monotonic: () => time,
    setTimer(ms, callback) {
      const timer = { due: time + ms, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    sleep: (duration, signal) => sleepOn(clock, duration, signal),
    advance(ms) {
      time += ms
      for (const timer of [...timers].filter(({ due }) => due <= time)) {
        timers.delete(timer)
        timer.callback()
      }
    },
  }
  return clock
}
