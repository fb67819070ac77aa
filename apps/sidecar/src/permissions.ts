import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import {
  findMissingPermissions,
  neededPermissions,
  type Cluster,
  type MissingPermission,
  type ResolvedConfig,
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
  /** HOLDFAST_LEASE names the Lease, if somebody made one for us. */
  readonly env: NodeJS.ProcessEnv
  readonly signal?: AbortSignal | undefined
}

/** Asks the API server about everything that a configuration needs; without a cluster there is nothing to ask. */
export async function reviewPermissions(options: ReviewPermissionsOptions): Promise<PermissionReview> {
  const { cluster, config, env, signal } = options
  if (!cluster) return { missing: [] }
  const all = neededPermissions(config, { lease: env['HOLDFAST_LEASE'] })
  const needed = all.filter(({ plan }) => plan !== undefined || cluster.pod !== undefined)
  try {
    return { missing: await findMissingPermissions(cluster.kubernetes, needed, { signal, timeoutMs: reviewMs }) }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return { missing: [], error }
  }
}
