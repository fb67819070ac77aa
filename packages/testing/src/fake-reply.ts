import { HoldfastError, type Clock, type Duration, type ExecRequest, type ExecResult } from '@holdfast/sdk'
import type { FakeReply } from './fake-exec.ts'
import type { FakeTalkOf } from './fake-session.ts'

/** The request's deadline, on the injected clock: real commands are stopped by it, too. */
export async function inTime<T>(
  request: ExecRequest,
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  const { timeout, command } = request
  if (timeout === undefined) return work(signal)
  const late = new AbortController()
  const settled = new AbortController()
  const deadline = clock.sleep(timeout, settled.signal).then(
    () => {
      const error = failure('EXEC_TIMEOUT', `${command[0]} did not finish within ${timeout}`, { command: command[0] })
      late.abort(error)
      throw error
    },
    () => new Promise<never>(() => {}),
  )
  try {
    return await Promise.race([work(AbortSignal.any([signal, late.signal])), deadline])
  } finally {
    settled.abort()
  }
}

/** What a command that answered leaves behind: its output where the request wants it, and its result. */
export async function finish(
  request: ExecRequest,
  reply: FakeReply,
  sleep: (pause: Duration) => Promise<void>,
): Promise<ExecResult> {
  const { stdout = '', stderr = '', exitCode = 0, pace } = reply
  const bytes = typeof stdout === 'string' ? Buffer.from(stdout) : stdout
  if (typeof request.stderr === 'object' && stderr !== '') await request.stderr.write(Buffer.from(stderr))
  if (pace) {
    const { pause = '1s', bytes: size = 1024 } = pace
    for (let at = 0; at < bytes.length; at += size) {
      await sleep(pause)
      if (typeof request.stdout === 'object') await request.stdout.write(bytes.subarray(at, at + size))
    }
  } else if (typeof request.stdout === 'object') await request.stdout.write(bytes)
  if (request.onLine) {
    for (const line of linesOf(Buffer.from(bytes).toString())) request.onLine(line, 'stdout')
    for (const line of linesOf(stderr)) request.onLine(line, 'stderr')
  }
  if (!(request.okExitCodes ?? [0]).includes(exitCode)) {
    throw failure('EXEC_FAILED', `${request.command[0]} exited with ${exitCode}`, {
      exitCode,
      command: request.command[0],
      stderrTail: stderr.slice(-2048),
    })
  }
  const text = request.stdout === undefined || request.stdout === 'text' ? Buffer.from(bytes).toString() : ''
  return {
    exitCode,
    stdout: text,
    stderrTail: stderr,
    bytes: bytes.length,
    durationMs: 0,
    integrity: request.integrity ?? 'status',
  }
}

function linesOf(text: string): string[] {
  if (text === '') return []
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

/** With what it printed before. */
export function withPrinted(reply: FakeReply, printed: readonly string[]): FakeReply {
  if (printed.length === 0) return reply
  return { ...reply, stdout: Buffer.concat([...printed, reply.stdout ?? ''].map((each) => Buffer.from(each))) }
}

/** Prints what a command answered; one that is talked to ends with its input, unless it fails. */
export async function settleTalk(
  talk: FakeTalkOf,
  { stdout = '', exitCode = 0 }: FakeReply,
  ends: AbortSignal,
): Promise<void> {
  for (const line of linesOf(Buffer.from(stdout).toString())) talk.print(line)
  if (exitCode === 0) await Promise.race([talk.ended, aborted(ends)])
}

/** Rejects with the reason of the signal. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => whenAborted(signal, () => reject(signal.reason as Error)))
}

/** An error of a fake. */
export function failure(code: string, message: string, details: Record<string, string | number>): HoldfastError {
  return new HoldfastError({ code, message, details, hint: 'This is a fake.' })
}

function whenAborted(signal: AbortSignal, callback: () => void): void {
  if (signal.aborted) callback()
  else signal.addEventListener('abort', callback, { once: true })
}
