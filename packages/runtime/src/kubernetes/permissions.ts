// What is needed from the API, by whom, and what of it is missing.
import { isHoldfastError, type HoldfastError, type Permission } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { ResolvedConfig } from '../load/resolved.ts'
import { describeSubject, ruleFor } from './api-path.ts'
import type { RuntimeKubernetes } from './kubernetes.ts'

/** What the engine itself needs. */
export interface EnginePermission extends Permission {
  /** It is needed for the object of that name only. */
  readonly name?: string | undefined
}

/** A permission, and who needs it. */
export interface NeededPermission {
  readonly permission: Permission | EnginePermission
  /** `plan "shop": plugin "benji"`, or `Holdfast itself`. */
  readonly owner: string
  /** The plan that can't do its work without it; `undefined`: the engine does without, and says so. */
  readonly plan?: string | undefined
  /** The drill of that plan that needs it; backups don't. */
  readonly drill?: string | undefined
}

/** A {@link NeededPermission} that was not granted. */
export interface MissingPermission extends NeededPermission {
  readonly verbs: readonly string[]
  readonly error: HoldfastError
}

const engine = 'Holdfast itself'

/** Options of {@link enginePermissions} and {@link neededPermissions}. */
export interface NeededPermissionsOptions {
  /** The Lease that was made for us, of HOLDFAST_LEASE: only this one is looked at and renewed, and none is created. */
  readonly lease?: string | undefined
}

/** What the engine itself needs. */
export function enginePermissions(
  config: Pick<ResolvedConfig, 'replicas' | 'undoMirror'>,
  options: NeededPermissionsOptions = {},
): readonly EnginePermission[] {
  // Set and empty is as good as not set.
  const name = options.lease || undefined
  const ours = { scope: 'namespace' } as const
  const mirror: Permission = {
    ...ours,
    apiGroup: '',
    resource: 'configmaps',
    verbs: ['create', 'get', 'list', 'delete'],
    why: 'armed undos are kept as ConfigMaps, so that they survive the loss of the state directory',
  }
  const lease: EnginePermission = {
    ...ours,
    apiGroup: 'coordination.k8s.io',
    resource: 'leases',
    ...(name !== undefined && { name }),
    verbs: [...(name === undefined ? ['create'] : []), 'get', 'update'],
    why: 'a Lease decides which of several pods schedules',
  }
  return [
    ...(config.undoMirror ? [mirror] : []),
    {
      ...ours,
      apiGroup: '',
      resource: 'pods',
      verbs: ['get'],
      why: 'whether the pod that armed an undo still lives decides who runs it',
    },
    {
      ...ours,
      apiGroup: '',
      resource: 'events',
      verbs: ['create'],
      why: 'how a run ended is said where `kubectl describe` shows it',
    },
    ...(config.replicas === 'leader' ? [lease] : []),
  ]
}

/** Everything that a configuration needs, each with its owner. */
export function neededPermissions(
  config: ResolvedConfig,
  options: NeededPermissionsOptions = {},
): readonly NeededPermission[] {
  const ours = enginePermissions(config, options).map((permission) => ({ permission, owner: engine }))
  const plans = config.plans.flatMap(({ name: plan, participants }) =>
    participants.flatMap(({ kind, id, permissions }) =>
      permissions.map((permission) => ({ permission, owner: `plan "${plan}": ${kind} "${id}"`, plan })),
    ),
  )
  const drills = config.drills.flatMap(({ name: drill, plan, participant }) =>
    participant.permissions.map((permission) => ({ permission, owner: `drill "${drill}"`, plan: plan.name, drill })),
  )
  return [...ours, ...plans, ...drills]
}

/** Everything that a configuration needs, the same resource once, in a stable order: what Roles are made from. */
export function permissionsOf(config: ResolvedConfig): readonly Permission[] {
  return mergePermissions(neededPermissions(config).map(({ permission }) => permission))
}

/** Unites permissions for the same resource: verbs and reasons add up. */
export function mergePermissions(permissions: readonly Permission[]): readonly Permission[] {
  const merged = new Map<string, { first: Permission; verbs: Set<string>; why: Set<string> }>()
  for (const each of permissions) {
    const key = `${each.scope}\0${each.apiGroup}\0${each.resource}`
    const there = merged.get(key) ?? { first: each, verbs: new Set(), why: new Set() }
    for (const verb of each.verbs) there.verbs.add(verb)
    there.why.add(each.why)
    merged.set(key, there)
  }
  return [...merged.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { first, verbs, why }]) => ({ ...first, verbs: [...verbs].toSorted(), why: [...why].join('; ') }))
}

/** Answers of the API server, as far as they are looked at. */
interface AccessReview {
  readonly status?: { readonly allowed?: boolean }
}

/**
 * Asks the API server, for each verb, whether we may (SelfSubjectAccessReview).
 *
 * @returns what is missing
 * @throws HoldfastError `KUBERNETES_…` when it can't be asked
 */
export async function findMissingPermissions(
  kubernetes: Pick<RuntimeKubernetes, 'api' | 'namespace'>,
  needed: readonly NeededPermission[],
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined } = {},
): Promise<readonly MissingPermission[]> {
  const answers = new Map<string, Promise<boolean>>()
  const ask = (permission: EnginePermission, verb: string): Promise<boolean> => {
    const { scope, apiGroup, resource, name } = permission
    const key = JSON.stringify([scope, apiGroup, resource, name, verb])
    const known = answers.get(key) ?? review(kubernetes, permission, verb, options)
    answers.set(key, known)
    return known
  }
  const missing = await Promise.all(
    needed.map(async (each): Promise<readonly MissingPermission[]> => {
      const { owner } = each
      const permission: EnginePermission = each.permission
      const allowed = await Promise.all(permission.verbs.map((verb) => ask(permission, verb)))
      const verbs = permission.verbs.filter((_, index) => !allowed[index])
      if (verbs.length === 0) return []
      const { apiGroup, resource, name, scope } = permission
      const isClusterWide = scope === 'cluster'
      const what = describeSubject({ resource, name, namespace: isClusterWide ? undefined : kubernetes.namespace })
      const params = {
        verbs: verbs.join(', '),
        what: `${what}${isClusterWide ? ' in the whole cluster' : ''}`,
        owner,
        rule: ruleFor({ apiGroup, resource, name, verbs }),
      }
      return [{ ...each, verbs, error: errors.PERMISSION_MISSING(params) }]
    }),
  )
  return missing.flat()
}

async function review(
  { api, namespace }: Pick<RuntimeKubernetes, 'api' | 'namespace'>,
  { apiGroup, resource: full, name, scope }: EnginePermission,
  verb: string,
  { signal, timeoutMs }: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined },
): Promise<boolean> {
  const [resource, subresource] = full.split('/')
  const attributes = {
    verb,
    group: apiGroup,
    resource,
    ...(subresource !== undefined && { subresource }),
    ...(name !== undefined && { name }),
    ...(scope === 'namespace' && { namespace }),
  }
  const answer = await api.request<AccessReview>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: attributes },
    },
    signal,
    timeoutMs,
    // Asking twice changes nothing.
    idempotent: true,
  })
  return answer.status?.allowed === true
}

/** Whether an error says that the API server could not be asked, as opposed to that it said no. */
export function isUnreachable(error: unknown): boolean {
  return isHoldfastError(error) && (error.code === 'KUBERNETES_UNAVAILABLE' || error.code === 'KUBERNETES_TIMEOUT')
}
