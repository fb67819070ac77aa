import type { ExecRequest, ExecResult } from '@holdfast/sdk'
import type { Child } from './child.ts'
import type { CommandWiring, ExecServices, RunningCommand } from './command.ts'
import { armDeadlines } from './deadlines.ts'
import { badExit, exitCodeOf, incomplete, notFed, notTaken } from './failures.ts'
import { createLines } from './lines.ts'
import { openOutput } from './output.ts'
import type { Patience } from './patience.ts'
import { BrokenPipe, readPipe, type PipeReader, type PipeSource } from './pipe-reader.ts'
import type { Pipes } from './pipes.ts'
import { createReceiver, type Receiver, type ReceiverOptions, type StreamName } from './receiver.ts'
import type { CheckedRequest } from './request.ts'
import { feed, openStdin } from './stdin.ts'
import { createStopper, type Remains, type Stopper } from './stopper.ts'
import { createTail } from './tail.ts'

const tailSize = 64 * 1024
/** What of it goes into an error, in characters. */
const errorTail = 2048
const atOnce: Patience = { silenceMs: 0, bounded: true }
/** A log that somebody still holds after the exit is left to them; of data, it must be known that they are whole. */
const forLog: Patience = { silenceMs: 500, bounded: true }
const forData: Patience = { silenceMs: 5000, bounded: false }

interface Supervised {
  readonly request: ExecRequest & Required<Pick<ExecRequest, 'stdout' | 'stderr'>>
  readonly checked: CheckedRequest
  readonly services: ExecServices
  readonly wiring: CommandWiring
  readonly pipes: Pipes
  readonly child: Child
}

/** Looks after a child that was started: its streams, its deadlines, its end. */
export function supervise({ request, checked, services, wiring, pipes, child }: Supervised): RunningCommand {
  const { clock, redactor, log } = services
  const { command } = checked
  const begin = clock.monotonic()
  const stopper = createStopper(child, services.killGraceMs, request.stopSignal)
  const tail = createTail(tailSize)
  const output = openOutput(services.output, { command }, log)
  const ends = pipes.ends(child.process)
  const stdin = ends.stdin && openStdin(ends.stdin)
  let lastOutput = begin
  // While somebody takes what it printed, a command is not silent but held up.
  let takers = 0

  const listen = (from: StreamName, source: PipeSource, options: Pick<ReceiverOptions, 'to' | 'tail'>): Listening => {
    const onLine = (line: string): void => {
      request.onLine?.(line, from)
      wiring.onLine?.(line, from)
    }
    const lines = request.onLine || wiring.onLine ? createLines(onLine) : undefined
    const receiver = createReceiver({ from, output, redaction: redactor.stream(), lines, ...options })
    const take = (chunk: Uint8Array): void | Promise<void> => {
      lastOutput = clock.monotonic()
      const taken = receiver.take(chunk)
      if (!taken) return
      takers++
      return taken.finally(() => {
        takers--
        lastOutput = clock.monotonic()
      })
    }
    const reader = readPipe(source, take, (error) => {
      if (!(error instanceof BrokenPipe)) stopper.stop(notTaken(from, error))
    })
    return { receiver, reader, patience: typeof options.to === 'string' ? forLog : forData }
  }
  const streams: Listening[] = []
  const { stdout, stderr } = request
  if (ends.stdout) streams.push(listen('stdout', ends.stdout, { to: stdout, tail: pipes.merged ? tail : undefined }))
  if (ends.stderr) streams.push(listen('stderr', ends.stderr, { to: stderr, tail }))

  if (stdin && request.stdin !== undefined) {
    feed(stdin, request.stdin, child.exited).catch((error: unknown) => stopper.stop(notFed(error)))
  }
  const release = armDeadlines({
    clock,
    signals: [services.signal, request.signal],
    timeoutMs: checked.timeoutMs,
    idleMs: checked.idleMs,
    lastOutput: () => (takers > 0 ? clock.monotonic() : lastOutput),
    stop: (failure) => stopper.stop(failure),
  })

  const settle = async (): Promise<ExecResult> => {
    try {
      const exit = await Promise.race([child.exited, stopper.givenUp])
      const bad = exit && badExit(exit, checked.okExitCodes)
      if (bad) stopper.fail(bad)
      await stopper.groupGone()
      stdin?.close()
      const held = await Promise.race([drain(streams, stopper), stopper.givenUp])
      if (held?.some(({ receiver, patience }) => receiver.from === 'stdout' && patience === forData)) {
        stopper.fail(incomplete)
      }
      const { failure } = stopper
      const lastWords = redactor.text(tail.text())
      if (failure || !exit) {
        const remains: Remains = { command, stderrTail: lastWords.slice(-errorTail).toWellFormed() }
        if (!exit) log.warn(`${command} could not be killed and was left behind`, { command, pid: child.pid })
        throw (failure ?? incomplete)(remains)
      }
      if (held && held.length > 0) {
        log.warn(`a process that ${command} left behind holds its output open; what it prints now is lost`, { command })
      }
      const out = streams.find(({ receiver }) => receiver.from === 'stdout')?.receiver
      return {
        exitCode: exitCodeOf(exit),
        stdout: out?.text ?? '',
        stderrTail: lastWords,
        bytes: out?.bytes ?? 0,
        durationMs: clock.monotonic() - begin,
        integrity: 'status',
      }
    } finally {
      release()
      stopper.release()
      stdin?.close()
      for (const { reader } of streams) reader.close()
      pipes.release()
      output.end()
    }
  }
  const result = settle()
  // Whoever started it may come for its result later.
  result.catch(() => {})
  return {
    command,
    stdin: wiring.stdin === 'open' ? stdin : undefined,
    result,
    stop: (failure) => stopper.stop(failure),
  }
}

interface Listening {
  readonly receiver: Receiver
  readonly reader: PipeReader
  readonly patience: Patience
}

/** @returns the streams that somebody still holds */
async function drain(streams: readonly Listening[], stopper: Stopper): Promise<readonly Listening[]> {
  const held: Listening[] = []
  const finish = async (stream: Listening): Promise<void> => {
    const { reader, receiver, patience } = stream
    if (!(await reader.finish(stopper.stopping ? atOnce : patience))) held.push(stream)
    try {
      await receiver.end()
    } catch (error) {
      stopper.stop(notTaken(receiver.from, error))
    }
  }
  await Promise.all(streams.map(finish))
  return held
}
