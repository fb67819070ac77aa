import { parseDuration, type Duration, type HookHandler, type HookName, type HookOptions } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { hookNames, lifecyclePolicy } from '../lifecycle/policy.ts'
import { describeValue } from './describe-export.ts'
import { suggest } from './did-you-mean.ts'
import { isPlainObject } from './plain-object.ts'
import type { Path, Problems } from './problems.ts'
import type { Participant, ResolvedHook } from './resolved.ts'
import { describeIssue } from './schema-issue.ts'

type Entry = HookHandler<HookName, unknown> | (HookOptions & { readonly handler: HookHandler<HookName, unknown> })

const entryKeys = ['handler', 'order', 'timeout', 'retry', 'attempts', 'backoff']
const defaultBackoff: Duration = '1m'

/**
 * Hooks with their defaults filled in; one that is unknown or no function is among the problems.
 *
 * @param of - whose they are, for messages: `plugin "scripts"`
 */
export async function resolveHooks(
  hooks: Readonly<Record<string, unknown>>,
  of: string,
  path: Path,
  problems: Pick<Problems, 'add'>,
): Promise<Participant['hooks']> {
  const resolved: Record<string, ResolvedHook> = {}
  for (const [hook, entry] of Object.entries(hooks)) {
    if (entry === undefined) continue
    if (!isHookName(hook)) {
      const known = hookNames.join(', ')
      problems.add(errors.HOOK_UNKNOWN({ hook, of, suggestion: suggest(hook, hookNames), known }), { path })
    } else if (await isEntry(entry, hook, of, path, problems)) {
      resolved[hook] = resolveEntry(entry as Entry)
    }
  }
  return resolved
}

function isHookName(name: string): name is HookName {
  return Object.hasOwn(lifecyclePolicy, name)
}

/** Attempts and pause, with their defaults: one attempt, a minute. */
export function resolveRetry(retry: HookOptions['retry']): ResolvedHook['retry'] {
  return { attempts: retry?.attempts ?? 1, backoffMs: parseDuration(retry?.backoff ?? defaultBackoff) }
}

function resolveEntry(entry: Entry): ResolvedHook {
  const { handler, order, timeout, retry }: HookOptions & { readonly handler: HookHandler<HookName, unknown> } =
    typeof entry === 'function' ? { handler: entry } : entry
  return {
    handler,
    order: order ?? 'normal',
    timeoutMs: timeout === undefined ? undefined : parseDuration(timeout),
    retry: resolveRetry(retry),
  }
}

async function isEntry(
  entry: unknown,
  hook: string,
  of: string,
  path: Path,
  problems: Pick<Problems, 'add'>,
): Promise<boolean> {
  if (typeof entry === 'function') return true
  if (!isPlainObject(entry)) {
    problems.add(errors.HOOK_ENTRY_INVALID({ hook, of, reason: `it is ${describeValue(entry)}` }), { path })
    return false
  }
  const { hookEntryShape } = await import('./shape.ts')
  const result = hookEntryShape.safeParse(entry)
  for (const found of result.error?.issues ?? []) {
    for (const issue of describeIssue(found, entry)) {
      const reason = issue.kind === 'value' ? issue.reason : `unknown key "${issue.key}"`
      const where = issue.kind === 'value' && issue.path.length > 0 ? `${issue.path.join('.')} ` : ''
      const suggestion = issue.kind === 'value' ? issue.suggestion : suggest(issue.key, entryKeys)
      problems.add(errors.HOOK_ENTRY_INVALID({ hook, of, reason: `${where}${reason}`, suggestion }), { path })
    }
  }
  return result.success
}
