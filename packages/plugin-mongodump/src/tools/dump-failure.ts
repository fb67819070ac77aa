import { isHoldfastError } from '@holdfast/sdk'
import { ArchiveProblem } from '../archive/parser.ts'
import { errors } from '../errors.ts'
import type { ToolLog } from './tool-log.ts'

/** What is known of a dump that failed. */
export interface FailedDump {
  readonly log: Pick<ToolLog, 'lastWords'>
  /** For people: where the server is. */
  readonly server: string
  /** Documents that had come. */
  readonly documents: number
  readonly signal: AbortSignal
}

/**
 * What the failure of mongodump means: by its exit, and by its last words, for it has one exit code for everything.
 *
 * @param error - what running it threw
 */
export function dumpFailure(error: unknown, dump: FailedDump): unknown {
  if (error instanceof ArchiveProblem) return errors.MONGODUMP_ARCHIVE({ problem: error.message }, { cause: error })
  if (!isHoldfastError(error) || dump.signal.aborted) return error
  const { code, details, cause, message } = error
  if (code === 'EXEC_SINK') return cause === undefined ? error : dumpFailure(cause, dump)
  const exitCode = code === 'EXEC_FAILED' ? Number(details['exitCode']) : undefined
  if (code === 'EXEC_SIGNAL' || code === 'EXEC_TIMEOUT' || (exitCode !== undefined && exitCode > 128)) {
    return errors.MONGODUMP_STOPPED({ reason: message }, { cause: error })
  }
  if (exitCode === undefined) return error
  return fromWords(dump, error)
}

const words = {
  login: /AuthenticationFailed|auth error|unable to authenticate|sasl conversation/i,
  oplog:
    /oplog (overflow|for overflow)|(finding|getting|dumping|check) oplog|recent oplog entry|cannot dump with (--)?oplog|resharding in progress|not connected to master/i,
  right: /\(Unauthorized\)|not authorized/i,
  network:
    /server selection (error|timeout)|connection refused|no reachable servers|failed to connect|socket was unexpectedly closed|connection reset|broken pipe|incomplete read|i\/o timeout|unexpected EOF|interrupted at shutdown|\(InterruptedAtShutdown\)|\(NotPrimary|node is recovering/i,
}

function fromWords({ log, server, documents }: FailedDump, cause: unknown): Error {
  const reason = log.lastWords
  const params = { server, reason }
  if (words.login.test(reason)) return errors.MONGODB_AUTH(params, { cause })
  if (words.oplog.test(reason)) return errors.MONGODUMP_OPLOG_BROKEN({ reason }, { cause })
  if (words.right.test(reason)) return errors.MONGODB_FORBIDDEN({ ...params, what: 'dump it' }, { cause })
  if (!words.network.test(reason)) return errors.MONGODUMP_FAILED({ reason }, { cause })
  const isBeforeBegin = documents === 0 && /can't create session|error connecting|failed to connect/.test(reason)
  return isBeforeBegin
    ? errors.MONGODB_UNREACHABLE(params, { cause })
    : errors.MONGODUMP_SERVER_LOST({ documents, reason }, { cause })
}
