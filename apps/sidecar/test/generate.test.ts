import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import type { KubernetesObject } from '@holdfast/sdk'
import { startFakeKubernetes } from '@holdfast/testing'
import { expect, test } from 'vitest'
import { findManifestProblems } from '../../../scripts/kubernetes-models.ts'
import { kubernetesTool } from '../../../scripts/kubernetes-tools.ts'
import type { CliResult } from './support/cli.ts'
import { mountedFiles, patched, readObjects, type Container, type Pod, type Workload } from './support/manifests.ts'
import { workspace, type Workspace } from './support/workspace.ts'

type CronJob = KubernetesObject & {
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly jobTemplate: { readonly spec: Readonly<Record<string, unknown>> & { readonly template: { spec: Pod } } }
  }
}

const yaml = `instance: shop
storage: file:///backups
plans:
  shop:
    schedule: { cron: '0 3 * * *', timeZone: Europe/Berlin }
    use:
      - '@holdfast/plugin-scripts#scripts': { path: ./scripts }
      - ./hooks/report.ts
    retention: { latest: 2 }
`
const hook = `import { defineHook } from '@holdfast/sdk'
export default defineHook('onFinish', ({ outcome, log }) => log.info(outcome.status))
`

/** A configuration with a hook module, a store and scripts. */
function shop(config = yaml): Workspace {
  const here = workspace({ 'holdfast.yaml': config, 'hooks/report.ts': hook })
  here.script('before_backups/10-freeze', 'echo freeze')
  here.script('backups/10-dump.sh', 'echo rows | save_artifact rows')
  return here
}

function generate(here: Workspace, ...args: readonly string[]): Promise<CliResult> {
  return here.run(['generate', 'kubernetes', ...args])
}

