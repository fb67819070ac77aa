import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { ExecPlan } from './exec-faults.ts'
import { channels, createExecOutput, flood } from './exec-output.ts'
import {
  StartError,
  exitCodeOf,
  startProcess,
  type ExecCommand,
  type ExecExit,
  type ExecProcess,
} from './exec-process.ts'
import { internalError } from './status.ts'

/** One exec that the server opened. */
export interface FakeExecution {
  readonly pod: string
  readonly namespace: string
  readonly container: string
  readonly argv: readonly string[]
  /** `v5.channel.k8s.io` or `v4.channel.k8s.io`. */
  readonly protocol: string
  /** `half-closed` by the client's order, `disconnected` because the connection ended. `none`: it was not asked for. */
  readonly stdin: 'none' | 'open' | 'half-closed' | 'disconnected'
  /** Bytes of stdin that came. */
  readonly received: number
  /** Bytes of stdout that were handed to the connection. */
  readonly sent: number
  readonly connection: 'open' | 'closed'
  /** The process on this machine; `undefined` when none was started. */
  readonly pid: number | undefined
  /** Whether the process, or one that it started, still runs. Closing the connection does not end it. */
  readonly running: boolean
  readonly exit: ExecExit | undefined
  /** Kills the process and those that it started. */
  kill(signal?: NodeJS.Signals): void
}

/** What to run, for the record. */
export interface ExecSubject extends ExecCommand {
  readonly pod: string
  readonly namespace: string
  readonly container: string
  /** Set where the container does not run: what the kubelet says of it. */
  readonly absent: string | undefined
}

/** Runs a command over a websocket that has just opened. */
export function openSession(ws: WebSocket, socket: Socket, subject: ExecSubject, plan: ExecPlan): FakeExecution {
  const { pod, namespace, container, argv } = subject
  const record = {
    pod,
    namespace,
    container,
    argv,
    protocol: ws.protocol,
    stdin: (subject.stdin ? 'open' : 'none') as FakeExecution['stdin'],
    received: 0,
    get sent() {
      return output.sent
    },
    connection: 'open' as FakeExecution['connection'],
    child: undefined as ExecProcess | undefined,
    get pid() {
      return record.child?.pid
    },
    get running() {
      return record.child?.lives() ?? false
    },
    get exit() {
      return record.child?.exit
    },
    kill: (signal: NodeJS.Signals = 'SIGKILL') => record.child?.kill(signal),
  }
  let isSilent = false
  const broken = (): void => {
    isSilent = true
    breakConnection(ws, socket, plan)
  }
  const resume = (): void => {
    if (!isSilent) ws.resume()
  }
  const output = createExecOutput(ws, plan, broken)
  ws.on('error', () => {})
  ws.once('close', () => {
    record.connection = 'closed'
    if (record.stdin === 'open') record.stdin = 'disconnected'
  })

  const run = async (): Promise<void> => {
    // A real server says at once that the connection works, with frames without content.
    for (const channel of [channels.stdout, channels.stderr, channels.status])
      await output.send(channel, Buffer.alloc(0))
    for (const extra of plan.opening) ws.send(extra, { binary: true })
    if (plan.statusFirst) await output.send(channels.status, Buffer.from(statusOf({ code: 0, signal: undefined })))
    const status = await work()
    if (isSilent) return
    if (plan.breaks !== undefined) {
      broken()
      return
    }
    if (!plan.statusFirst) await output.send(channels.status, Buffer.from(plan.status ?? status))
    await output.rest()
    ws.close(1000)
  }
  const work = async (): Promise<string> => {
    if (plan.flood !== undefined) {
      await output.pump(channels.stdout, flood(plan.flood))
      return statusOf({ code: 0, signal: undefined })
    }
    if (subject.absent !== undefined) return JSON.stringify(internalError(subject.absent).body)
    // What comes before the process is there has to wait.
    ws.pause()
    try {
      record.child = await startProcess(subject)
    } catch (error) {
      resume()
      return JSON.stringify(internalError(error instanceof StartError ? error.message : String(error)).body)
    }
    const { stdout, stderr, closed } = record.child
    feed(ws, record, record.child, plan, resume)
    resume()
    await Promise.all([
      stdout ? output.pump(channels.stdout, stdout) : Promise.resolve(),
      stderr ? output.pump(channels.stderr, stderr) : Promise.resolve(),
    ])
    return statusOf(await closed)
  }
  run().catch(() => ws.terminate())
  return record
}

/** Hands the client's stdin to the process, as fast as it reads. */
function feed(
  ws: WebSocket,
  record: { stdin: FakeExecution['stdin']; received: number },
  { stdin }: ExecProcess,
  plan: ExecPlan,
  resume: () => void,
): void {
  const isV5 = ws.protocol.startsWith('v5.')
  ws.on('message', (data: Buffer) => {
    const [channel, ...rest] = [data[0], data[1]]
    if (isV5 && channel === channels.close && rest[0] === channels.stdin && record.stdin === 'open') {
      record.stdin = 'half-closed'
      stdin?.end()
    }
    if (channel !== channels.stdin || data.length < 2 || !stdin || record.stdin !== 'open') return
    const bytes = data.subarray(1)
    record.received += bytes.length
    const waits = [
      ...(stdin.write(bytes) || stdin.destroyed
        ? []
        : [
            new Promise<void>((resolve) => {
              stdin.once('drain', resolve)
              stdin.once('close', resolve)
            }),
          ]),
      ...(plan.readRate < Infinity
        ? [new Promise<void>((resolve) => void setTimeout(resolve, (bytes.length / plan.readRate) * 1000))]
        : []),
    ]
    if (waits.length === 0) return
    ws.pause()
    void Promise.all(waits).then(resume)
  })
  ws.once('close', () => stdin?.end())
}

/** The connection ends without a word about the command. */
function breakConnection(ws: WebSocket, socket: Socket, { breaks }: ExecPlan): void {
  switch (breaks) {
    case 'reset':
      socket.resetAndDestroy()
      return
    case 'fin':
      socket.destroySoon()
      return
    case 'close':
      ws.close(1000)
      return
    case 'close-1011':
      ws.close(1011, 'internal error')
      return
    case 'half-open':
      // Pings are not even read.
      ws.pause()
      return
    case undefined:
  }
}

function statusOf(exit: ExecExit): string {
  const code = exitCodeOf(exit)
  if (code === 0) return JSON.stringify({ metadata: {}, status: 'Success' })
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  })
}
