import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { notes, render } from './support/helm.ts'
import { config } from './support/values.ts'

test('a pod has the time that its run needs to end, less five seconds', async () => {
  const { spec } = (await render({ config, terminationGracePeriodSeconds: 600 })).one('Deployment').spec.template
  expect(spec.terminationGracePeriodSeconds).toBe(600)
  expect(spec.containers[0].env).toContainEqual({ name: 'HOLDFAST_SHUTDOWN_GRACE', value: '595s' })
})

test.for([
  ['a leader decides', { config, replicaCount: 2 }, 'RollingUpdate'],
  ['every pod schedules', { config: { ...config, replicas: 'each' } }, 'Recreate'],
  ["a configuration is somebody else's", { configFrom: { configMap: 'mine' } }, 'Recreate'],
  ['they would share a volume claim', { config, state: { persistence: { enabled: true } } }, 'Recreate'],
  ["they would share the node's port", { config, hostNetwork: true }, 'Recreate'],
  ['somebody says so', { config, hostNetwork: true, strategy: { type: 'RollingUpdate' } }, 'RollingUpdate'],
] as const)('where %s, an update is %s', async ([, values, type]) => {
  expect((await render(values)).one('Deployment').spec.strategy.type).toBe(type)
})

test('a new version of the chart alone does not restart pods', async () => {
  const { metadata } = (await render({ config })).one('Deployment').spec.template
  expect(JSON.stringify(metadata)).not.toMatch(/holdfast-\d|version|checksum/)
})

test('volumes of others replace ours', async () => {
  const chart = await render({
    config,
    extraVolumes: [{ name: 'mine', persistentVolumeClaim: { claimName: 'mine' } }],
    extraVolumeMounts: [{ name: 'mine', mountPath: '/var/lib/holdfast/' }],
  })
  const { containers, volumes } = chart.one('Deployment').spec.template.spec
  const mounts = containers[0].volumeMounts as readonly { readonly name: string }[]
  expect(mounts.map(({ name }) => name)).toEqual(['holdfast-config', 'holdfast-tmp', 'mine'])
  expect((volumes as readonly { readonly name: string }[]).map(({ name }) => name)).not.toContain('holdfast-state')
})

