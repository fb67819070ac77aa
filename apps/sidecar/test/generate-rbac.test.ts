import type { KubernetesObject } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { findManifestProblems } from '../../../scripts/kubernetes-models.ts'
import { readObjects } from './support/manifests.ts'
import { workspace, type Workspace } from './support/workspace.ts'

type Role = KubernetesObject & { readonly rules: readonly Readonly<Record<string, readonly string[]>>[] }

/** Hooks that need something of the API. */
const hook = `import { defineHook } from '@holdfast/sdk'
export default defineHook('beforeBackups', () => undefined, {
  permissions: [
    { apiGroup: 'apps', resource: 'deployments/scale', verbs: ['update'], scope: 'namespace', why: 'the shop is scaled down while it is backed up' },
    { apiGroup: '', resource: 'persistentvolumes', verbs: ['list', 'get'], scope: 'cluster', why: 'volumes are looked up' },
    { apiGroup: '', resource: 'pods', verbs: ['list'], scope: 'namespace', why: 'the pod of the shop is looked up' },
  ],
})
`

function shop(config = ''): Workspace {
  const here = workspace({ 'hooks/scale.ts': hook })
  const use = `use: [{ '@holdfast/plugin-scripts#scripts': { path: ${here.at('scripts')} } }, ./hooks/scale.ts]`
  here.write('holdfast.yaml', `${config}plans:\n  shop: { ${use} }\n`)
  here.script('backups/10.sh', 'true')
  return here
}

test('the least Role and ClusterRole of a configuration, with the reason of each rule', async () => {
  const here = shop()
  here.script('backups/20.sh', 'kubectlexec dump')
  const { code, stdout, stderr } = await here.run(['generate', 'rbac', '--namespace', 'prod'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatchSnapshot()
  const objects = readObjects(stdout)
  expect(objects.flatMap(findManifestProblems)).toEqual([])
  expect(objects.map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace}/${name}`)).toEqual([
    'ServiceAccount prod/holdfast',
    'Role prod/holdfast',
    'RoleBinding prod/holdfast',
    'ClusterRole undefined/prod-holdfast',
    'ClusterRoleBinding undefined/prod-holdfast',
  ])
  for (const why of ['the shop is scaled down while it is backed up', 'volumes are looked up']) {
    expect(stdout).toContain(`  # ${why}\n`)
  }
  // The verbs of one resource are one rule, whoever asked for them.
  const role = objects[1] as Role
  expect(role.rules.filter(({ resources }) => resources?.[0] === 'pods')).toEqual([
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
  ])
  expect(stdout).not.toContain('*')
})

test('an account that is there already is bound, not made', async () => {
  const account = ['--service-account', 'app', '--name', 'backup', '--namespace', 'prod']
  const { stdout } = await shop().run(['generate', 'rbac', ...account])
  const objects = readObjects(stdout)
  expect(objects.map(({ kind }) => kind)).not.toContain('ServiceAccount')
  const subjects = [{ kind: 'ServiceAccount', name: 'app', namespace: 'prod' }]
  expect(objects.filter(({ kind }) => kind?.endsWith('Binding'))).toEqual([
    expect.objectContaining({ roleRef: expect.objectContaining({ name: 'backup' }) as object, subjects }),
    expect.objectContaining({ roleRef: expect.objectContaining({ name: 'prod-backup' }) as object, subjects }),
  ])
})

test('what is turned off needs no right; the Lease of a leader is one Lease', async () => {
  const rulesOf = async (config: string): Promise<Role['rules']> => {
    const { stdout } = await shop(config).run(['generate', 'rbac', '--namespace', 'prod'])
    return (readObjects(stdout).find(({ kind }) => kind === 'Role') as Role).rules
  }
  const about = (rules: Role['rules'], resource: string) => rules.filter(({ resources }) => resources?.[0] === resource)
  const plain = await rulesOf('')
  expect(about(plain, 'configmaps')).toEqual([
    { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'delete', 'get', 'list'] },
  ])
  expect(about(plain, 'leases')).toEqual([])
  expect(about(await rulesOf(`undoMirror: 'off'\n`), 'configmaps')).toEqual([])
  expect(about(await rulesOf('replicas: leader\n'), 'leases')).toEqual([
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      resourceNames: ['holdfast'],
      verbs: ['get', 'update'],
    },
  ])
})

test('without --namespace, objects are where they are applied; what is for the whole cluster has to name one', async () => {
  const here = shop()
  const { code, stdout, stderr } = await here.run(['generate', 'rbac'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(
    '--namespace is missing: rights in the whole cluster are given to an account by its name and its namespace',
  )
  here.write('hooks/scale.ts', hook.replace("scope: 'cluster'", "scope: 'namespace'"))
  const printed = await here.run(['generate', 'rbac'])
  expect(printed.stdout).toContain('for the account "holdfast" in the namespace that it is applied to.')
  const objects = readObjects(printed.stdout)
  expect(objects.map(({ kind, metadata: { namespace } }) => `${kind} ${namespace}`)).toEqual([
    'ServiceAccount undefined',
    'Role undefined',
    'RoleBinding undefined',
  ])
  // Kubernetes takes the account in the binding's own namespace.
  expect(objects[2]).toMatchObject({ subjects: [{ kind: 'ServiceAccount', name: 'holdfast' }] })
  expect(printed.stdout).not.toContain('namespace:')
  expect(objects.flatMap(findManifestProblems)).toEqual([])
  expect((await here.run(['generate', 'rbac', '--namespace', ''])).code).toBe(2)
})
