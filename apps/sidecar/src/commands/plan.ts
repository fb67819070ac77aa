import { isHoldfastError } from '@holdfast/sdk'
import {
  formatRetention,
  inspectPlan,
  recordFailure,
  toFailure,
  validatePlan,
  type ResolvedPlan,
} from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { withInspectingEngine } from '../inspection.ts'
import { formatInspection, type Inspection } from '../output/inspection.ts'
import { pointJson } from '../output/result-json.ts'
import { plansNamed } from '../plans.ts'

/** `holdfast plan [PLAN]`: what a run would do, without doing anything. */
export async function runPlanCommand(context: CommandContext, name: string | undefined): Promise<number> {
  const loaded = await openConfiguration(context)
  const plans = plansNamed(loaded.config, name)
  const inspections = await withInspectingEngine(context, loaded, async ({ services }, signal) => {
    const inspect = async (plan: ResolvedPlan): Promise<Inspection> => {
      const problems = [...(await validatePlan(services, plan, 'command', signal))]
      try {
        return { plan, problems, targets: await inspectPlan(services, plan, signal) }
      } catch (error) {
        problems.push(isHoldfastError(error) ? error : toFailure(error, { hook: 'targets' }))
        return { plan, problems, targets: [] }
      }
    }
    const found: Inspection[] = []
    for (const plan of plans) found.push(await inspect(plan))
    return found
  })
  if (context.settings.json) context.printJson(inspections.map(inspectionJson))
  else {
    for (const inspection of inspections) {
      context.print(formatInspection(inspection, context))
      for (const problem of inspection.problems) context.fail(problem)
    }
  }
  return inspections.some(({ problems }) => problems.length > 0) ? exitCode.config : exitCode.ok
}

function inspectionJson({ plan, problems, targets }: Inspection): object {
  return {
    plan: plan.name,
    maintenance: plan.maintenance,
    retention: plan.retention && formatRetention(plan.retention),
    problems: problems.map(recordFailure),
    targets: targets.map(({ id, steps, points, expired }) => ({
      id,
      steps,
      points: points.map(pointJson),
      expired: expired.map((point) => point.id),
    })),
  }
}
