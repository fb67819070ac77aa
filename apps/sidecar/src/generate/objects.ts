import type { Blueprint } from './blueprint.ts'
import { configMapOf } from './config-map.ts'
import { rolePages, serviceAccountPage, type RbacNames } from './rbac.ts'
import type { YamlPage } from './yaml.ts'

/** The account, where one is made, and what it may do. */
export function accountPages({ name, namespace, account, permissions, lease }: RbacInput): readonly YamlPage[] {
  const names: RbacNames = {
    serviceAccount: account.name,
    role: name,
    roleBinding: name,
    clusterRole: [namespace, name].filter((part) => part !== undefined).join('-'),
  }
  const made = account.isMade ? [serviceAccountPage(account.name, namespace)] : []
  return [...made, ...rolePages({ names, namespace, permissions, lease })]
}

type RbacInput = Pick<Blueprint, 'name' | 'namespace' | 'account' | 'permissions' | 'lease'>

/** The scripts and the configuration. */
export function configMapPages({ namespace, configMaps }: Blueprint): readonly YamlPage[] {
  return configMaps.map(({ name, files }) => ({ value: configMapOf({ name, namespace, files }) }))
}
