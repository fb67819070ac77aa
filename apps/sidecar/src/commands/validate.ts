import type { HoldfastError } from '@holdfast/sdk'
import { recordFailure, validatePlan } from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { withInspectingEngine } from '../inspection.ts'
import { reviewPermissions } from '../permissions.ts'
import { count } from '../output/format.ts'

/** `holdfast validate`: checks the configuration and calls the `validate` hooks of every plan. */
export async function runValidateCommand(context: CommandContext): Promise<number> {
  const loaded = await openConfiguration(context)
  const { plans, source } = loaded.config
  const found = await withInspectingEngine(context, loaded, async ({ services }, signal, cluster) => {
    const results: { readonly plan: string; readonly problems: HoldfastError[] }[] = []
    for (const plan of plans) {
      results.push({ plan: plan.name, problems: [...(await validatePlan(services, plan, 'command', signal))] })
    }
    const review = await reviewPermissions({ cluster, config: loaded.config, env: context.io.env, signal })
    if (review.error) context.warn(review.error)
    for (const { plan, error } of review.missing) {
      const result = results.find((each) => each.plan === plan)
      if (result) result.problems.push(error)
      else context.warn(error)
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
