// One attempt to run a command over one connection, from the handshake to its verdict: it is one subject, and long.
import { createHash } from 'node:crypto'
import { formatDuration, type ExecRequest, type ExecResult, type HoldfastError } from '@holdfast/sdk'
import { errors } from '../../errors.ts'
import type { CommandWiring, RunningCommand } from '../command.ts'
import { armDeadlines, watchSilence } from '../deadlines.ts'
import { incomplete, notFed, notTaken } from '../failures.ts'
import { createLines } from '../lines.ts'
import { openOutput } from '../output.ts'
import { createReceiver, type StreamName } from '../receiver.ts'
import type { CheckedRequest } from '../request.ts'
import { feed } from '../stdin.ts'
import type { Failure, Remains } from '../stopper.ts'
import { createTail } from '../tail.ts'
import { killRemote, type RemoteEnd } from './killer.ts'
import { createMarks } from './marks.ts'
import { execPath, execQuery, protocolV4, protocolV5, type Place } from './protocol.ts'
import { limits, type ContainerServices } from './services.ts'
import { openStream } from './stream.ts'
import { upgrade } from './upgrade.ts'
import { noEnd, verdict, type Evidence } from './verdict.ts'
import type { Integrity, Wrapping } from './wrapper.ts'

/** Options of {@link attempt}. */
export interface AttemptOptions {
  readonly request: ExecRequest
  readonly checked: CheckedRequest
  /** The command and its container, for messages. */
  readonly command: string
  readonly place: Place
  readonly integrity: Integrity
  /** `undefined`: the command goes as it is. */
  readonly wrapping: Wrapping | undefined
  readonly services: ContainerServices
  readonly wiring: CommandWiring
  readonly signal: AbortSignal
  /** Of the handshake, as monotonic time. */
  readonly deadline: number
  /** Hears at the end how many bytes of standard output came. */
  readonly counted: (bytes: number) => void
}

/** A command that is running, or was meant to. */
export interface Attempt {
  readonly running: RunningCommand
  /** Resolves when the command is about to start, or never will. */
  readonly decided: Promise<unknown>
  /** Whether it was started, as far as it is known. */
  readonly started: () => boolean
}

const tailSize = 64 * 1024
/** What of it goes into an error, in characters. */
const errorTail = 2048
/** What its last words get to arrive, once its processes are dealt with, in ms. */
const lastWordsMs = 1000

/**
 * Opens a connection and runs a command over it.
 *
 * @throws HoldfastError `EXEC_…` when there is no connection, or the signal's reason; what happens afterwards rejects the
 * command's result
 */
