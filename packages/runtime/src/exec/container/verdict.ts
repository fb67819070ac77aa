import type { HoldfastError } from '@holdfast/sdk'
import { errors } from '../../errors.ts'
import { badExit } from '../failures.ts'
import type { CheckedRequest } from '../request.ts'
import type { Remains } from '../stopper.ts'
import type { RemoteStatus } from './protocol.ts'
import { notStarted, type StartContext } from './refusals.ts'
import type { Integrity } from './wrapper.ts'

/** What is known of a command that has ended. */
export interface Evidence {
  readonly wrapped: boolean
  /** Whether it was about to start. */
  readonly ready: boolean
  /** Whether there was output before that, which was not taken. */
  readonly dropped: boolean
  readonly integrity: Integrity
  /** What the wrapper could not do. */
  readonly notStarted?: string | undefined
  /** As the wrapper saw it. */
  readonly exitCode?: number | undefined
  /** Whether the end of standard output arrived, which the wrapper writes. */
  readonly ended: boolean
  /** Bytes or digest of standard output, computed in the container. */
  readonly sum?: string | undefined
}

/** The same, and what arrived here. */
export interface FullEvidence extends Evidence {
  readonly status: RemoteStatus | undefined
  readonly bytes: number
  readonly digest: string | undefined
  /** Whether standard output is data, and near its end it was taken more slowly than it came. */
  readonly hurried: boolean
}

/** Options of {@link verdict}. */
export interface VerdictOptions {
  readonly remains: Remains
  readonly checked: CheckedRequest
  readonly context: StartContext
}

/**
 * Whether a command ended well: the cluster says so, the wrapper says the same, and what arrived is what was written.
 *
 * @returns `undefined` if it did
 */
export function verdict(
  evidence: FullEvidence,
  { remains, checked, context }: VerdictOptions,
): HoldfastError | undefined {
  const { wrapped, ready, status, integrity } = evidence
  const { command } = remains
  if (evidence.notStarted !== undefined) return wrapperError(evidence.notStarted, integrity, command, checked.cwd)
  if (!status) return errors.EXEC_LOST({ ...remains, reason: 'the connection ended' })
  if (status.exitCode === undefined) {
    const error = wrapped && ready ? undefined : notStarted(status.said, context)
    if (wrapped && error && isMissing(error)) return noShell(command, status.said)
    return error ?? errors.EXEC_STATUS({ ...remains, reason: status.said })
  }
  const { exitCode } = status
  // Some container runtimes have no other words for a program that is not there.
  if (wrapped && !ready && (exitCode === 126 || exitCode === 127)) return noShell(command, `exit code ${exitCode}`)
  const bad = badExit({ exitCode }, checked.okExitCodes)
  if (bad) return bad(remains)
  // The API server loses the end then, now and then, and says that all is well.
  if (!wrapped) return evidence.hurried ? errors.EXEC_UNPROVEN(remains) : undefined
  const truncated = (reason: string): HoldfastError => errors.EXEC_TRUNCATED({ ...remains, reason })
  if (evidence.exitCode === undefined) return noEnd(remains)
  if (evidence.dropped) return truncated('some of it came before it was known to run')
  if (evidence.exitCode !== exitCode) {
    const reason = `the cluster says exit code ${exitCode}, its container says ${evidence.exitCode}`
    return errors.EXEC_STATUS({ ...remains, reason })
  }
  if (integrity === 'status') {
    return evidence.ended ? undefined : truncated('the end of its standard output is missing')
  }
  const { sum, bytes, digest } = evidence
  if (sum === undefined) return truncated(`its container did not say what it wrote`)
  if (integrity === 'bytes') {
    return sum === String(bytes) ? undefined : truncated(`it wrote ${sum} bytes, ${bytes} arrived`)
  }
  return sum === digest
    ? undefined
    : truncated(
        `the SHA-256 of what it wrote is ${sum}, that of the ${bytes} bytes that arrived is ${digest ?? 'unknown'}`,
      )
}

/** The wrapper's last word, which comes at the end of standard error, did not come. */
export function noEnd(remains: Remains): HoldfastError {
  return errors.EXEC_TRUNCATED({ ...remains, reason: 'the end of its standard error is missing' })
}

/** Codes that say that the shell itself could not be started. */
const missing = new Set(['EXEC_NOT_FOUND', 'EXEC_NOT_EXECUTABLE', 'EXEC_FORMAT'])

function isMissing({ code }: HoldfastError): boolean {
  return missing.has(code)
}

function noShell(command: string, reason: string): HoldfastError {
  return errors.EXEC_NO_SHELL({ command, wanted: 'it', reason })
}

/** What the wrapper could not do before it started the command. */
function wrapperError(what: string, integrity: Integrity, command: string, cwd: string | undefined): HoldfastError {
  const [kind, name = ''] = what.split(' ')
  if (kind === 'tool') return errors.EXEC_NO_TOOL({ command, tool: name, wanted: `integrity "${integrity}"` })
  if (kind === 'cwd') {
    return errors.EXEC_NOT_FOUND({
      command,
      missing: `the working directory ${cwd ?? ''} does not exist or may not be entered`,
    })
  }
  if (kind === 'env')
    return errors.EXEC_REQUEST({ command, reason: `its shell does not let the variable ${name} be set` })
  return errors.EXEC_NO_TOOL({ command, tool: kind ?? 'printf', wanted: 'a variable with special characters' })
}
