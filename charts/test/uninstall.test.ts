// What is there while the release is uninstalled: a Job that ends the pods while they have their rights.
import { expect, test } from 'vitest'
import { notes, refusal, render, type GivenValues, type Manifest } from './support/helm.ts'
import { config, everything } from './support/values.ts'

async function hook(values: GivenValues, kind = 'Job', release?: string): Promise<Manifest> {
  const [found, ...others] = (await render(values, release === undefined ? {} : { release })).hooks.filter(
    (each) => each.kind === kind,
  )
  if (!found || others.length > 0) throw new Error(`there are ${others.length + (found ? 1 : 0)} hooks of ${kind}`)
  return found
}

const plans = {
  mode: 'cronjob',
  config: { ...config, plans: { shop: config.plans.shop, web: config.plans.shop } },
} as const

test.for([
  ['deployment', { config }, ['deployment/shop-holdfast']],
  ['cronjob', plans, ['cronjob/shop-holdfast-shop', 'cronjob/shop-holdfast-web']],
] as const)('mode %s: it deletes what runs pods, and waits for these pods', async ([, values, workloads]) => {
  const { spec } = await hook(values)
  const { args } = spec.template.spec.containers[0]
  expect(args).toEqual([
    'holdfast',
    'uninstall',
    ...workloads,
    '--selector=app.kubernetes.io/name=holdfast,app.kubernetes.io/instance=shop',
    '--timeout=90s',
    '--log-format=pretty',
  ])
  const rendered = await render(values)
  const made = rendered.manifests
    .filter(({ kind }) => kind === 'Deployment' || kind === 'CronJob')
    .map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`)
  expect(made).toEqual(workloads)
  // Its own pod is none of those that it waits for.
  expect(spec.template.metadata.labels).not.toHaveProperty(['app.kubernetes.io/name'])
})

test('it may delete these workloads and nothing else', async () => {
  const look = ['pods', 'configmaps'].map((resource) => ({ apiGroups: [''], resources: [resource], verbs: ['list'] }))
  const rule = (apiGroup: string, resource: string, resourceNames: readonly string[]): object => ({
    apiGroups: [apiGroup],
    resources: [resource],
    resourceNames,
    verbs: ['delete'],
  })
  expect((await hook({ config }, 'Role')).rules).toEqual([rule('apps', 'deployments', ['shop-holdfast']), ...look])
  const names = ['shop-holdfast-shop', 'shop-holdfast-web']
  expect((await hook(plans, 'Role')).rules).toEqual([rule('batch', 'cronjobs', names), ...look])
  const unmirrored = await hook({ config: { ...config, undoMirror: 'off' } }, 'Role')
  expect(JSON.stringify(unmirrored.rules)).not.toContain('configmaps')
})

test('it has an account of its own, unless the chart makes none', async () => {
  const account = (await hook({ config }, 'ServiceAccount')).metadata.name
  expect(account).toBe('shop-holdfast-uninstall')
  expect((await hook({ config }, 'RoleBinding')).subjects).toMatchObject([{ name: account, namespace: 'shop' }])
  expect((await hook({ config })).spec.template.spec.serviceAccountName).toBe(account)

  const given: GivenValues = { config, serviceAccount: { create: false, name: 'mine' } }
  expect((await render(given)).hooks.map(({ kind }) => kind).toSorted()).toEqual(['Job', 'Role', 'RoleBinding'])
  expect((await hook(given, 'RoleBinding')).subjects).toMatchObject([{ name: 'mine' }])
  expect((await hook(given)).spec.template.spec.serviceAccountName).toBe('mine')
})

test('it never keeps a release: it is tried once, and for as long as pods may take and some more', async () => {
  const { spec } = await hook({ config, terminationGracePeriodSeconds: 600 })
  expect(spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 750 })
  expect(spec.template.spec.containers[0].args).toContain('--timeout=660s')
  expect(spec.template.spec.restartPolicy).toBe('Never')
})

test('Helm makes the rights first, and removes all of it whatever becomes of it', async () => {
  const { hooks } = await render({ config })
  expect(hooks).toHaveLength(4)
  for (const { kind, metadata } of hooks) {
    expect(metadata.annotations).toMatchObject({
      'helm.sh/hook': 'pre-delete',
      'helm.sh/hook-weight': kind === 'Job' ? '0' : '-1',
      'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded,hook-failed',
    })
  }
  expect((await hook({ config })).metadata.annotations).toMatchObject({
    'helm.sh/hook-output-log-policy': 'hook-succeeded,hook-failed',
  })
})

test('its pod is where and what the others are, without what may be gone or taken', async () => {
  const { spec } = (await hook(everything)).spec.template
  const pod = (await render(everything)).one('Deployment').spec.template.spec
  for (const field of [
    'nodeSelector',
    'tolerations',
    'affinity',
    'imagePullSecrets',
    'securityContext',
    'hostNetwork',
  ]) {
    expect(spec[field], field).toEqual(pod[field])
  }
  const [container] = spec.containers
  expect(container.image).toBe(pod.containers[0].image)
  expect(container.securityContext).toEqual(pod.containers[0].securityContext)
  // How the API is reached, and no Secret.
  expect(container.env).toContainEqual({ name: 'KUBERNETES_SERVICE_HOST', value: '127.0.0.1' })
  expect(JSON.stringify(container)).not.toContain('secretKeyRef')
  expect(container.envFrom).toBeUndefined()
  expect(spec.volumes).toBeUndefined()
})

test('names of pods have 63 characters', async () => {
  const long = 'a'.repeat(53)
  const job = await hook({ config }, 'Job', long)
  expect(job.metadata.name.length).toBeLessThanOrEqual(63)
  expect((await hook({ config }, 'ServiceAccount', long)).metadata.name).toBe(job.metadata.name)
})

test.for([
  ['it is not wanted', { config, uninstall: { wait: false } }],
  ['the chart makes no Roles', { config, rbac: { create: false } }],
  ['pods are the application’s', { mode: 'sidecar', config }],
] as const)('there is none where %s', async ([, values]) => {
  expect((await render(values)).hooks).toEqual([])
  expect(await notes(values)).not.toContain('--no-hooks')
})

test('the notes say how to uninstall it, how long that takes, and what to do if it fails', async () => {
  const text = await notes({ config })
  expect(text).toContain('\n  helm uninstall shop --namespace shop\n')
  expect(text).toContain('\n  helm uninstall shop --namespace shop --no-hooks\n')
  expect(text).not.toContain('kubectl scale')
  // Helm waits for five minutes.
  const slow = await notes({ config, terminationGracePeriodSeconds: 600 })
  expect(slow).toContain('\n  helm uninstall shop --namespace shop --timeout 770s\n')
  expect(await notes({ config, uninstall: { wait: false } })).toContain('kubectl scale')
})

test('wait is true or false', async () => {
  expect(await refusal({ config, uninstall: { wait: 'no' } })).toContain('uninstall')
  expect(await refusal({ config, uninstall: { hook: true } })).toContain('uninstall')
})