/** Runs it, which has to succeed. */
async function generated(here: Workspace, ...args: readonly string[]): Promise<readonly KubernetesObject[]> {
  const { code, stdout, stderr } = await generate(here, ...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return readObjects(stdout)
}

/** The last of them, in what it is added to. */
function podOf(objects: readonly KubernetesObject[]): Pod {
  const last = objects.at(-1)
  if (last?.kind === 'CronJob') return (last as CronJob).spec.jobTemplate.spec.template.spec
  return patched(last as Workload).spec.template.spec
}

function containerIn({ initContainers = [], containers }: Pod): Container {
  const found = [...initContainers, ...containers].find(({ args }) => args?.[0] === 'holdfast')
  if (!found) throw new Error('no container runs holdfast')
  return found
}

function value(container: Container, name: string): string | undefined {
  return container.env.find((variable) => variable.name === name)?.value
}

function problems(objects: readonly KubernetesObject[]): readonly string[] {
  return objects.flatMap((each) => findManifestProblems(each.kind === 'Deployment' ? patched(each as Workload) : each))
}

test.for([
  ['sidecar', ['--workload', 'deployment/shop', '--target-container', 'app', '--monitoring', '--readiness-probe']],
  [
    'container',
    ['--workload', 'deployment/shop', '--namespace', 'shop', '--name', 'backup', '--service-account', 'app'],
  ],
  ['cronjob', ['--secret', 'keys', '--secret-env', 'AWS_SECRET_ACCESS_KEY']],
] as const)('what --form %s prints is known to the API of today, and is this', async ([form, options]) => {
  const here = shop()
  const args = ['--form', form, '--image', 'registry.internal/holdfast:2', ...options]
  expect(problems(await generated(here, ...args))).toEqual([])
  const { stdout } = await generate(here, ...args)
  expect(stdout).toMatchSnapshot()
  expect((await generate(here, ...args)).stdout).toBe(stdout)
})

test('the sidecar is restricted, keeps its state, and knows its pod and how long it has to end', async () => {
  const objects = await generated(shop(), '--shutdown-grace', '90s')
  const pod = podOf(objects)
  const container = containerIn(pod)
  expect(pod.initContainers).toEqual([container])
  expect(container).toMatchObject({ restartPolicy: 'Always', args: ['holdfast', 'daemon'] })
  expect(container.securityContext).toEqual({
    runAsNonRoot: true,
    runAsUser: 1000,
    runAsGroup: 1000,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  })
  expect(pod.terminationGracePeriodSeconds).toBe(95)
  expect(value(container, 'HOLDFAST_SHUTDOWN_GRACE')).toBe('90s')
  expect(container.livenessProbe?.exec.command).toEqual(['holdfast', 'health', '--live'])
  // Backups that can't run are no reason to take the application out of its Service.
  expect(container.readinessProbe).toBeUndefined()
  const state = container.volumeMounts.find(({ mountPath }) => mountPath === '/var/lib/holdfast')
  expect(pod.volumes).toContainEqual({ name: state?.name, emptyDir: {} })
  const fields = container.env.flatMap(({ name, valueFrom }) => (valueFrom ? [[name, valueFrom]] : []))
  expect(Object.fromEntries(fields)).toEqual({
    POD_NAME: { fieldRef: { fieldPath: 'metadata.name' } },
    POD_NAMESPACE: { fieldRef: { fieldPath: 'metadata.namespace' } },
    POD_UID: { fieldRef: { fieldPath: 'metadata.uid' } },
  })
  expect(value(container, 'HOLDFAST_CONTAINER_NAME')).toBe(container.name)
})

test('in the container the configuration finds its hooks and its scripts, byte by byte', async () => {
  const here = shop()
  const objects = await generated(here)
  const pod = podOf(objects)
  const container = containerIn(pod)
  const configMaps = objects.filter(({ kind }) => kind === 'ConfigMap')
  const files = mountedFiles({ configMaps, volumes: pod.volumes, volumeMounts: container.volumeMounts })
  expect(Object.entries(files).map(([path, { bytes }]) => [path, bytes.toString()])).toEqual([
    ['/etc/holdfast/holdfast.yaml', yaml],
    ['/etc/holdfast/hooks/report.ts', hook],
    ['/scripts/before_backups/10-freeze', '#!/bin/sh\necho freeze\n'],
    ['/scripts/backups/10-dump.sh', '#!/bin/sh\necho rows | save_artifact rows\n'],
  ])
  expect(files['/scripts/backups/10-dump.sh']?.mode).toBe(0o755)
  expect(value(container, 'HOLDFAST_CONFIG')).toBe('/etc/holdfast/holdfast.yaml')
  // ./scripts is /scripts there.
  expect(container.workingDir).toBe('/')
})

test('what looks like a password in a script is printed as it stands, or the script would do something else', async () => {
  const here = shop()
  const line = 'curl "http://user:$PASSWORD@host/dump" | save_artifact rows'
  here.script('backups/20-more.sh', line)
  for (const options of [[], ['--json'], ['--form', 'cronjob']]) {
    const { stdout } = await generate(here, ...options)
    const objects = options[0] === '--json' ? JSON.parse(stdout).items : readObjects(stdout)
    const configMaps = (objects as KubernetesObject[]).filter(({ kind }) => kind === 'ConfigMap')
    expect(JSON.stringify(configMaps)).toContain(JSON.stringify(`#!/bin/sh\n${line}\n`))
  }
})

test('several sets, relative and absolute, each have volumes of their own', async () => {
  const here = workspace()
  const use = (path: string): string => `use: [{ '@holdfast/plugin-scripts#scripts': { path: ${path} } }]`
  here.write(
    'holdfast.yaml',
    `plans:\n  a: { ${use(here.at('one'))} }\n  b: { ${use('./two')} }\n  c: { ${use('./two')} }\n`,
  )
  here.write('one/backups/10', '#!/bin/sh\n', 0o755)
  here.write('two/backups/20', '#!/bin/sh\n', 0o755)
  const pod = podOf(await generated(here))
  const mounts = containerIn(pod).volumeMounts.map(({ name, mountPath }) => [name, mountPath])
  expect(mounts).toContainEqual(['holdfast-scripts-backups', here.at('one/backups')])
  expect(mounts).toContainEqual(['holdfast-scripts-2-backups', '/two/backups'])
  expect(new Set(pod.volumes.map(({ name }) => name)).size).toBe(pod.volumes.length)
})

test('script directories alone take a schedule, and are what sidefridge had', async () => {
  const here = workspace()
  here.script('backups/10.sh', 'kubectlexec dump > /shared/dump')
  const args = ['--scripts', 'scripts', '--target-container', 'app']
  const objects = await generated(here, '--schedule', '0 3 * * *', ...args)
  const container = containerIn(podOf(objects))
  expect(value(container, 'CRON_BACKUP_SCHEDULE')).toBe('0 3 * * *')
  expect(value(container, 'TARGET_CONTAINER')).toBe('app')
  expect(container.volumeMounts).toContainEqual(expect.objectContaining({ mountPath: '/scripts/backups' }))
  expect(objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name)).toEqual([
    'holdfast-scripts-backups',
  ])
  const env = { CRON_BACKUP_SCHEDULE: '0 3 * * *', HOLDFAST_SCRIPTS: here.at('scripts') }
  const byVariables = await here.run(['generate', 'kubernetes', '--target-container', 'app'], { env })
  expect(readObjects(byVariables.stdout)).toEqual(objects)
  const without = await generate(here, ...args)
  expect(without.code).toBe(2)
  expect(without.stderr).toContain('--schedule is missing')
  const wrong = await generate(here, '--schedule', '0 3 * *', ...args)
  expect(wrong.stderr).toContain('CRON_INVALID')
})

