import type { HookName, Plan } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { Path, Problems } from './problems.ts'
import type { Participant, ResolvedPlan } from './resolved.ts'

const backupSettings = ['concurrency', 'retention', 'allowEmpty', 'encoding', 'copies'] as const
const backupHooks = ['beforeBackups', 'backups', 'afterBackups', 'verifyBackups', 'pruneBackups'] as const
const ownTargets = ['verifyBackups', 'pruneBackups'] as const

/** Warns of settings and hooks of a plan that nothing will ever come of. */
export function warnUnused(plan: ResolvedPlan, written: Plan, path: Path, problems: Pick<Problems, 'warn'>): void {
  if (plan.maintenance) {
    for (const setting of backupSettings) {
      if (written[setting] === undefined) continue
      problems.warn(errors.SETTING_UNUSED({ setting, plan: plan.name }), { path: [...path, setting], part: 'key' })
    }
  }
  for (const [index, participant] of plan.participants.entries()) {
    for (const [hook, reason] of neverRunning(participant, plan.maintenance)) {
      const of = `${participant.kind} "${participant.id}" of plan "${plan.name}"`
      problems.warn(errors.HOOK_NEVER_RUNS({ hook, of, reason }), { path: [...path, 'use', index] })
    }
  }
}

function neverRunning({ kind, hooks }: Participant, maintenance: boolean): readonly (readonly [HookName, string])[] {
  if (kind === 'hook' && maintenance) return named(hooks, backupHooks, 'nothing in the plan has a `backups` hook')
  if (kind === 'hook') return named(hooks, ['pruneBackups'], 'a hook module has no targets of its own')
  return hooks.backups ? [] : named(hooks, ownTargets, 'the plugin has no `backups` hook, so it has no targets')
}

function named(
  hooks: Participant['hooks'],
  names: readonly HookName[],
  reason: string,
): readonly (readonly [HookName, string])[] {
  return names.filter((name) => hooks[name] !== undefined).map((name) => [name, reason])
}
