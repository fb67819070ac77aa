import { constants } from 'node:os'
import { formatDuration } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import type { Exit } from './child.ts'
import { longestText, TextTooLarge, type StreamName } from './receiver.ts'
import type { Failure } from './stopper.ts'

/** It was told to stop by a signal. */
export function aborted(signal: AbortSignal): Failure {
  const cause: unknown = signal.reason
  return (remains) => errors.EXEC_ABORTED({ ...remains, reason: reasonOf(cause) }, { cause })
}

/** It took too long. @param ms - its limit */
export function timedOut(ms: number): Failure {
  return (remains) => errors.EXEC_TIMEOUT({ ...remains, after: formatDuration(ms) })
}

/** It was silent for too long. @param ms - its limit */
export function idled(ms: number): Failure {
  return (remains) => errors.EXEC_IDLE({ ...remains, after: formatDuration(ms) })
}

/** What it printed could not be taken. */
export function notTaken(from: StreamName, cause: unknown): Failure {
  if (cause instanceof TextTooLarge) {
    return (remains) => errors.EXEC_OUTPUT_TOO_LARGE({ ...remains, limit: `${longestText / 2 ** 20} MiB` })
  }
  return (remains) => errors.EXEC_SINK({ ...remains, from, reason: reasonOf(cause) }, { cause })
}

/** What it should read failed. */
export function notFed(cause: unknown): Failure {
  return (remains) => errors.EXEC_STDIN({ ...remains, reason: reasonOf(cause) }, { cause })
}

/** It ended, but its data may not be whole. */
export const incomplete: Failure = (remains) => errors.EXEC_INCOMPLETE(remains)

/** An exit as shells count it: a signal is 128 and its number. */
export function exitCodeOf({ exitCode, signal }: Exit): number {
  return signal === undefined ? exitCode : 128 + constants.signals[signal]
}

/** @returns what an exit means; `undefined` when it is well */
export function badExit(exit: Exit, okExitCodes: readonly number[]): Failure | undefined {
  if (okExitCodes.includes(exitCodeOf(exit))) return undefined
  const { signal, exitCode } = exit
  return signal === undefined
    ? (remains) => errors.EXEC_FAILED({ ...remains, exitCode })
    : (remains) => errors.EXEC_SIGNAL({ ...remains, signal })
}
