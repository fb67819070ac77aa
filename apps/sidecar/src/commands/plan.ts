import { isHoldfastError } from '@holdfast/sdk'
import {
  formatRetention,
  inspectCopies,
  inspectDrill,
  inspectPlan,
  recordFailure,
  toFailure,
  validatePlan,
  type InspectedDrill,
  type KeptPoint,
  type ResolvedPlan,
} from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { drillsOf } from '../drills.ts'
import { exitCode } from '../exit-codes.ts'
import { withInspectingEngine } from '../inspection.ts'
import { formatInspectedDrill, inspectedDrillJson } from '../output/drills.ts'
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
        const targets = await inspectPlan(services, plan, signal)
        return { plan, problems, targets, copies: plan.maintenance ? [] : await inspectCopies(services, plan, signal) }
      } catch (error) {
        problems.push(isHoldfastError(error) ? error : toFailure(error, { hook: 'targets' }))
        return { plan, problems, targets: [], copies: [] }
      }
    }
    const found: (Inspection & { readonly drills: readonly InspectedDrill[] })[] = []
    for (const plan of plans) {
      const drills: InspectedDrill[] = []
      const inspection = await inspect(plan)
      for (const drill of drillsOf(loaded.config, [plan])) drills.push(await inspectDrill(services, drill, signal))
      found.push({ ...inspection, drills })
    }
    return found
  })
  if (context.settings.json) {
    const withDrills = ({ drills, ...inspection }: (typeof inspections)[number]): object => ({
      ...inspectionJson(inspection),
      drills: drills.map(inspectedDrillJson),
    })
    context.printJson(inspections.map(withDrills))
  } else {
    for (const inspection of inspections) {
      context.print(formatInspection(inspection, context))
      for (const problem of inspection.problems) context.fail(problem)
      // A run would be partial, and backs up all the same.
      for (const { error } of inspection.copies) if (error) context.warn(error)
      for (const drill of inspection.drills) {
        context.print(formatInspectedDrill(drill, context))
        for (const problem of drill.problems) context.fail(problem)
      }
    }
  }
  const problems = inspections.flatMap((each) => [...each.problems, ...each.drills.flatMap((drill) => drill.problems)])
  return problems.length > 0 ? exitCode.config : exitCode.ok
}

function keptJson({ point, rule, index }: KeptPoint): object {
  return { id: point.id, rule, index }
}

function inspectionJson({ plan, problems, targets, copies }: Inspection): object {
  return {
    plan: plan.name,
    maintenance: plan.maintenance,
    retention: plan.retention && formatRetention(plan.retention),
    problems: problems.map(recordFailure),
    targets: targets.map(({ id, steps, points, expired, kept }) => ({
      id,
      steps,
      points: points.map(pointJson),
      expired: expired.map((point) => point.id),
      kept: kept.map(keptJson),
    })),
    copies: copies.map(({ name, artifacts, lacks, expired, kept, error }) => ({
      copy: name,
      artifacts: artifacts.map(({ id }) => id),
      lacks: lacks.map(({ id }) => id),
      expired: expired.map(({ id }) => id),
      kept: kept.map(keptJson),
      error: error && recordFailure(error),
    })),
  }
}
