import type { Participant, ResolvedHook, ResolvedPlan } from '@holdfast/runtime'
import type { HookName } from '@holdfast/sdk'

/** What has to run before a hook has something to look at. */
const needs: { readonly [Name in HookName]?: readonly HookName[] } = {
  verifyBackups: ['backups'],
  pruneBackups: ['backups', 'verifyBackups'],
}

/**
 * The same plan with one hook, and with what that one needs; the others do nothing. Before `onError` something fails, or it
 * would not be called.
 *
 * @throws TypeError when nobody has the hook
 */
export function onlyHook(plan: ResolvedPlan, name: HookName): ResolvedPlan {
  if (!plan.participants.some(({ hooks }) => hooks[name])) throw new TypeError(`nothing that is used has ${name}`)
  const kept = new Set<string>([name, ...(needs[name] ?? [])])
  const participants = plan.participants.map((participant) => ({
    ...participant,
    hooks: Object.fromEntries(
      Object.entries(participant.hooks).map(([each, hook]) => [
        each,
        kept.has(each) ? hook : { ...hook, handler: () => undefined },
      ]),
    ),
  }))
  const isWork = !['installDependencies', 'validate', 'maintain'].includes(name)
  const rest = isWork && (plan.maintenance || name === 'onError') ? [besides(name === 'onError')] : []
  return { ...plan, participants: [...participants, ...rest], maintenance: plan.maintenance && rest.length === 0 }
}

/** A target where there is none; one that fails, where something has to. */
function besides(fails: boolean): Participant {
  const backups: ResolvedHook<'backups'> = {
    handler() {
      if (fails) throw new Error('the test lets this fail, so that onError is called')
    },
    order: 'normal',
    timeoutMs: undefined,
    retry: { attempts: 1, backoffMs: 0 },
  }
  return {
    kind: 'hook',
    id: 'besides',
    name: 'besides',
    source: undefined,
    config: undefined,
    hooks: { backups },
    undos: new Map(),
    permissions: [],
    targets: undefined,
    describe: undefined,
    restore: undefined,
    commands: undefined,
  }
}