test('scripts that are elsewhere on this machine count: --scripts for /scripts, with the rights that they need', async () => {
  const here = workspace()
  const config = `plans:\n  shop: { use: [{ '@holdfast/plugin-scripts#scripts': { path: /scripts } }] }\n`
  here.write('holdfast.yaml', config)
  here.write('mine/backups/10.sh', '#!/bin/sh\nkubectlexec dump\n', 0o755)
  const objects = await generated(here, '--scripts', 'mine', '--target-container', 'app')
  const role = objects.find(({ kind }) => kind === 'Role') as KubernetesObject & { readonly rules: readonly object[] }
  expect(role.rules).toContainEqual({ apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] })
  if (!existsSync('/scripts')) {
    const absent = await generate(here)
    expect(absent.code).toBe(0)
    expect(absent.stderr).toContain('the scripts of plan \\"shop\\" are not on this machine: /scripts')
  }
  here.write('holdfast.yaml', config.replace('/scripts }', './mine }'))
  const unused = await generate(here, '--scripts', 'mine')
  expect(unused.code).toBe(2)
  expect(unused.stderr).toContain('there is none')
})

test('a configuration in the image is not put into ConfigMaps', async () => {
  const objects = await generated(shop(), '--config-in-image')
  expect(objects.filter(({ kind }) => kind === 'ConfigMap')).toEqual([])
  const container = containerIn(podOf(objects))
  expect(value(container, 'HOLDFAST_CONFIG')).toBeUndefined()
  expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toEqual(['/var/lib/holdfast', '/tmp', '/backups'])
})

test('what the configuration imports from elsewhere is refused by name', async () => {
  const here = workspace({ 'app/holdfast.yaml': yaml.replace('./hooks', '../hooks'), 'hooks/report.ts': hook })
  here.write('app/scripts/backups/10.sh', '#!/bin/sh\n', 0o755)
  const { code, stdout, stderr } = await here.run(['generate', 'kubernetes'], { cwd: here.at('app') })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain(here.at('hooks/report.ts'))
  expect(stderr).toContain('--config-in-image')
})

