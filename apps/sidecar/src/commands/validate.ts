import type { HoldfastError } from '@holdfast/sdk'
import { recordFailure, validatePlan } from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { withInspectingEngine } from '../inspection.ts'
import { count } from '../output/format.ts'

/** What `validate` hooks have against a plan. */
export interface PlanProblems {
  readonly plan: string
  readonly problems: readonly HoldfastError[]
}

/** `holdfast validate`: checks the configuration and calls the `validate` hooks of every plan. */
export async function runValidateCommand(context: CommandContext): Promise<number> {
  const loaded = await openConfiguration(context)
  const { plans, source } = loaded.config
  const found = await withInspectingEngine(context, loaded, async ({ services }, signal) => {
    const results: PlanProblems[] = []
    for (const plan of plans) {
      results.push({ plan: plan.name, problems: await validatePlan(services, plan, 'command', signal) })
    }
    return results
  })
  const ok = found.every(({ problems }) => problems.length === 0)
  if (context.settings.json) {
    const plansJson = found.map(({ plan, problems }) => ({ plan, problems: problems.map(recordFailure) }))
    context.printJson({ ok, source, warnings: loaded.warnings.map(recordFailure), plans: plansJson })
  } else {
    for (const { problems } of found) for (const problem of problems) context.fail(problem)
    if (ok) context.print(`${context.style.green('✓')} ${source}: ${count(plans.length, 'plan')}, no problem\n`)
  }
  return ok ? exitCode.ok : exitCode.config
}
