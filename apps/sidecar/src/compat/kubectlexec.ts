// `kubectlexec`, as sidefridge's users know it: a command in the container next door. Its exit code, its output and its
// errors are the command's own.
import { fstatSync } from 'node:fs'
import { isHoldfastError, type ExecRequest, type HoldfastError, type Logger, type Sink } from '@holdfast/sdk'
import {
  createByteWriter,
  createContainerExec,
  createRedactor,
  errors,
  logOutput,
  openCluster,
} from '@holdfast/runtime'
import { internalError } from '../internal-error.ts'
import { exitCodeOfSignal } from '../exit-codes.ts'
import type { Io, Signal } from '../io.ts'
import { version } from '../version.ts'

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

/** Runs `kubectlexec`. @returns the exit code */
export async function runKubectlexec(args: readonly string[], io: Io): Promise<number> {
  const say = (text: string): void => io.stderr.write(`kubectlexec: ${text}\n`)
  if (args.length === 1 && (args[0] === '--help' || args[0] === '-h')) {
    io.stdout.write(help)
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
    const cluster = await openCluster({ env: io.env, clock: io.clock, userAgent: `holdfast-kubectlexec/${version}` })
    const redactor = createRedactor()
    if (!cluster) throw noCluster(container)
    const exec = createContainerExec({
      clock: io.clock,
      redactor,
      output: logOutput({ log, clock: io.clock }),
      signal: stop.signal,
      log,
      cluster,
    })
    // Without reading the pod first: it starts sooner, and needs no right to read pods.
    await exec.run({ pod, container }, requestOf(args, io), { lookFirst: false })
    return 0
  } catch (error) {
    if (received !== undefined) return exitCodeOfSignal(received)
    const failure = isHoldfastError(error) ? error : internalError(error)
    return exitCodeOf(failure, say)
  } finally {
    close()
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

function requestOf(args: readonly string[], { stdin }: Io): ExecRequest {
  const [program = '', ...rest] = args[0] === '--' ? args.slice(1) : ['/bin/sh', '-c', args.join(' ')]
  return {
    command: [program, ...rest],
    ...(isFed(0) && { stdin }),
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
  const write = createByteWriter(fd)
  return { write: async (chunk) => write(chunk) }
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
