import type { Permission, PluginFactory } from '@holdfast/sdk'
import type { PluginCase } from './plugin-case.ts'
import { inspect, isReview } from './quiet-checks.ts'
import { runWell, setStage, type Stage } from './stage.ts'

interface Use {
  readonly verb: string
  readonly apiGroup: string
  readonly resource: string
  /** `''`: the whole cluster. */
  readonly namespace: string
}

/** What is asked of the Kubernetes API is declared: Roles are generated from it, and lack what is not. */
export async function declaresPermissions<Options>(
  factory: PluginFactory<Options>,
  pluginCase: PluginCase<Options>,
): Promise<void> {
  await using stage = await setStage(factory, pluginCase)
  await inspect(stage)
  const { outcome } = await runWell(stage)
  await stage.restore(outcome)
  const home = stage.world.cluster?.namespace ?? 'default'
  const { permissions } = stage.participant
  const missing = usesOf(stage, home).filter((use) => !permissions.some((each) => covers(each, use, home)))
  const lines = new Set(
    missing.map(({ verb, apiGroup, resource, namespace }) => {
      const where = namespace === home ? '' : namespace === '' ? ' in the whole cluster' : ` in ${namespace}`
      return `${verb} ${resource}${apiGroup && `.${apiGroup}`}${where}`
    }),
  )
  if (lines.size > 0) throw new Error(`permissions don't declare what is used: ${[...lines].join('; ')}`)
}

function usesOf({ world, calls }: Stage, home: string): readonly Use[] {
  const { cluster } = world
  if (cluster) return cluster.requests.filter(({ resource }) => resource !== '' && !isReview(resource))
  // Without a cluster, commands in containers are fakes; for real they take this.
  return calls.flatMap(({ container }) =>
    container ? [{ verb: 'create', apiGroup: '', resource: 'pods/exec', namespace: container.namespace ?? home }] : [],
  )
}

function covers({ apiGroup, resource, verbs, scope }: Permission, use: Use, home: string): boolean {
  return (
    apiGroup === use.apiGroup &&
    resource === use.resource &&
    verbs.includes(use.verb) &&
    (scope === 'cluster' || use.namespace === home)
  )
}