test('a store that is a directory is a volume, and one that dies with the pod is warned of', async () => {
  const here = shop()
  const pod = podOf(await generated(here, '--storage-claim', 'nfs'))
  expect(pod.volumes).toContainEqual({ name: 'holdfast-backups', persistentVolumeClaim: { claimName: 'nfs' } })
  expect(containerIn(pod).volumeMounts).toContainEqual({ name: 'holdfast-backups', mountPath: '/backups' })
  here.write('holdfast.yaml', yaml.replace('storage: file:///backups\n', ''))
  const warned = await generate(here)
  expect(warned.code).toBe(0)
  expect(warned.stderr).toContain('artifacts of plan \\"shop\\" are kept in the pod and are lost with it')
  const claimed = podOf(await generated(here, '--state-claim', 'state'))
  expect(claimed.volumes).toContainEqual({ name: 'holdfast-state', persistentVolumeClaim: { claimName: 'state' } })
  // Scripts that keep their dumps elsewhere need no store.
  here.script('backups/10-dump.sh', 'cp /data/rows /nfs')
  await generated(here)
  const { code, stderr } = await generate(here, '--storage-claim', 'nfs')
  expect(code).toBe(2)
  expect(stderr).toContain('--storage-claim')
  const named = containerIn(podOf(await generated(here, '--storage', 'file:///elsewhere')))
  expect(named.args).toEqual(['holdfast', 'daemon', '--storage', 'file:///elsewhere'])
  expect(named.volumeMounts).toContainEqual({ name: 'holdfast-backups', mountPath: '/elsewhere' })
})

test.for([
  ['that of its context', [], 'team-a'],
  ['that of -n', ['-n', 'team-b'], 'team-b'],
] as const)('kubectl puts everything where it puts all else: into %s', async ([, where, expected]) => {
  const here = shop()
  await using server = await startFakeKubernetes({ namespace: 'team-a' })
  here.write('kubeconfig', server.kubeconfig())
  const args = ['--form', 'cronjob', '--storage', 'file:///backups']
  const { stdout } = await generate(here, ...args)
  here.write('jobs.yaml', stdout)
  const apply = ['apply', '--server-side', '--validate=false', '-f', here.at('jobs.yaml'), ...where]
  const env = { PATH: process.env['PATH'], HOME: here.path, KUBECONFIG: here.at('kubeconfig') }
  await promisify(execFile)(await kubernetesTool('kubectl'), apply, { env })
  const kinds = readObjects(stdout).map(({ kind }) => kind)
  const plurals = ['serviceaccounts', 'roles', 'rolebindings', 'configmaps', 'cronjobs'] as const
  const applied = plurals.flatMap((plural) => server.objects.list(plural))
  expect(applied.map(({ metadata }) => metadata.namespace)).toEqual(kinds.map(() => expected))
})

test('secrets are referred to, never written', async () => {
  const here =
    shop(`encoding: { recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p], identity: { file: /keys/age } }
metrics: { pushgateway: { env: GATEWAY } }
${yaml}`)
  const objects = await generated(here, '--secret-env', 'TOKEN')
  const pod = podOf(objects)
  const container = containerIn(pod)
  for (const name of ['TOKEN', 'GATEWAY']) {
    const valueFrom = { secretKeyRef: { name: 'holdfast-secrets', key: name } }
    expect(container.env).toContainEqual({ name, valueFrom })
  }
  expect(container.volumeMounts).toContainEqual({ name: 'holdfast-secrets', mountPath: '/keys', readOnly: true })
  expect(pod.volumes).toContainEqual({ name: 'holdfast-secrets', secret: { secretName: 'holdfast-secrets' } })
  expect(objects.map(({ kind }) => kind)).not.toContain('Secret')
  for (const [args, env] of [
    [['--storage', 's3://me:hunter2@host/bucket'], {}],
    [[], { HOLDFAST_STORAGE: 's3://bucket?secretKey=hunter2' }],
  ] as const) {
    const { code, stdout, stderr } = await here.run(['generate', 'kubernetes', ...args], { env })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('an address without secrets')
    expect(stderr).not.toContain('hunter2')
  }
})

