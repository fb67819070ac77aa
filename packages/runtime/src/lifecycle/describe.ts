import type { PlannedStep } from '@holdfast/sdk'
import type { ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { callWithDeadline } from './call.ts'
import { checkContext } from './contexts.ts'
import { hookNames } from './policy.ts'
import { Scope } from './scope.ts'
import type { TargetState } from './outcome.ts'

const describeTimeoutMs = 60_000

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
    const scope = new Scope(services)
    try {
      await callWithDeadline(
        async (deadline) => {
          const site = { services, plan, participant, hook: 'describe', signal: deadline, scope }
          const ctx = Object.defineProperty(checkContext(site, 'command'), 'target', { value: state.target })
          steps.push(...((await participant.describe?.(ctx as never)) ?? []))
        },
        {
          clock: services.clock,
          where: `describe of "${participant.id}" for "${state.target.id}"`,
          timeoutMs: describeTimeoutMs,
          parents: [signal],
          hurried: services.shutdown.abandoned,
        },
      )
    } finally {
      await scope.close()
    }
  }
  return steps
}
