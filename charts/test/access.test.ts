// What the account may do.
import { expect, test } from 'vitest'
import { enginePermissions } from '../../packages/runtime/src/index.ts'
import { render, type GivenValues } from './support/helm.ts'
import { config } from './support/values.ts'

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

async function rulesOf(values: GivenValues, kind = 'Role', name?: string): Promise<readonly Rule[]> {
  return (await render(values)).one(kind, name).rules as readonly Rule[]
}

function allows(rules: readonly Rule[], apiGroup: string, resource: string): readonly string[] {
  const matching = rules.filter(
    ({ apiGroups, resources }) => apiGroups.includes(apiGroup) && resources.includes(resource),
  )
  return [...new Set(matching.flatMap(({ verbs }) => verbs))].toSorted()
}

test('it may do what the engine asks for, in its own namespace and nowhere else', async () => {
  const chart = await render({ config })
  const { rules } = chart.one('Role')
  const needed = enginePermissions({ replicas: 'leader', undoMirror: true }, { lease: 'shop-holdfast' })
  for (const { apiGroup, resource, verbs } of needed) {
    expect(allows(rules as Rule[], apiGroup, resource)).toEqual([...verbs].toSorted())
  }
  expect(chart.all('ClusterRole')).toEqual([])
  expect(allows(rules as Rule[], '', 'pods/exec')).toEqual([])
})

test('the Lease is there before anybody holds it, and the right is for this one', async () => {
  const chart = await render({ config })
  const { metadata, spec } = chart.one('Lease')
  expect(metadata.name).toBe('shop-holdfast')
  expect(spec).toBeUndefined()
  const rule = (chart.one('Role').rules as readonly Rule[]).find(({ resources }) => resources.includes('leases'))
  expect(rule).toMatchObject({ resourceNames: ['shop-holdfast'], verbs: ['get', 'update'] })
  const { env } = chart.one('Deployment').spec.template.spec.containers[0]
  expect(env).toContainEqual({ name: 'HOLDFAST_LEASE', value: 'shop-holdfast' })
})

test.for([
  ['every pod schedules', { config: { ...config, replicas: 'each' } }],
  ['CronJobs do', { mode: 'cronjob', config }],
  ['a sidecar does', { mode: 'sidecar', config }],
] as const)('no Lease where %s', async ([, values]) => {
  const chart = await render(values)
  expect(chart.all('Lease')).toEqual([])
  expect(chart.text).not.toContain('HOLDFAST_LEASE')
  expect(allows(chart.one('Role').rules as Rule[], 'coordination.k8s.io', 'leases')).toEqual([])
})

test('no ConfigMaps where undos are not mirrored', async () => {
  expect(allows(await rulesOf({ config: { ...config, undoMirror: false } }), '', 'configmaps')).toEqual([])
})

test.for([
  ['rbac.exec', { config, rbac: { exec: true } }, ['get', 'list']],
  ['a target container', { mode: 'sidecar', config, sidecar: { targetContainer: 'postgres' } }, ['get']],
  [
    'a script that calls kubectlexec',
    { config, scripts: { directories: { backups: { a: 'kubectlexec ls' } } } },
    ['get'],
  ],
] as const)('%s allows to run commands in pods', async ([, values, pods]) => {
  const rules = await rulesOf(values)
  expect(allows(rules, '', 'pods/exec')).toEqual(['create', 'get'])
  expect(allows(rules, '', 'pods')).toEqual(pods)
})

const claims = { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['list'] }

test('what plugins need is allowed here and in the namespaces that are named', async () => {
  const chart = await render({ config, rbac: { rules: [claims], namespaces: ['web', 'shop'] } })
  const roles = chart
    .all('Role')
    .map(({ metadata, rules }) => [metadata.namespace, allows(rules as Rule[], '', 'configmaps')])
  expect(Object.fromEntries(roles)).toEqual({ shop: ['create', 'delete', 'get', 'list'], web: [] })
  for (const { rules } of chart.all('Role')) expect(rules).toContainEqual(claims)
  for (const { subjects } of chart.all('RoleBinding')) {
    expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'shop-holdfast', namespace: 'shop' }])
  }
})

test('or in the whole cluster, where the engine still has rights in its own namespace only', async () => {
  const chart = await render({ config, rbac: { rules: [claims], scope: 'cluster' } })
  const { metadata, rules } = chart.one('ClusterRole')
  // Two releases of the same name are in two namespaces.
  expect(metadata.name).toBe('shop-shop-holdfast')
  expect(rules).toEqual([claims])
  expect(chart.one('Role').rules).not.toContainEqual(claims)
})

test('an account of others is bound, and none is made', async () => {
  const chart = await render({ config, serviceAccount: { create: false, name: 'mine' } })
  expect(chart.all('ServiceAccount')).toEqual([])
  expect(chart.one('RoleBinding').subjects).toMatchObject([{ name: 'mine' }])
  expect(chart.one('Deployment').spec.template.spec.serviceAccountName).toBe('mine')
  const without = await render({ config, rbac: { create: false } })
  expect(without.manifests.filter(({ kind }) => /Role/.test(kind))).toEqual([])
})