test('a secret in a file with a relative path is mounted where the pod looks for it, and none in its root', async () => {
  const recipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'
  const withFile = (file: string): string =>
    `encoding: { recipients: [${recipient}], identity: { file: ${file} } }\n${yaml}`
  const container = containerIn(podOf(await generated(shop(withFile('./keys/age')))))
  expect(container.workingDir).toBe('/')
  expect(container.volumeMounts).toContainEqual({ name: 'holdfast-secrets', mountPath: '/keys', readOnly: true })
  for (const file of ['./age', '/age']) {
    const { code, stdout, stderr } = await generate(shop(withFile(file)))
    expect({ code: code === 0, stdout }).toEqual({ code: false, stdout: '' })
    expect(stderr).toContain(`the secret file ${file} can't be used: in the pod it would be in /`)
  }
})

test('sidefridge F18, F27: what would go wrong in the pod is said now', async () => {
  const here = shop()
  here.script('install_dependencies/10.sh', 'apk add curl')
  here.script('backups/20.sh', 'kubectlexec true')
  const { code, stderr } = await generate(here)
  expect(code).toBe(0)
  expect(stderr).toContain(`${here.at('scripts/install_dependencies')} installs programs`)
  expect(stderr).toContain(`${here.at('scripts/backups/20.sh')} uses kubectlexec, and no container was named for it`)
  const root = containerIn(podOf(await generated(here, '--root', '--target-container', 'app')))
  expect(root.securityContext).toMatchObject({ runAsUser: 0, runAsNonRoot: false })
  expect(root.securityContext).not.toHaveProperty('readOnlyRootFilesystem')
  const cronJob = await generate(here, '--form', 'cronjob', '--root')
  expect(cronJob.stderr).toContain('the pod of a CronJob has no other container')
})

test('a CronJob per scheduled plan: one run at once, no retries by Kubernetes, the plan’s zone and an end', async () => {
  const use = `use: [{ '@holdfast/plugin-scripts#scripts': { path: ./scripts } }]`
  const here = shop(`storage: file:///backups
plans:
  Orders_v2: { schedule: { cron: '30 2 * * 5-7', timeZone: Asia/Tokyo, misfire: run-once }, budget: 1h, ${use} }
  stock: { schedule: { cron: '@daily', paused: true, jitter: 10m }, ${use} }
  by-hand: { ${use} }
`)
  const jobs = (await generated(here, '--form', 'cronjob')).filter(({ kind }) => kind === 'CronJob') as CronJob[]
  expect(jobs.map(({ metadata }) => metadata.name)).toEqual(['holdfast-orders-v2', 'holdfast-stock'])
  const [orders, stock] = jobs
  expect(orders?.spec).toMatchObject({
    schedule: '30 2 * * 0,5,6',
    timeZone: 'Asia/Tokyo',
    concurrencyPolicy: 'Forbid',
    jobTemplate: { spec: { backoffLimit: 0, activeDeadlineSeconds: 3600 + 1800 } },
  })
  expect(orders?.spec).not.toHaveProperty('startingDeadlineSeconds')
  expect(orders?.spec.jobTemplate.spec.template.spec).toMatchObject({
    restartPolicy: 'Never',
    serviceAccountName: 'holdfast',
    terminationGracePeriodSeconds: 30,
    containers: [{ args: ['holdfast', 'run', 'Orders_v2'] }],
  })
  expect(stock?.spec).toMatchObject({
    schedule: '@daily',
    timeZone: 'UTC',
    suspend: true,
    startingDeadlineSeconds: 300,
  })
})

