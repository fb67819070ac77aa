import type { Services } from '../services.ts'
import { executeRun } from './execute.ts'
import { newPlanRun, type RunResult } from './run-plan.ts'

/**
 * Runs `installDependencies` of every plan that has it, up to the first that fails.
 *
 * @param under - is given each run, and says when it is over
 * @returns the outcomes, and whether the process may go on
 */
export async function bootPlans(
  services: Services,
  under: (run: Promise<RunResult>) => Promise<RunResult>,
): Promise<{ readonly results: readonly RunResult[]; readonly ok: boolean }> {
  const results: RunResult[] = []
  for (const plan of services.config().plans) {
    if (!plan.participants.some(({ hooks }) => hooks.installDependencies)) continue
    const run = newPlanRun(services, plan.name, { trigger: 'boot' })
    const result = await under(executeRun(services, { run, plan }).then((outcome) => ({ run, outcome })))
    results.push(result)
    if (result.outcome.status !== 'succeeded') return { results, ok: false }
  }
  return { results, ok: true }
}
