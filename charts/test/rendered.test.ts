// What the chart makes, as a whole: each case against a file in snapshots/, and each of its objects against the models
// of the Kubernetes API.
import { afterAll, describe, expect, test } from 'vitest'
import { findManifestProblems } from '../../scripts/kubernetes-models.ts'
import { render, run, type GivenValues, type Manifest, type Rendered } from './support/helm.ts'
import { benji, benjiEverything, config, everything } from './support/values.ts'

const cases: Readonly<Record<string, GivenValues>> = {
  deployment: { config },
  'deployment-everything': everything,
  'deployment-replicas': { config, replicaCount: 3, metrics: { serviceMonitor: { enabled: true } } },
  'deployment-each': { config: { ...config, replicas: 'each' }, metrics: { port: 0 } },
  'deployment-cluster': { config, rbac: { scope: 'cluster', exec: true } },
  'deployment-config-elsewhere': { configFrom: { configMap: 'mine', key: 'holdfast.config.ts' } },
  'deployment-crontab': { files: { crontab: '0 3 * * * root /scripts/dump\n' } },
  'deployment-benji': { benji },
  'deployment-benji-everything': benjiEverything,
  'deployment-variables': {
    extraEnv: [{ name: 'CRON_BACKUP_SCHEDULE', value: '0 3 * * *' }],
    scripts: { configMaps: [{ name: 'backups', directory: 'backups' }] },
  },
  cronjob: {
    mode: 'cronjob',
    config: {
      ...config,
      plans: [
        { name: 'shop', ...config.plans.shop },
        { name: 'Month_End', ...config.plans.shop, schedule: { cron: '@monthly', paused: true } },
        { name: 'by-hand', use: ['./by-hand.ts'] },
      ],
    },
    cronjob: { plans: { 'by-hand': { cron: '0 4 * * 6' } }, startingDeadlineSeconds: 600, ttlSecondsAfterFinished: 0 },
    metrics: { pushgateway: 'http://pushgateway:9091', prometheusRule: { enabled: true } },
  },
  'cronjob-benji': {
    mode: 'cronjob',
    benji: {
      enabled: true,
      crontab: [
        { name: 'volumes', schedule: '15 * * * *', command: ['benji-backup-pvc', '--all-namespaces'] },
        { name: 'cleanup', schedule: '20 2 * * *', command: 'benji-command cleanup' },
      ],
      freeze: { enabled: false },
    },
    state: { persistence: { enabled: true } },
  },
  sidecar: {
    mode: 'sidecar',
    config,
    sidecar: { targetContainer: 'postgres' },
    api: { tokenSecret: { name: 'shop-api' } },
  },
  'sidecar-plain': {
    mode: 'sidecar',
    config,
    sidecar: { native: false },
    serviceAccount: { create: false, name: 'shop' },
    extraVolumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }],
  },
}

const names = Object.keys(cases)
const rendered = new Map(await Promise.all(names.map(async (name) => [name, await render(cases[name]!)] as const)))
const get = (name: string): Rendered => rendered.get(name)!

afterAll(() => rendered.clear())

/** The pod templates of an answer of Helm's, with what they are for. */
function podSpecs({ manifests }: Rendered): readonly Manifest['spec'][] {
  return manifests.flatMap(({ kind, spec }) => {
    if (kind === 'Deployment') return [spec.template.spec]
    return kind === 'CronJob' ? [spec.jobTemplate.spec.template.spec] : []
  })
}

describe.for(names)('%s', (name) => {
  test('is as it was', async () => {
    // A release of a new version changes none of these files.
    const text = get(name).text.replaceAll(
      /(?<=holdfast[-:]|(?<!\/)benji-k8s:|app\.kubernetes\.io\/version: )\d+\.\d+\.\d+/g,
      'VERSION',
    )
    await expect(text).toMatchFileSnapshot(`snapshots/${name}.yaml`)
  })

  test('has only objects that the API knows', () => {
    const { manifests, hooks } = get(name)
    const objects = [...manifests, ...hooks]
    expect(objects.flatMap(findManifestProblems)).toEqual([])
    const keys = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('has pods that each admission policy takes, with a volume for the state and no port', () => {
    for (const spec of podSpecs(get(name))) {
      const [container] = spec.containers
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(container.ports).toBeUndefined()
      const mounts = container.volumeMounts as readonly { readonly name: string; readonly mountPath: string }[]
      expect(mounts.map(({ mountPath }) => mountPath)).toEqual(expect.arrayContaining(['/var/lib/holdfast', '/tmp']))
      const volumes = (spec.volumes as readonly { readonly name: string }[]).map((volume) => volume.name)
      expect(mounts.map((mount) => mount.name).filter((mounted) => !volumes.includes(mounted))).toEqual([])
      const variables = (container.env as readonly { readonly name: string }[]).map((variable) => variable.name)
      expect(new Set(variables).size).toBe(variables.length)
    }
  })
})

test('every object carries the labels that others find it by, and is in the namespace of the release', () => {
  for (const { manifests, hooks } of rendered.values()) {
    for (const { kind, metadata } of [...manifests, ...hooks]) {
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/instance': 'shop' })
      const isElsewhere = kind.startsWith('ClusterRole') || metadata.namespace === 'web'
      expect(isElsewhere || metadata.namespace === 'shop', `${kind} ${metadata.name}`).toBe(true)
    }
  }
})

const application = { name: 'postgres', image: 'postgres:17', volumeMounts: [{ name: 'data', mountPath: '/data' }] }
const workload = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'postgres' },
  spec: {
    serviceName: 'postgres',
    selector: { matchLabels: { app: 'postgres' } },
    template: {
      metadata: { labels: { app: 'postgres' } },
      spec: { serviceAccountName: 'postgres', containers: [application], volumes: [{ name: 'data', emptyDir: {} }] },
    },
  },
}

test.for([
  ['sidecar', 'initContainers', 'shop-holdfast'],
  ['sidecar-plain', 'containers', 'shop'],
] as const)('%s: kubectl adds it to the pods of a workload', async ([name, list, account]) => {
  const { data } = get(name).one('ConfigMap', 'shop-holdfast-sidecar')
  const options = ['patch', '--local', '--filename', '-', '--patch', data['patch.yaml'] as string, '--output', 'json']
  const patched = JSON.parse(await run('kubectl', options, JSON.stringify(workload))) as Manifest
  expect(findManifestProblems(patched)).toEqual([])
  const { spec } = patched.spec.template
  expect(spec.containers).toContainEqual(application)
  expect(spec.volumes).toContainEqual({ name: 'data', emptyDir: {} })
  expect(spec.serviceAccountName).toBe(account)
  const ours = (spec[list] as readonly Manifest[]).find((container) => container['name'] === 'holdfast')!
  // The pod is not ours, so our container brings along what it needs to be restricted.
  expect(ours['securityContext']).toMatchObject({
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: 'RuntimeDefault' },
    readOnlyRootFilesystem: true,
  })
  expect(ours).not.toHaveProperty('readinessProbe')
})
