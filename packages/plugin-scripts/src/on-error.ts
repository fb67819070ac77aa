import { isHoldfastError, type HoldfastFailure, type Outcome } from '@holdfast/sdk'
import type { ScriptEnvironment } from './environment.ts'
import { errors } from './errors.ts'
import { directoryOf } from './hooks.ts'

/** What on_error scripts are told. */
export interface ErrorReport {
  /** Their one argument: sidefridge's sentence where a script failed, else the error's one line. */
  readonly sentence: string
  readonly env: ScriptEnvironment
}

/** Makes the report of a run that did not succeed. */
export function reportError(outcome: Outcome): ErrorReport {
  const primary = outcome.error ?? outcome.targets.find(({ error }) => error)?.error
  const script = scriptFailure(primary)
  const told = script ?? primary
  const sentence = oneLine(told?.message ?? outcome.reason ?? `the run ended as ${outcome.status}`)
  const hook = primary?.hook ?? ''
  const details = told?.details ?? {}
  return {
    sentence,
    env: {
      HOLDFAST_STATUS: outcome.status,
      HOLDFAST_ERROR_CODE: told?.code ?? '',
      HOLDFAST_ERROR_MESSAGE: sentence,
      HOLDFAST_ERROR_HOOK: (directoryOf as Readonly<Record<string, string>>)[hook] ?? hook,
      HOLDFAST_ERROR_SCRIPT: typeof details.script === 'string' ? details.script : '',
      HOLDFAST_ERROR_EXIT_CODE: typeof details.exitCode === 'number' ? String(details.exitCode) : '',
    },
  }
}

/** The script's exit behind an error. */
function scriptFailure(error: unknown): HoldfastFailure | undefined {
  // Causes may go round in circles: a script is told to stop because its hook's time is up, and that error names it.
  const seen = new Set<unknown>()
  for (let each = error; isHoldfastError(each) && !seen.has(each); each = each.cause) {
    if (each.code === errors.SCRIPT_FAILED.code) return each
    seen.add(each)
  }
  return undefined
}

/**
 * Messages have one line; those of others' code may not. A secret that became text on the way to one is not called as it calls
 * itself: a command that is given that is refused, and nobody would be told.
 */
function oneLine(message: string): string {
  return (message.split('\n', 1)[0] ?? message).replaceAll('[secret]', '[redacted]')
}
