import type { KubernetesObject, Permission } from '@holdfast/sdk'
import type { YamlComment, YamlPage } from './yaml.ts'
import { inNamespace } from './in-namespace.ts'

/** The names of the objects that give rights. */
export interface RbacNames {
  readonly serviceAccount: string
  readonly role: string
  readonly roleBinding: string
  /** For what is in no namespace; such names are the whole cluster's. */
  readonly clusterRole: string
}

/** Who may do what. */
export interface RbacOptions {
  readonly names: RbacNames
  /** `undefined`: whichever it is applied to; then nothing may be needed outside of it. */
  readonly namespace: string | undefined
  /** Merged: each resource once. */
  readonly permissions: readonly Permission[]
  /** The Lease that decides who schedules: the right to look at it and to renew it is for this one alone. */
  readonly lease?: string | undefined
}

/** A rule of a Role. */
interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

const rbac = 'rbac.authorization.k8s.io'

/** An account. */
export function serviceAccountPage(name: string, namespace: string | undefined): YamlPage {
  return { value: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, ...inNamespace(namespace) } } }
}

/** The least Role and ClusterRole, each with its binding to the account and with the reason of each rule. */
export function rolePages({ names, namespace, permissions, lease }: RbacOptions): readonly YamlPage[] {
  const of = (scope: Permission['scope']): readonly Permission[] => permissions.filter((each) => each.scope === scope)
  // Without one, a RoleBinding means the account in its own namespace.
  const subjects = [{ kind: 'ServiceAccount', name: names.serviceAccount, ...inNamespace(namespace) }]
  const pages = (kind: 'Role' | 'ClusterRole', name: string, binding: string): readonly YamlPage[] => {
    const scoped = of(kind === 'Role' ? 'namespace' : 'cluster')
    if (scoped.length === 0) return []
    const where = kind === 'Role' ? inNamespace(namespace) : {}
    const rules = scoped.flatMap((permission) => rulesFor(permission, lease))
    const role: KubernetesObject & { readonly rules: readonly Rule[] } = {
      apiVersion: `${rbac}/v1`,
      kind,
      metadata: { name, ...where },
      rules: rules.map(({ rule }) => rule),
    }
    const bound: KubernetesObject = {
      apiVersion: `${rbac}/v1`,
      kind: `${kind}Binding`,
      metadata: { name: binding, ...where },
      roleRef: { apiGroup: rbac, kind, name },
      subjects,
    }
    const comments = rules.map(({ why }, index): YamlComment => ({ at: ['rules', index], text: why }))
    return [{ value: role, comments }, { value: bound }]
  }
  return [
    ...pages('Role', names.role, names.roleBinding),
    ...pages('ClusterRole', names.clusterRole, names.clusterRole),
  ]
}

function rulesFor(
  { apiGroup, resource, verbs, why }: Permission,
  lease: string | undefined,
): readonly { readonly rule: Rule; readonly why: string }[] {
  const rule = (some: readonly string[], resourceNames?: readonly string[]): Rule => ({
    apiGroups: [apiGroup],
    resources: [resource],
    ...(resourceNames && { resourceNames }),
    verbs: some,
  })
  if (resource !== 'leases' || lease === undefined) return [{ rule: rule(verbs), why }]
  // What doesn't exist yet has no name that a rule could ask for.
  return [
    { rule: rule(verbs.filter((verb) => verb === 'create')), why },
    {
      rule: rule(
        verbs.filter((verb) => verb !== 'create'),
        [lease],
      ),
      why,
    },
  ].filter(({ rule: { verbs: some } }) => some.length > 0)
}
