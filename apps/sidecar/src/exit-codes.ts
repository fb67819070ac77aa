import type { HoldfastFailure, Outcome, RunStatus } from '@holdfast/sdk'
import { exitCodes } from '@holdfast/runtime'
import type { Signal } from './io.ts'

/** What `holdfast` exits with (DESIGN §4); `holdfast run` uses the status of its run. */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  partial: 4,
  /** `EX_TEMPFAIL`: skipped or busy; the next run may well succeed. */
  busy: 75,
  /** `EX_CONFIG`. */
  config: 78,
} as const

const usageErrors = new Set([
  'COMMAND_MISSING',
  'COMMAND_PLAN',
  'COMMAND_UNKNOWN',
  'CHOICE_MISSING',
  'PLAN_UNKNOWN',
  'DRILL_UNKNOWN',
  'DRILL_NONE',
  'NOTIFIER_NONE',
  'NOTIFIER_UNKNOWN',
  'OPTION_INVALID',
  'OPTION_CONFLICT',
  'OPTION_NEEDED',
  'CONFIRMATION_NEEDED',
  'RESTORE_CHOICE',
  'RESTORE_PLACE',
  'RESTORE_SEVERAL',
])
const busyErrors = new Set(['PLAN_BUSY', 'DRILL_BUSY', 'LOCK_BUSY', 'STORE_OWNED'])
const configErrors = new Set(['STORAGE_INVALID', 'STORAGE_URL_INVALID', 'STORAGE_UNKNOWN', 'COPY_SAME_STORE'])

/** What a command exits with that ended in this error. */
export function exitCodeOfFailure({ code }: Pick<HoldfastFailure, 'code'>): number {
  if (usageErrors.has(code)) return exitCode.usage
  if (busyErrors.has(code)) return exitCode.busy
  return code.startsWith('CONFIG_') || configErrors.has(code) ? exitCode.config : exitCode.failed
}

/** What `holdfast run` exits with; a run that a signal aborted says which one. */
export function exitCodeOfRun({ status }: Pick<Outcome, 'status'>, signal?: Signal): number {
  return status === 'aborted' ? exitCodeOfSignal(signal) : exitCodes[status]
}

/** 128 and the signal's number, as shells do. */
export function exitCodeOfSignal(signal: Signal | undefined): number {
  return signal === 'SIGINT' ? 130 : exitCodes['aborted' satisfies RunStatus]
}
