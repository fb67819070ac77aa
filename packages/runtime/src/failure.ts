import { HoldfastError, isHoldfastError, type HoldfastFailure } from '@holdfast/sdk'
import { errors } from './errors.ts'
import { issuesOf, issuesText } from './issues.ts'
import type { FailureRecord } from './journal/records.ts'
import { plainValue } from './telemetry/plain-value.ts'

/** Where something failed: added to errors on their way up. */
export interface FailureContext {
  readonly plugin?: string | undefined
  readonly hook?: string | undefined
  readonly target?: string | undefined
  readonly run?: string | undefined
}

/** One line about anything that was thrown. */
export function reasonOf(thrown: unknown): string {
  const issues = thrown instanceof Error ? issuesOf(thrown) : undefined
  if (issues) return issuesText(issues).replaceAll('\n', ' ')
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
  return text.split('\n', 1)[0] ?? text
}

/**
 * Anything that was thrown, as a {@link HoldfastError} that knows where: an error of ours keeps its code, any other
 * becomes the cause of `HOOK_FAILED`.
 */
export function toFailure(thrown: unknown, context: FailureContext): HoldfastError {
  if (isHoldfastError(thrown)) {
    const complete = Object.entries(context).every(([key, value]) => value === undefined || key in thrown)
    const same = (['plugin', 'hook', 'target', 'run'] as const).every(
      (key) => thrown[key] ?? context[key] === undefined,
    )
    if (complete && same) return thrown
    return new HoldfastError({
      code: thrown.code,
      message: thrown.message,
      hint: thrown.hint,
      docs: thrown.docs,
      retryable: thrown.retryable,
      plugin: thrown.plugin ?? context.plugin,
      hook: thrown.hook ?? context.hook,
      target: thrown.target ?? context.target,
      run: thrown.run ?? context.run,
      details: thrown.details,
      cause: thrown.cause,
    })
  }
  const where = [
    context.hook ?? 'hook',
    context.plugin && `of "${context.plugin}"`,
    context.target && `for "${context.target}"`,
  ]
  return errors.HOOK_FAILED(
    { where: where.filter(Boolean).join(' '), reason: reasonOf(thrown) },
    { cause: thrown, ...context },
  )
}

/** A failure as plain JSON, for the journal and for `--json`. */
export function recordFailure(failure: HoldfastFailure): FailureRecord {
  const { code, message, hint, docs, retryable, plugin, hook, target, run, details, cause } = failure
  return {
    code,
    message,
    hint,
    docs,
    retryable,
    plugin,
    hook,
    target,
    run,
    details: plainValue(details, (text) => text) as FailureRecord['details'],
    ...(cause === undefined ? {} : { cause: reasonOf(cause) }),
  }
}
