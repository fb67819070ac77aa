import { loadQuietly } from '../configuration.ts'
import { clusterOf } from '../cluster.ts'
import type { CommandContext } from '../context.ts'
import { reviewPermissions } from '../permissions.ts'
import { ok, problem, warning, type Finding } from './check.ts'

const check = 'kubernetes'

/** The cluster that we belong to, and what we may do there. */
export async function checkCluster(context: CommandContext): Promise<readonly Finding[]> {
  const cluster = await clusterOf(context)
  if (!cluster) return [ok(check, 'no cluster: there is no service account here, and KUBECONFIG names none')]
  try {
    const { connection } = cluster
    const where = `${connection.server.host}, namespace "${connection.namespace}", as ${connection.source}`
    const loaded = await loadQuietly(context).catch(() => undefined)
    // What the engine itself would like to do; what plans need is known only with a configuration that can be loaded.
    const config = loaded?.config ?? {
      instance: 'default',
      storage: undefined,
      plans: [],
      drills: [],
      notify: [],
      replicas: 'each',
      undoMirror: true,
      source: 'none',
    }
    const { missing, error } = await reviewPermissions({ cluster, config, env: context.io.env })
    if (error) return [problem(check, `${where}: ${error.message}`, error.hint ?? '')]
    const findings = missing.map(({ plan, error: said }) =>
      plan === undefined
        ? warning(check, said.message, said.hint ?? '')
        : problem(check, said.message, said.hint ?? ''),
    )
    return [ok(check, where), ...findings]
  } finally {
    cluster.close()
  }
}
