import type { PlannedStep } from '@holdfast/sdk'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { checkContext } from './contexts.ts'
import { hookNames } from './policy.ts'
import { Scope } from './scope.ts'
import type { TargetState } from './outcome.ts'
import { workspaceName } from './workspaces.ts'

/** What a run would do for a target: as its plugin describes it, and the names of hooks that describe nothing. */
export async function describeTarget(
  services: Services,
  plan: ResolvedPlan,
  state: TargetState,
  signal: AbortSignal,
): Promise<readonly PlannedStep[]> {
  const steps: PlannedStep[] = []
  for (const participant of plan.participants) {
    if (participant.kind === 'plugin' && participant !== state.owner) continue
    if (participant.kind === 'hook' && participant.hooks.backups && participant !== state.owner) continue
    if (!participant.describe) {
      for (const hook of hookNames) {
        if (participant.hooks[hook])
          steps.push({ kind: 'exec', what: `runs ${participant.source ?? participant.id}`, where: hook })
      }
      continue
    }
    const scope = new Scope(() => workspaceName(services))
    try {
      const ctx = checkContext({ services, plan, participant, hook: 'describe', signal, scope }, 'command')
      steps.push(
        ...(await participant.describe(Object.defineProperty(ctx, 'target', { value: state.target }) as never)),
      )
    } finally {
      await scope.close()
    }
  }
  return steps
}
