import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import {
  findMissingPermissions,
  neededPermissions,
  type Cluster,
  type MissingPermission,
  type NeededPermission,
  type ResolvedConfig,
  type ResolvedDrill,
} from '@holdfast/runtime'

/** What the API server says of what a configuration needs. */
export interface PermissionReview {
  readonly missing: readonly MissingPermission[]
  /** It could not be asked. */
  readonly error?: HoldfastError | undefined
}

/** At start nobody should wait longer than this for an API server that doesn't answer. */
const reviewMs = 10_000

/** Options of {@link reviewPermissions}. */
export interface ReviewPermissionsOptions {
  readonly cluster: Cluster | undefined
  readonly config: ResolvedConfig
  /** Only what one run of this plan needs. Default: everything. */
  readonly plan?: string | undefined
  /** Only what one run of each of these drills needs. */
  readonly drills?: readonly ResolvedDrill[] | undefined
  /** HOLDFAST_LEASE names the Lease, if somebody made one for us. */
  readonly env: NodeJS.ProcessEnv
  readonly signal?: AbortSignal | undefined
}

/** Asks the API server about everything that a configuration needs; without a cluster there is nothing to ask. */
export async function reviewPermissions(options: ReviewPermissionsOptions): Promise<PermissionReview> {
  const { cluster, config, plan: one, drills, env, signal } = options
  if (!cluster) return { missing: [] }
  const all = neededPermissions(config, { lease: env['HOLDFAST_LEASE'] })
  const ofRun = drills
    ? all.filter((each) => isForDrills(each, drills))
    : one === undefined
      ? all
      : all.filter((each) => isForRun(each, config, one))
  const needed = ofRun.filter(({ plan }) => plan !== undefined || cluster.pod !== undefined)
  try {
    return { missing: await findMissingPermissions(cluster.kubernetes, needed, { signal, timeoutMs: reviewMs }) }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return { missing: [], error }
  }
}

/** One run leads nothing, and keeps no undos where its plan has none. */
function isForRun({ plan, drill, permission }: NeededPermission, { plans }: ResolvedConfig, one: string): boolean {
  if (plan !== undefined) return plan === one && drill === undefined
  if (permission.resource === 'events') return true
  const armsUndos = plans.some(
    ({ name, participants }) => name === one && participants.some(({ undos }) => undos.size > 0),
  )
  return armsUndos && permission.resource !== 'leases'
}

/** A drill restores by what its plan uses, and keeps what cleans up after it. */
function isForDrills({ plan, drill, permission }: NeededPermission, drills: readonly ResolvedDrill[]): boolean {
  if (plan === undefined) return permission.resource !== 'leases'
  return drills.some((each) => each.plan.name === plan && (drill === undefined || each.name === drill))
}
