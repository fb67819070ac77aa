import type { KubernetesObject } from '@holdfast/sdk'
import { forbidden, type StatusError } from './status.ts'

/** What somebody may do, or may not. `*` stands for all. */
export interface AccessRule {
  /** `get`, `list`, `create`… */
  readonly verb: string | readonly string[]
  /** Plural, with its subresource: `pods/exec`. */
  readonly resource: string | readonly string[]
  /** `''` is the core group. Default: every group. */
  readonly apiGroup?: string | readonly string[] | undefined
  /** Default: every namespace, and the cluster. */
  readonly namespace?: string | undefined
  /** Default: every name. */
  readonly name?: string | readonly string[] | undefined
}

/** Who may do what. At first everything is allowed. */
export interface FakeAccess {
  /** Refuses, also what is allowed elsewhere. */
  deny(rule: AccessRule): void
  /** Refuses all but this, from now on. Access reviews and discovery stay allowed, as in every cluster. */
  allowOnly(rules: readonly AccessRule[]): void
  /** Allows everything again. */
  allowAll(): void
}

/** One thing that somebody wants to do. */
export interface AccessRequest {
  readonly verb: string
  readonly group: string
  /** Without its subresource. */
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

/** The server's own view of {@link FakeAccess}. */
export interface Access extends FakeAccess {
  readonly user: string
  allows(request: AccessRequest): boolean
  /** @throws StatusError 403, in a real server's words */
  require(request: AccessRequest): void
  /** For a SelfSubjectRulesReview. */
  rules(namespace: string): { readonly rules: readonly ResourceRule[]; readonly incomplete: boolean }
}

/** A rule as RBAC writes it. */
export interface ResourceRule {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[] | undefined
}

/** @param user - whose token it is, for messages */
export function createAccess(user: string): Access {
  let denied: AccessRule[] = []
  let allowed: readonly AccessRule[] = [{ verb: '*', resource: '*' }]

  const access: Access = {
    user,
    deny: (rule) => void denied.push(rule),
    allowOnly: (rules) => void (allowed = rules),
    allowAll() {
      denied = []
      allowed = [{ verb: '*', resource: '*' }]
    },
    allows(request) {
      if (isSelfReview(request)) return true
      return allowed.some((rule) => covers(rule, request)) && !denied.some((rule) => covers(rule, request))
    },
    require(request) {
      if (!access.allows(request)) throw refusal(user, request)
    },
    rules(namespace) {
      const rules = allowed.filter((rule) => rule.namespace === undefined || rule.namespace === namespace)
      return { rules: rules.map(toResourceRule), incomplete: denied.length > 0 }
    },
  }
  return access
}

/**
 * The rules of a Role or ClusterRole, for `allowOnly`: what a generated manifest allows, and nothing else.
 *
 * @example
 * ```ts
 * const server = await startFakeKubernetes()
 * const role = server.objects.get('roles', 'default', 'holdfast')
 * if (role) server.authorize.allowOnly(accessRulesOf(role))
 * ```
 */
export function accessRulesOf(role: KubernetesObject): readonly AccessRule[] {
  const rules = (role['rules'] ?? []) as readonly ResourceRule[]
  return rules.map(({ verbs, apiGroups, resources, resourceNames }) => ({
    verb: verbs,
    resource: resources,
    apiGroup: apiGroups,
    namespace: role.kind === 'Role' ? role.metadata.namespace : undefined,
    name: resourceNames,
  }))
}

function refusal(user: string, request: AccessRequest): StatusError {
  const { verb, group, resource, subresource, namespace, name } = request
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`
  const why = `User "${user}" cannot ${verb} resource "${full}" in API group "${group}" ${where}`
  return forbidden({ group, resource }, name, why)
}

function covers(rule: AccessRule, request: AccessRequest): boolean {
  const { subresource } = request
  const resource = subresource === '' ? request.resource : `${request.resource}/${subresource}`
  return (
    includes(rule.verb, request.verb) &&
    (includes(rule.resource, resource) || (subresource !== '' && includes(rule.resource, `*/${subresource}`))) &&
    (rule.apiGroup === undefined || includes(rule.apiGroup, request.group)) &&
    (rule.namespace === undefined || rule.namespace === request.namespace) &&
    (rule.name === undefined || includes(rule.name, request.name))
  )
}

function includes(set: string | readonly string[], value: string): boolean {
  return listOf(set).some((each) => each === '*' || each === value)
}

function listOf(set: string | readonly string[]): readonly string[] {
  return typeof set === 'string' ? [set] : set
}

/** Everybody may ask what they may do. */
function isSelfReview({ verb, resource }: AccessRequest): boolean {
  return verb === 'create' && /^selfsubject(access|rules)?reviews$/.test(resource)
}

function toResourceRule({ verb, apiGroup = '*', resource, name }: AccessRule): ResourceRule {
  return {
    verbs: listOf(verb),
    apiGroups: listOf(apiGroup),
    resources: listOf(resource),
    ...(name === undefined ? {} : { resourceNames: listOf(name) }),
  }
}
