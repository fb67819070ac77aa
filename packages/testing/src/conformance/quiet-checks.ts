import { inspectPlan, validatePlan } from '@holdfast/runtime'
import type { PlannedStep } from '@holdfast/sdk'
import { labelOf } from './calls.ts'
import { isRead } from './plugin-case.ts'
import type { Stage } from './stage.ts'

/**
 * What `holdfast validate` and `holdfast plan` call.
 *
 * @returns the steps that were described, by target
 */
export async function inspect(stage: Stage): Promise<ReadonlyMap<string, readonly PlannedStep[]>> {
  const { services } = stage.test.engine
  const [plan] = services.config().plans
  if (!plan) throw new TypeError('there is no plan')
  const { signal } = new AbortController()
  const [problem] = await stage.settle(validatePlan(services, plan, 'command', signal))
  if (problem) throw new Error(`validate is not content with the world of this case: ${problem.message}`)
  const targets = plan.maintenance ? [] : await stage.settle(inspectPlan(services, plan, signal))
  return new Map(targets.map(({ id, steps }) => [id, steps]))
}

/** Validate, the search for targets and describe change nothing: they are called at any time, also beside a run. */
export async function checksAreQuiet(stage: Stage): Promise<void> {
  const { world, test } = stage
  const look = async (): Promise<string> => JSON.stringify([world.state?.(), await storedKeys(stage)])
  const before = await look()
  await inspect(stage)
  const faults = stage.calls
    .filter(({ kind, what, command }) => {
      if (kind === 'exec') return !isRead(world, command ?? [])
      if (kind === 'api') return !/^(get|list) /.test(what)
      return kind !== 'sleep'
    })
    .map((call) => `${labelOf(call)}${call.command ? ` (${call.command.join(' ')})` : ''}`)
  const asked = (world.cluster?.requests ?? [])
    .filter(({ verb, resource }) => resource !== '' && !isReview(resource) && !['get', 'list', 'watch'].includes(verb))
    .map(({ verb, resource }) => `${verb} ${resource}, as the API server saw it`)
  const after = await look()
  if (before !== after) faults.push(`what was ${before} is ${after} now`)
  if (faults.length > 0 || asked.length > 0) {
    throw new Error(`validate, targets or describe did more than look: ${[...faults, ...asked].join('; ')}`)
  }
  if (test.events.length > 0) throw new Error('validate, targets or describe began a run')
}

/** Whether it is a question about rights, which everybody may ask. */
export function isReview(resource: string): boolean {
  return /^selfsubject(access|rules)reviews$/.test(resource)
}

async function storedKeys({ test }: Stage): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of test.storage.list('', { signal: new AbortController().signal })) keys.push(key)
  return keys
}
