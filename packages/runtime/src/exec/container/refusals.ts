import type { HoldfastError } from '@holdfast/sdk'
import { errors } from '../../errors.ts'
import { reasonIn } from '../../kubernetes/api-errors.ts'
import { describeSubject, ruleFor, subjectOf } from '../../kubernetes/api-path.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import { execPath, type Place } from './protocol.ts'

/** What is known when a command could not be started. */
export interface StartContext {
  /** The command and its container, for messages. */
  readonly command: string
  readonly place: Place
  readonly connection: Connection
  /** What the command needs of the protocol. */
  readonly halfClose: boolean
}

/** What an answer that is no open connection means. */
export function refusalOf(status: number, body: string, context: StartContext): HoldfastError {
  const { command, connection, place, halfClose } = context
  const said = reasonIn(body)
  const details = { status }
  if (status === 401) return errors.EXEC_UNAUTHORIZED({ command, source: connection.source }, { details })
  if (status === 403) {
    // What refuses the protocol does it without a word.
    if (said === undefined && halfClose) return errors.EXEC_NO_HALF_CLOSE({ command, reason: 'HTTP 403' }, { details })
    const subject = subjectOf('POST', execPath(place))
    const verb = /cannot (\w+) resource/.exec(said ?? '')?.[1] ?? 'create'
    // Servers ask for one or the other, by their version; newer ones for both.
    const rule = ruleFor({ apiGroup: '', resource: 'pods/exec', verbs: ['create', 'get'] })
    return errors.EXEC_FORBIDDEN(
      { command, verb, what: describeSubject(subject), rule, said: said ?? 'nothing' },
      { details },
    )
  }
  return (
    notThere(said ?? '', context) ??
    (status === 404
      ? errors.EXEC_NO_POD({ command, reason: said ?? `there is no pod "${place.pod}"` }, { details })
      : isTransient(status)
        ? errors.EXEC_UNREACHABLE(
            { command, reason: `the API server ${connection.server.host} answered ${said ?? `HTTP ${status}`}` },
            { details },
          )
        : errors.EXEC_REFUSED({ command, status, said: said ?? 'nothing' }, { details }))
  )
}

/** Whether trying again may help. Nothing was run: a connection that is refused runs nothing. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

/** What a status without an exit code means, where it says that the command was never started. */
export function notStarted(said: string, context: StartContext): HoldfastError | undefined {
  const { command } = context
  if (/argument list too long/.test(said)) return errors.EXEC_START({ command, reason: 'its arguments are too long' })
  if (/executable file .*not found|exec: .*no such file or directory|cannot find the file/.test(said)) {
    return errors.EXEC_NOT_FOUND({ command, missing: 'there is no such program in its container' })
  }
  if (/chdir to cwd|no such file or directory/.test(said) && isRuntimes(said)) {
    return errors.EXEC_NOT_FOUND({ command, missing: said })
  }
  if (/exec: .*permission denied/.test(said)) {
    return errors.EXEC_NOT_EXECUTABLE({ command, reason: 'its container does not allow it' })
  }
  if (/exec format error/.test(said)) {
    return errors.EXEC_FORMAT({ command, reason: 'it is no program for that machine' })
  }
  const missing = notThere(said, context)
  if (missing) return missing
  if (/error dialing backend|unable to upgrade connection|error sending request/.test(said)) {
    return errors.EXEC_UNREACHABLE({ command, reason: `the node of its pod did not answer: ${said}` })
  }
  if (isRuntimes(said)) return errors.EXEC_START({ command, reason: said })
  return undefined
}

/** Words of the kubelet about pods and containers. */
function notThere(said: string, { command }: StartContext): HoldfastError | undefined {
  if (/container .*is not valid for pod/.test(said)) return errors.EXEC_NO_CONTAINER({ command, reason: said })
  if (/container not found|container .*(is )?not (running|created)|in a (stopped|completed|deleted)/i.test(said)) {
    return errors.EXEC_NOT_RUNNING({ command, reason: said })
  }
  if (/pod does not exist|pods? ".*" not found/.test(said)) return errors.EXEC_NO_POD({ command, reason: said })
  return undefined
}

/** Whether it is the container runtime that could not start something. */
function isRuntimes(said: string): boolean {
  return /failed to (start|create) exec|unable to start container process|OCI runtime exec failed/.test(said)
}
