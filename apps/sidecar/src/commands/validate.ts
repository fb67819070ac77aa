import type { HoldfastError } from '@holdfast/sdk'
import { recordFailure, validateDrill, validatePlan } from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { withInspectingEngine } from '../inspection.ts'
import { reviewPermissions } from '../permissions.ts'
import { countDrills } from '../output/drills.ts'
import { count } from '../output/format.ts'
import { copiesIn } from '../plans.ts'

/** What there is to say against a plan, or a drill of it. */
interface Validated {
  readonly plan: string
  readonly drill?: string | undefined
  readonly problems: HoldfastError[]
}

/** `holdfast validate`: checks the configuration and its drills, and calls the `validate` hooks of every plan. */
export async function runValidateCommand(context: CommandContext): Promise<number> {
  const loaded = await openConfiguration(context)
  const { plans, drills, source } = loaded.config
  const found = await withInspectingEngine(context, loaded, async ({ services }, signal, cluster) => {
    const results: Validated[] = []
    for (const plan of plans) {
      results.push({ plan: plan.name, problems: [...(await validatePlan(services, plan, 'command', signal))] })
    }
    for (const drill of drills) {
      const problems = [...(await validateDrill(services, drill, signal))]
      results.push({ plan: drill.plan.name, drill: drill.name, problems })
    }
    const review = await reviewPermissions({ cluster, config: loaded.config, env: context.io.env, signal })
    if (review.error) context.warn(review.error)
    for (const { plan, drill, error } of review.missing) {
      const result = results.find((each) => each.plan === plan && each.drill === drill)
      if (result) result.problems.push(error)
      else context.warn(error)
    }
    return results
  })
  const ok = found.every(({ problems }) => problems.length === 0)
  if (context.settings.json) {
    const plansJson = found.flatMap(({ plan, drill, problems }) => {
      const copies = plans.find(({ name }) => name === plan)?.copies.map(({ name }) => name)
      return drill === undefined ? [{ plan, copies, problems: problems.map(recordFailure) }] : []
    })
    const drillsJson = found.flatMap(({ plan, drill, problems }) => {
      return drill === undefined ? [] : [{ drill, plan, problems: problems.map(recordFailure) }]
    })
    const warnings = loaded.warnings.map(recordFailure)
    context.printJson({ ok, source, warnings, plans: plansJson, drills: drillsJson })
  } else {
    for (const { plan, drill, problems } of found) {
      const where = drill === undefined ? `plan "${plan}"` : `drill "${drill}"`
      for (const problem of problems) {
        context.fail(problem, problem.plugin === undefined ? where : `${where}, ${problem.plugin}`)
      }
    }
    const several = copiesIn(plans).length
    const copies = several === 0 ? [] : [count(several, 'copy', 'copies')]
    if (ok)
      context.print(
        `${context.style.green('✓')} ${source}: ${[count(plans.length, 'plan'), ...copies, ...countDrills(drills.length)].join(', ')}, no problem\n`,
      )
  }
  return ok ? exitCode.ok : exitCode.config
}