export async function attempt(options: AttemptOptions): Promise<Attempt> {
  const { request, checked, command, place, integrity, wrapping, services, wiring, signal, deadline } = options
  const { clock, redactor, log, cluster } = services
  const { stdout = 'text', stderr = 'log' } = request
  const isSession = wiring.stdin === 'open'
  const fed = request.stdin !== undefined || isSession
  const asked = execQuery(place, wrapping?.argv ?? request.command, fed || wrapping !== undefined)
  const socket = await upgrade({
    services,
    command,
    place,
    connection: cluster.connection,
    path: `${execPath(place)}?${asked}`,
    protocols: fed ? [protocolV5] : [protocolV5, protocolV4],
    halfClose: fed,
    repeatable: wrapping !== undefined,
    deadline,
    signal,
  })

  const begin = clock.monotonic()
  const tail = createTail(tailSize)
  const output = openOutput(services.output, { command }, log)
  const hash = integrity === 'sha256' ? createHash('sha256') : undefined
  const ready = Promise.withResolvers<void>()
  const given = Promise.withResolvers<void>()
  const releases: (() => void)[] = []
  const evidence: { -readonly [Key in keyof Evidence]: Evidence[Key] } = {
    wrapped: wrapping !== undefined,
    ready: wrapping === undefined,
    dropped: false,
    ended: false,
    integrity,
  }
  let lastOutput = begin
  let failure: Failure | undefined
  let stopping = false
  let dismissed = false
  let over = false
  let remote: { readonly end: RemoteEnd; readonly reason?: string } | undefined

  const receive = (from: StreamName): ReturnType<typeof createReceiver> => {
    const onLine = (line: string): void => {
      request.onLine?.(line, from)
      wiring.onLine?.(line, from)
    }
    return createReceiver({
      from,
      to: from === 'stdout' ? stdout : stderr,
      output,
      redaction: redactor.stream(),
      tail: from === 'stderr' ? tail : undefined,
      lines: request.onLine || wiring.onLine ? createLines(onLine) : undefined,
      lasting: true,
    })
  }
  const receivers = { stdout: receive('stdout'), stderr: receive('stderr') }
  const marks = wrapping && createMarks(wrapping.prefix, (text) => onMark(text))
  const outputMarks = wrapping && createMarks(wrapping.prefix, (_text, behind) => onEnd(behind))
  const stream = openStream({
    socket,
    clock,
    take(from, chunk) {
      lastOutput = clock.monotonic()
      if (from === 'stdout') return evidence.ready ? takeOutput(chunk) : holdOutput(chunk)
      const own = marks ? marks.push(chunk) : chunk
      if (own.length > 0) return receivers.stderr.take(own)
    },
    failed: (from, error) => stop(notTaken(from, error)),
  })
  const takeOutput = (chunk: Uint8Array): void | Promise<void> => {
    const isOver = evidence.ended
    const own = outputMarks ? outputMarks.push(chunk) : chunk
    if (own.length === 0) return
    return isOver ? writtenBehind() : takeOwn(own)
  }
  /** Somebody whom the command left behind goes on writing, whatever the cluster says. */
  const writtenBehind = (): void => {
    failure ??= incomplete
    fail(incomplete)
  }
  const takeOwn = (own: Uint8Array): void | Promise<void> => {
    hash?.update(own)
    return receivers.stdout.take(own)
  }
  /** Until the command is known to run: some container runtimes say on standard output that they can't start a shell. */
  const holdOutput = async (chunk: Uint8Array): Promise<void> => {
    await Promise.race([ready.promise, stream.settled])
    if (evidence.ready) await takeOutput(chunk)
    else evidence.dropped = true
  }
  const latest = (): number => (stream.held ? clock.monotonic() : lastOutput)

  const onEnd = (behind: number): void => {
    evidence.ended = true
    if (behind > 0) writtenBehind()
    else letGo()
  }
  /** Everything has arrived: now it may end. */
  const letGo = (): void => {
    const isProven = integrity === 'status' || evidence.sum !== undefined
    if (evidence.ended && isProven && evidence.exitCode !== undefined) dismiss()
  }
  /** The wrapper stays until it is told that all has arrived. A command that reads its input is not waited for. */
  const dismiss = (): void => {
    // Once: sending to a server that is done and has closed would lose what it said last.
    if (!fed && !dismissed) void stream.input.write('\n')
    dismissed = true
  }
  const onMark = (text: string): void => {
    const [what = '', ...rest] = text.split(' ')
    const said = rest.join(' ').trim()
    if (what === 'ready') {
      evidence.ready = true
      ready.resolve()
    } else if (what === 'error') {
      evidence.notStarted = said
    } else if (what === 'sum') {
      evidence.sum = said.split(' ', 1)[0]
    } else if (what === 'exit') {
      evidence.exitCode = Number(said)
      lastOutput = clock.monotonic()
      releases.push(watchSilence(clock, limits.endMs, latest, dismiss))
      // It is over, and yet not: somebody else holds its output open.
      releases.push(watchSilence(clock, limits.heldMs, latest, () => fail(incomplete)))
    }
    letGo()
  }
  /** It failed by itself: there is nothing to kill. */
  const fail = (reason: Failure): void => {
    if (stopping || over || stream.status) return
    failure ??= reason
    stream.close('it was given up')
  }
  const stop = (reason: Failure): void => {
    if (stopping || over) return
    stopping = true
    failure ??= reason
    void endRemote().then(() => given.resolve())
  }
  const endRemote = async (): Promise<void> => {
    const isLost = !stream.status && stream.reason !== 'it is still open'
    if (stream.status && (!wrapping || evidence.exitCode !== undefined)) {
      remote = { end: 'gone' }
    } else if (wrapping) {
      remote = await killRemote({
        services,
        place,
        command,
        id: wrapping.id,
        started: () => evidence.ready,
        // The end of its input was its order to give back.
        patienceMs: isLost && isSession ? services.killGraceMs : 0,
      })
    } else {
      stream.close('it was stopped')
      remote = { end: 'unknown', reason: 'without a shell in its container it cannot be found again' }
    }
    // A sink that hangs is not waited for.
    await within(lastWordsMs, whole)
    stream.close('it was stopped')
    if (remote.end === 'left running' || remote.end === 'unknown') {
      log.warn(`${command} may still run: ${remote.reason}`, { ...place, remote: remote.end })
    }
  }

  /** All that came was taken, and the ends of its streams; a handler of lines may still fail. */
  const finish = async (): Promise<void> => {
    await stream.ended
    for (const from of ['stdout', 'stderr'] as const) {
      try {
        const rest = (from === 'stderr' ? marks : outputMarks)?.flush()
        if (rest && rest.length > 0) {
          if (from === 'stderr') await receivers.stderr.take(rest)
          else await (evidence.ended ? writtenBehind() : takeOwn(rest))
        }
        await receivers[from].end()
      } catch (error) {
        failure ??= notTaken(from, error)
      }
    }
  }
  const whole = finish()
  /** Gone without a word of the cluster, or of the container: it may still run. */
  const watch = async (): Promise<void> => {
    await stream.settled
    if (stream.status) {
      await whole
      const maybe = evidence.ready || stream.status.exitCode === 0
      const silent = evidence.exitCode === undefined && evidence.notStarted === undefined
      if (wrapping && maybe && silent) stop((remains) => judge(remains) ?? noEnd(remains))
      return
    }
    // It was given up, not lost.
    if (failure && !stopping) return
    // What came before is still taken, if somebody takes it.
    await within(lastWordsMs, whole)
    if (evidence.notStarted === undefined) stop(lost(stream.reason))
  }

  const judge = (remains: Remains): HoldfastError | undefined =>
    verdict(
      {
        ...evidence,
        status: stream.status,
        bytes: receivers.stdout.bytes,
        digest: hash?.copy().digest('hex'),
        hurried: stdout !== 'log' && stream.hurried,
      },
      { remains, checked, context: { command, place, connection: cluster.connection, halfClose: fed } },
    )
  const settle = async (watched: Promise<void>): Promise<ExecResult> => {
    try {
      await Promise.race([Promise.all([whole, watched]), given.promise])
      if (stopping) await given.promise
      const lastWords = redactor.text(tail.text())
      const remains: Remains = {
        command,
        stderrTail: lastWords.slice(-errorTail).toWellFormed(),
        ...(remote && { remote: remote.end, ...(remote.reason !== undefined && { remoteReason: remote.reason }) }),
      }
      const error = failure?.(remains) ?? judge(remains)
      if (error) throw error
      return {
        exitCode: stream.status?.exitCode ?? 0,
        stdout: receivers.stdout.text,
        stderrTail: lastWords,
        bytes: receivers.stdout.bytes,
        durationMs: clock.monotonic() - begin,
        integrity,
      }
    } finally {
      over = true
      releases.forEach((release) => release())
      stream.close('it is over')
      output.end()
      options.counted(receivers.stdout.bytes)
    }
  }
  releases.push(
    armDeadlines({
      clock,
      signals: [signal],
      timeoutMs: checked.timeoutMs,
      idleMs: checked.idleMs,
      lastOutput: latest,
      stop,
    }),
  )
  const source = request.stdin
  const start = async (): Promise<void> => {
    if (wrapping) {
      releases.push(clock.setTimer(limits.startMs, () => evidence.ready || stop(tooSlow)))
      await stream.input.write(wrapping.header)
      await ready.promise
    }
    if (source !== undefined) await feed(stream.input, source, stream.settled)
  }
  start().catch((error: unknown) => stop(notFed(error)))
  const watched = watch()
  const result = settle(watched)
  // Whoever started it may come for its result later.
  result.catch(() => {})
  return {
    running: { command, stdin: isSession ? stream.input : undefined, result, stop },
    decided: evidence.ready ? Promise.resolve() : Promise.race([ready.promise, result.catch(() => {})]),
    started: () => evidence.ready,
  }
}

/** Waits for something, but not for long: in real time, for it is real connections that are waited for. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, ms)
  await Promise.race([work, late.promise])
  clearTimeout(timer)
}

function lost(reason: string): Failure {
  return (remains) => errors.EXEC_LOST({ ...remains, reason })
}

function tooSlow(remains: Remains): HoldfastError {
  return errors.EXEC_UNREACHABLE({
    ...remains,
    reason: `its container did not start it within ${formatDuration(limits.startMs)}`,
  })
}