test('the claim of the state stays, unless it need not', async () => {
  const persistence = { enabled: true }
  const kept = await render({ config, state: { persistence } })
  expect(kept.one('PersistentVolumeClaim').metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' })
  const gone = await render({ config, state: { persistence: { ...persistence, keep: false } } })
  expect(gone.one('PersistentVolumeClaim').metadata.annotations).toBeUndefined()
  const mine = await render({ config, state: { persistence: { ...persistence, existingClaim: 'mine' } } })
  expect(mine.all('PersistentVolumeClaim')).toEqual([])
  expect(mine.one('Deployment').spec.template.spec.volumes).toContainEqual({
    name: 'holdfast-state',
    persistentVolumeClaim: { claimName: 'mine' },
  })
})

test('a CronJob runs a plan once, as its schedule says', async () => {
  const { cronjob } = await cronJobs({ shop: { cron: '0 3 * * *', timeZone: 'Europe/Berlin', paused: true } })
  expect(cronjob.spec).toMatchObject({
    schedule: '0 3 * * *',
    timeZone: 'Europe/Berlin',
    suspend: true,
    concurrencyPolicy: 'Forbid',
    jobTemplate: { spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never' } } } },
  })
  const { containers } = cronjob.spec.jobTemplate.spec.template.spec
  expect(containers[0].args).toEqual(['holdfast', 'run', 'shop'])
  expect(containers[0]).not.toHaveProperty('livenessProbe')
})

test('a schedule without a time zone is in UTC, wherever the controllers of Kubernetes run', async () => {
  const { cronjob } = await cronJobs({ shop: { cron: '0 3 */2 * *' } })
  expect(cronjob.spec).toMatchObject({ schedule: '0 3 */2 * *', timeZone: 'UTC' })
})

test('names of CronJobs leave room for those of Jobs, and no two are one', async () => {
  const long = 'a'.repeat(60)
  const plans = [`${long}1`, `${long}2`, 'Shop', 'shop', 'sh_op', 'sh.op']
  const { names } = await cronJobs(Object.fromEntries(plans.map((plan) => [plan, { cron: '@daily' }])))
  expect(new Set(names).size).toBe(plans.length)
  for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$/)
})

async function cronJobs(schedules: Readonly<Record<string, object>>) {
  const plans = Object.entries(schedules).map(([name, schedule]) => ({ name, schedule, use: ['./a.ts'] }))
  const jobs = (await render({ mode: 'cronjob', config: { plans } })).all('CronJob')
  return { cronjob: jobs[0]!, names: jobs.map(({ metadata }) => metadata.name) }
}

test('a drill with a schedule is a CronJob of its own, also where it is called like a plan', async () => {
  const plans = [{ name: 'shop', schedule: { cron: '@daily' }, use: ['./a.ts'] }]
  const drills = {
    shop: { plan: 'shop', schedule: { cron: '0 5 * * 0', timeZone: 'Europe/Berlin' }, expect: './check.ts' },
    'by-hand': { plan: 'shop', expect: './check.ts' },
  }
  const elsewhere = { drills: { monthly: { cron: '@monthly' } } }
  const made = await render({ mode: 'cronjob', config: { plans, drills }, cronjob: elsewhere })
  const jobs = made.all('CronJob')
  expect(jobs.map(({ metadata }) => metadata.name)).toEqual([
    'shop-holdfast-drill-monthly',
    'shop-holdfast-drill-shop',
    'shop-holdfast-shop',
  ])
  const [, drill] = jobs
  expect(drill?.metadata.labels).toMatchObject({ 'holdfast.dev/drill': 'shop' })
  expect(drill?.metadata.labels).not.toHaveProperty('holdfast.dev/plan')
  expect(drill?.spec).toMatchObject({ schedule: '0 5 * * 0', timeZone: 'Europe/Berlin', concurrencyPolicy: 'Forbid' })
  expect(drill?.spec.jobTemplate.spec.template.spec.containers[0].args).toEqual(['holdfast', 'drill', 'shop'])
})

test('the patch of a sidecar keeps what belongs to the application', async () => {
  const chart = await render({ mode: 'sidecar', config, serviceAccount: { create: false } })
  const { data } = chart.one('ConfigMap', 'shop-holdfast-sidecar')
  const patch = parse(data['patch.yaml'] as string) as { spec: { template: { spec: Record<string, object[]> } } }
  expect(Object.keys(patch.spec.template.spec).toSorted()).toEqual(['initContainers', 'volumes'])
  expect(patch.spec.template.spec['initContainers']).toMatchObject([{ name: 'holdfast', restartPolicy: 'Always' }])
})

test.for(['deployment', 'cronjob', 'sidecar'])(
  'the notes of mode %s say what to look at, and what remains',
  async (mode) => {
    const text = await notes({ mode, config })
    expect(text).toMatch(mode === 'sidecar' ? /kubectl patch/ : /kubectl logs/)
    expect(text).toContain('What remains after `helm uninstall shop --namespace shop`')
    expect(text).toContain('kubectl get --namespace shop configmaps --selector holdfast.dev/undo=true')
    expect(text).not.toContain('WARNING')
    expect(text.split('\n').filter((line) => line.length > 120 && !line.startsWith('  '))).toEqual([])
  },
)

test('the notes warn of a store that goes with the pod, and name a claim that stays', async () => {
  const withoutStorage = { plans: config.plans }
  expect(await notes({ config: withoutStorage })).toContain('WARNING: config names no storage')
  const text = await notes({ config: withoutStorage, state: { persistence: { enabled: true } } })
  expect(text).not.toContain('WARNING')
  expect(text).toContain('persistentvolumeclaim/shop-holdfast')
})