test.for([
  ['no schedule', `a: { USE }`, /no plan of .* has a schedule/],
  ['an L', `a: { schedule: { cron: '0 3 L * *' }, USE }`, /Kubernetes can't run plan .*"a.*" at .*0 3 L/],
  [
    'names that become one',
    `a_b: { schedule: { cron: '@daily' }, USE }\n  a.b: { schedule: { cron: '@daily' }, USE }`,
    /a\.b/,
  ],
  ['a long name', `${'a'.repeat(50)}: { schedule: { cron: '@daily' }, USE }`, /59 characters.*allows 52/],
] as const)('CronJobs are refused for plans with %s', async ([, plans, message]) => {
  const use = `use: [{ '@holdfast/plugin-scripts#scripts': { path: ./scripts } }]`
  const here = shop(`storage: file:///backups\nplans:\n  ${plans.replaceAll('USE', use)}\n`)
  const { code, stdout, stderr } = await generate(here, '--form', 'cronjob')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(message)
})

test('monitoring: a PodMonitor that finds the pods by a label of ours, and annotations', async () => {
  const here = shop()
  here.write('holdfast.yaml', `metrics: { listen: '127.0.0.1:9999' }\n${yaml}`)
  const objects = await generated(here, '--monitoring')
  const { metadata } = patched(objects.at(-1) as Workload).spec.template
  const monitor = objects.find(({ kind }) => kind === 'PodMonitor') as KubernetesObject & { readonly spec: object }
  expect(metadata.labels).toMatchObject({ app: 'shop', 'holdfast.dev/metrics': 'holdfast' })
  expect(metadata.annotations).toMatchObject({ 'prometheus.io/port': '9999' })
  expect(monitor.spec).toMatchObject({ selector: { matchLabels: { 'holdfast.dev/metrics': 'holdfast' } } })
  // Pods on their node's network have no ports to spare.
  expect(JSON.stringify(objects)).not.toContain('containerPort')
  here.write('holdfast.yaml', `metrics: { listen: 0 }\n${yaml}`)
  const off = await generate(here, '--monitoring')
  expect(off.code).toBe(2)
  expect(off.stderr).toContain('turns /metrics off')
})

test('a kustomize component builds with kubectl, follows the kustomization that includes it, and is nobody else’s', async () => {
  const here = shop()
  const args = [
    '--form',
    'kustomize',
    '--workload',
    'deployment/shop',
    '--monitoring',
    '--image',
    'holdfast',
    '--output',
    'backup',
  ]
  const { code, stdout } = await generate(here, ...args)
  expect(code).toBe(0)
  expect(stdout).toContain('+ backup/kustomization.yaml')
  for (const file of ['kustomization.yaml', 'rbac.yaml', 'sidecar.yaml', 'pod-monitor.yaml']) {
    const text = readFileSync(here.at('backup', file), 'utf8')
    readObjects(text)
    expect(text).toMatchSnapshot(file)
  }
  const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      initContainers: [{ name: migrate, image: shop }]
      containers: [{ name: app, image: shop }]
`
  here.write('base/deployment.yaml', deployment)
  here.write('base/kustomization.yaml', 'namespace: prod\nresources: [deployment.yaml]\ncomponents: [../backup]\n')
  const kubectl = await kubernetesTool('kubectl')
  const build = (): readonly KubernetesObject[] =>
    readObjects(execFileSync(kubectl, ['kustomize', here.at('base')], { encoding: 'utf8', stdio: 'pipe' }))
  const objects = build()
  expect(objects.flatMap(findManifestProblems)).toEqual([])
  expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['prod']))
  expect(objects.find(({ kind }) => kind === 'RoleBinding')).toMatchObject({ subjects: [{ namespace: 'prod' }] })
  const { spec } = (objects.find(({ kind }) => kind === 'Deployment') as Workload).spec.template
  expect(spec.initContainers?.map(({ name }) => name)).toEqual(['holdfast', 'migrate'])
  const configMaps = objects.filter(({ kind }) => kind === 'ConfigMap')
  const { volumeMounts } = containerIn(spec)
  const files = mountedFiles({ configMaps, volumes: spec.volumes, volumeMounts })
  expect(files['/scripts/backups/10-dump.sh']?.bytes).toEqual(readFileSync(here.at('scripts/backups/10-dump.sh')))
  expect(files['/etc/holdfast/hooks/report.ts']?.bytes.toString()).toBe(hook)
  // A workload that isn't there is an error, not a kustomization without backups.
  here.write('base/deployment.yaml', deployment.replace('name: shop }', 'name: other }'))
  expect(build).toThrow(/no matches for Id Deployment.v1.apps\/shop/)
  here.write('base/deployment.yaml', deployment.replace('name: shop }', 'name: shop, namespace: prod }'))
  here.write('base/kustomization.yaml', 'resources: [deployment.yaml]\ncomponents: [../backup]\n')
  await generate(here, ...args, '--namespace', 'prod')
  expect(new Set(build().map(({ metadata }) => metadata.namespace))).toEqual(new Set(['prod']))
  const foreign = await generate(here, ...args.slice(0, -1), 'base')
  expect(foreign.code).toBe(1)
  expect(foreign.stderr).toContain(`${here.at('base/kustomization.yaml')} is there already`)
  expect(readdirSync(here.at('base'))).toEqual(['deployment.yaml', 'kustomization.yaml'])
})

test('--json prints a List, which kubectl takes as well', async () => {
  const here = shop()
  const { stdout } = await generate(here, '--json')
  const list = JSON.parse(stdout) as { readonly items: readonly KubernetesObject[] }
  expect(list).toMatchObject({ apiVersion: 'v1', kind: 'List' })
  expect(list.items).toEqual(await generated(here))
})

test.for([
  ['a form that is none', ['--form', 'pod'], /Allowed choices/],
  ['kustomize without a directory', ['--form', 'kustomize'], /--output is missing/],
  ['a directory for a stream', ['--output', 'x'], /--output does not go with --form sidecar/],
  ['monitoring of CronJobs', ['--form', 'cronjob', '--monitoring'], /--monitoring does not go with --form cronjob/],
  ['a target in a CronJob', ['--form', 'cronjob', '--target-container', 'app'], /have no other container/],
  ['readiness of CronJobs', ['--form', 'cronjob', '--readiness-probe'], /--readiness-probe does not go with/],
  ['a workload without a kind', ['--workload', 'shop'], /--workload can't be "shop"/],
  ['a pod as a workload', ['--workload', 'pod/shop'], /--workload can't be "pod\/shop"/],
  ['a name with capitals', ['--name', 'Backup'], /--name can't be "Backup"/],
  ['a namespace that is empty', ['--namespace', ''], /--namespace can't be ""/],
  ['a namespace with an underscore', ['--namespace', 'a_b'], /--namespace can't be "a_b"/],
  ['a container that can be none', ['--target-container', 'a b'], /--target-container can't be "a b"/],
  ['an account that can be none', ['--service-account', 'A'], /--service-account can't be "A"/],
  ['two schedules', ['--schedule', '@daily', '--config', 'holdfast.yaml'], /--schedule does not go with --config/],
] as const)('%s is wrong usage', async ([, args, message]) => {
  const here = shop()
  const { code, stdout, stderr } = await generate(here, ...args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(message)
})

test('a set without scripts is refused: its pod would back up nothing', async () => {
  const here = workspace({ 'holdfast.yaml': yaml.replace('      - ./hooks/report.ts\n', '') })
  mkdirSync(here.at('scripts/backups'), { recursive: true })
  const { code, stderr } = await generate(here)
  expect(code).toBe(1)
  expect(stderr).toContain(`there is no script in ${here.at('scripts')}`)
})

test('the help says what each option is without being given', async () => {
  const { stdout } = await workspace({}).run(['generate', 'kubernetes', '--help'])
  const said = stdout.replaceAll(/\s+/g, ' ')
  for (const text of [
    '(default: sidecar)',
    '(default: deployment/change-me',
    '(default: holdfast:',
    '(default: holdfast)',
  ]) {
    expect(said).toContain(text)
  }
})
