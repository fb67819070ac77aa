import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { ExecPlan } from './exec-faults.ts'
import { channels, createExecOutput, flood } from './exec-output.ts'
import { startProcess, type ExecCommand, type ExecProcess, type StartError } from './exec-process.ts'
import { absentStatus, exitStatus, startErrorStatus, successStatus } from './exec-status.ts'
import { feed } from './exec-stdin.ts'
import type { FakeExecution } from './fake-execution.ts'

/** What to run. */
export interface ExecSubject extends ExecCommand {
  readonly pod: string
  readonly namespace: string
  readonly container: string
  /** Set where the kubelet refuses. */
  readonly refusal: { readonly status: number; readonly message: string } | undefined
}

/**
 * Runs a command over a websocket that has just opened.
 *
 * @param reset - ends its connection without a word
 */
export function openSession(
  ws: WebSocket,
  socket: Socket,
  subject: ExecSubject,
  plan: ExecPlan,
  reset: (socket: Socket) => void,
): FakeExecution {
  const { pod, namespace, container, argv, refusal } = subject
  const isV5 = ws.protocol.startsWith('v5.')
  let child: ExecProcess | undefined
  let isBroken = false
  // What comes before the process is there has to wait.
  const starts = plan.flood === undefined && refusal === undefined
  if (starts) ws.pause()
  const resume = (): void => {
    if (!isBroken) ws.resume()
  }
  const broken = (): void => {
    isBroken = true
    breakConnection(ws, plan, socket, reset)
  }
  const output = createExecOutput(ws, plan, broken)
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
    get pid() {
      return child?.pid
    },
    get running() {
      return child?.lives() ?? false
    },
    get exit() {
      return child?.exit
    },
    kill: (signal: NodeJS.Signals = 'SIGKILL') => child?.kill(signal),
  }
  ws.on('error', () => {})
  ws.once('close', () => {
    record.connection = 'closed'
    if (record.stdin === 'open') record.stdin = 'disconnected'
  })

  const work = async (): Promise<string> => {
    if (refusal) return absentStatus(refusal.message)
    if (plan.flood !== undefined) {
      await output.pump(channels.stdout, flood(plan.flood))
      return successStatus
    }
    try {
      child = await startProcess(subject)
    } catch (error) {
      resume()
      const { message, stderr } = error as StartError
      if (stderr === undefined) return startErrorStatus(message, isV5)
      await output.send(channels.stderr, Buffer.from(stderr))
      return exitStatus({ code: 1, signal: undefined }, argv, isV5)
    }
    feed(ws, child.stdin, record, plan.readRate, resume)
    resume()
    if (plan.losesRest) void child.exited.then(() => output.loseRest())
    await Promise.all([
      output.pump(channels.stdout, child.stdout ?? nothing()),
      output.pump(channels.stderr, child.stderr ?? nothing()),
    ])
    return exitStatus(await child.closed, argv, isV5)
  }
  const run = async (): Promise<void> => {
    // A real server says at once that the connection works, with an empty frame on the first channel that it writes to.
    const first = subject.stdout ? channels.stdout : subject.stderr ? channels.stderr : channels.status
    await output.send(first, Buffer.alloc(0))
    for (const extra of plan.opening) ws.send(extra, { binary: true })
    if (plan.statusFirst) await output.send(channels.status, Buffer.from(successStatus))
    const status = await work()
    if (isBroken) return
    if (plan.breaks !== undefined) {
      await output.flush()
      broken()
      return
    }
    if (!plan.statusFirst) await output.send(channels.status, Buffer.from(plan.status ?? status))
    await output.rest()
    ws.close(1000)
  }
  run().catch(() => ws.terminate())
  return record
}

/** The connection ends without a word about the command. */
function breakConnection(ws: WebSocket, { breaks }: ExecPlan, socket: Socket, reset: (socket: Socket) => void): void {
  switch (breaks) {
    case 'reset':
      reset(socket)
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

async function* nothing(): AsyncGenerator<Uint8Array> {}
