// `kubectlexec`, as sidefridge's users know it: a command in the container next door. Its exit code, its output and its
// errors are the command's own.
import { fstatSync } from 'node:fs'
import { setDefaultCACertificates } from 'node:tls'
import { isHoldfastError, type ExecRequest, type HoldfastError, type Logger, type Sink } from '@holdfast/sdk'
import {
  connect,
  createApiClient,
  createByteWriter,
  createContainerExec,
  createRedactor,
  errors,
  type ByteWriter,
  type ExecCluster,
  type ExecOutput,
} from '@holdfast/runtime'
import { exitCodeOfSignal } from '../exit-codes.ts'
import type { Io, Signal } from '../io.ts'

const help = `usage: kubectlexec WORDS…
       kubectlexec -- PROGRAM [ARGUMENTS…]

Runs a command in another container of this pod. WORDS are joined by blanks, and the container's own /bin/sh runs them.
After --, the program gets its arguments exactly as they are, and no shell is needed.

Standard input is handed on where it is a pipe or a file. Standard output and standard error arrive apart and byte by
byte.

environment:
  TARGET_CONTAINER  the container to run it in
  POD_NAME          the pod, mostly this one (fieldRef: metadata.name)

exit codes: that of the command; 1 a variable or the command is missing, 125 kubectlexec itself failed.
`

/** What sidefridge exits with when something is missing. */
const missing = 1
/** As env(1) and docker do: the command was not run, or what became of it isn't known. */
const ownFailure = 125
/** 128 + SIGPIPE: whoever read our output has stopped. */
const readerGone = 141

/** What of its process it uses. */
export interface KubectlexecIo extends Pick<Io, 'env' | 'clock' | 'stdin' | 'onSignal'> {
  /** Writes a text to a descriptor. */
  say(text: string, fd: 1 | 2): void
}

/** Runs `kubectlexec`. @returns the exit code */
export async function runKubectlexec(args: readonly string[], io: KubectlexecIo): Promise<number> {
  const say = (text: string): void => io.say(`kubectlexec: ${text}\n`, 2)
  if (args.length === 1 && (args[0] === '--help' || args[0] === '-h')) {
    io.say(help, 1)
    return 0
  }
  const { TARGET_CONTAINER: container, POD_NAME: pod } = io.env
  const refused = missingOf(container, pod, args)
  if (refused !== undefined || container === undefined || pod === undefined) {
    say(refused ?? 'something is missing')
    return missing
  }
  const log: Logger = {
    debug: () => {},
    info: () => {},
    warn: (message) => say(message),
    error: (message) => say(message),
  }
  const stop = new AbortController()
  let received: Signal | undefined
  const close = io.onSignal((signal) => {
    received ??= signal
    stop.abort(new Error(`it was stopped by ${signal}`))
  })
  try {
    const cluster = await clusterOf(io)
    if (!cluster) throw noCluster(container)
    const exec = createContainerExec({
      clock: io.clock,
      redactor: createRedactor(),
      output: nowhere,
      signal: stop.signal,
      log,
      cluster,
    })
    // Without reading the pod first: it starts sooner, and needs no right to read pods.
    await exec.run({ pod, container }, requestOf(args, io), { lookFirst: false })
    return 0
  } catch (error) {
    if (received !== undefined) return exitCodeOfSignal(received)
    const failure = isHoldfastError(error) ? error : (await import('../internal-error.ts')).internalError(error)
    return exitCodeOf(failure, say)
  } finally {
    close()
  }
}

/** Both streams have a place of their own: nothing is logged. */
const nowhere: ExecOutput = { open: () => ({ write() {}, end() {} }) }

/** The cluster, without what is not needed here. */
async function clusterOf({ env, clock }: KubectlexecIo): Promise<ExecCluster | undefined> {
  const connection = await connect({ env, clock })
  if (!connection) return undefined
  const { ca } = (await connection.credentials()).tls
  // The cluster's own certificate authority is all that counts. Node would read those of the whole world first, which
  // takes more time than the rest of the handshake. A kubeconfig's ways to log in may need them.
  if (ca !== undefined && !env['KUBECONFIG']) setDefaultCACertificates([])
  return {
    connection,
    api: { request: (request) => createApiClient({ connection, clock }).request(request) },
  }
}

function noCluster(container: string): HoldfastError {
  return errors.EXEC_NO_CLUSTER({ where: `the container "${container}"` })
}

/** What sidefridge checked, in its order. */
function missingOf(
  container: string | undefined,
  pod: string | undefined,
  args: readonly string[],
): string | undefined {
  if (container === undefined) return 'TARGET_CONTAINER is not set: it names the container to run the command in'
  if (pod === undefined) return 'POD_NAME is not set: take it from the field metadata.name (valueFrom.fieldRef)'
  const words = args[0] === '--' ? args.slice(1) : args
  return words.length === 0 ? 'there is no command to run. See kubectlexec --help' : undefined
}

function requestOf(args: readonly string[], io: KubectlexecIo): ExecRequest {
  const [program = '', ...rest] = args[0] === '--' ? args.slice(1) : ['/bin/sh', '-c', args.join(' ')]
  return {
    command: [program, ...rest],
    // Made only where it is needed: it takes milliseconds.
    ...(isFed(0) && { stdin: io.stdin }),
    stdout: sinkTo(1),
    stderr: sinkTo(2),
  }
}

/** Whether somebody hands us something: a pipe, a file, a socket; not a terminal, /dev/null, or nothing at all. */
function isFed(fd: number): boolean {
  try {
    const found = fstatSync(fd)
    return found.isFIFO() || found.isFile() || found.isSocket()
  } catch {
    return false
  }
}

function sinkTo(fd: number): Sink {
  let writer: ByteWriter | undefined
  return {
    write: async (chunk) => {
      writer ??= createByteWriter(fd)
      await writer(chunk)
    },
  }
}

/** The command's own exit code; what it is not to blame for is said, with what to do. */
function exitCodeOf(failure: HoldfastError, say: (text: string) => void): number {
  const { code, message, hint, details, cause } = failure
  const exitCode = details['exitCode']
  if (code === 'EXEC_FAILED' && typeof exitCode === 'number') return exitCode
  if (code === 'EXEC_SINK' && (cause as NodeJS.ErrnoException | undefined)?.code === 'EPIPE') return readerGone
  say(message)
  if (hint !== undefined) say(hint)
  return ownFailure
}
