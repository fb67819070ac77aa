// What the generators print is what a real cluster takes and runs. Every file is applied as it was printed, on trial and
// for real; what only the kit's cluster needs (the host's network, where the API is) is added to it afterwards.
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findManifestProblems } from '../scripts/kubernetes-models.ts'
import { createProject, runCommand, type Project } from './support/cli.ts'
import {
  addForKit,
  applicationOf,
  applyText,
  asPart,
  kitsEnvironment,
  kitsPart,
  readManifests,
  splitLast,
  type Container,
  type Manifest,
  type PodSpec,
} from './support/generated.ts'
import { may } from './support/grants.ts'
import { holdingConfig, holdingFiles } from './support/holding.ts'
import { apply, getObject, kubectl, listObjects, run, waitFor, type Ended } from './support/kubectl.ts'
import { images, reachesApi, useNamespace } from './support/namespace.ts'
import { execIn, logsOf, podsOf, ready, type Pod } from './support/pods.ts'

const namespace = useNamespace('generate')
const restricted = useNamespace('restricted')
const projects: Project[] = []

function project(files: Readonly<Record<string, string | Uint8Array>> = {}): Project {
  const made = createProject(files)
  projects.push(made)
  return made
}
afterAll(() => projects.forEach((each) => each.remove()))

/** An application whose dump is made in its own container, and is kept as an artifact. */
const shop = project({
  'holdfast.config.ts': `
import { defineConfig } from '@holdfast/sdk'
import { scripts } from '@holdfast/plugin-scripts'
import note from './hooks/note.ts'
export default defineConfig({
  plans: [{ name: 'shop', use: [scripts({ path: './scripts' }), note], schedule: { cron: '0 3 * * *' } }],
})
`,
  'hooks/note.ts': `
import { defineHook } from '@holdfast/sdk'
export default defineHook('afterBackups', ({ log }) => log.info('noted'), { name: 'note' })
`,
  'scripts/backups/1_dump.sh': '#!/bin/sh\nset -e\nkubectlexec cat /data/rows >rows\nsave_artifact rows rows\n',
})
const rows = 'rows of the shop\n'

/** Runs `holdfast generate …` in a project. @returns what it printed */
async function generate({ path }: Project, what: 'kubernetes' | 'rbac', ...more: readonly string[]): Promise<string> {
  const image = what === 'kubernetes' ? ['--image', images.holdfast] : []
  const args = ['generate', what, ...image, ...more]
  const { code, stdout, stderr } = await runCommand('holdfast', args, { cwd: path })
  if (code !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout
}

/** For the shop, which is in the namespace. */
function generateShop(workload: string, ...more: readonly string[]): Promise<string> {
  return generate(
    shop,
    'kubernetes',
    '--namespace',
    namespace,
    '--workload',
    workload,
    '--target-container',
    'app',
    ...more,
  )
}

async function scale({ kind, metadata: { name } }: Manifest): Promise<string> {
  await kubectl(['-n', namespace, 'scale', kind, name, '--replicas=1'])
  const pod = await waitFor(`a pod of ${name}`, async () => (await podsOf(namespace, `app=${name}`))[0]?.metadata.name)
  await ready(namespace, pod)
  return pod
}

function inSidecar(pod: string, ...command: readonly string[]): Promise<Ended> {
  return execIn(namespace, pod, 'holdfast', command)
}

/** The sidecar runs its plan in the application's container. @returns what it has kept of it */
async function backUp(pod: string): Promise<string> {
  await waitFor(
    'the daemon to be ready',
    async () => (await inSidecar(pod, 'holdfast', 'health', '--ready')).code === 0,
  )
  const { code, stderr } = await inSidecar(pod, 'holdfast', 'run', 'shop')
  expect({ code, log: stderr }).toEqual({ code: 0, log: expect.stringContaining('"msg":"noted"') as string })
  const to = '/tmp/restored/'
  expect(await inSidecar(pod, 'holdfast', 'restore', '--plan', 'shop', '--to', to)).toMatchObject({ code: 0 })
  return (await inSidecar(pod, 'cat', `${to}rows`)).stdout
}

/** Nobody waits for its end. */
async function remove({ kind, metadata: { name } }: Manifest): Promise<void> {
  await kubectl(['-n', namespace, 'delete', kind, name, '--wait=false'])
  await run('kubectl', ['-n', namespace, 'delete', 'pods', '-l', `app=${name}`, '--grace-period=1', '--wait=false'])
}

const job = { name: 'batch', shared: project() }

// Its schedule is every minute: nobody waits for it until all else is done.
beforeAll(async () => {
  chmodSync(job.shared.path, 0o777)
  const holding = project({ 'holdfast.config.ts': holdingConfig('') })
  const printed = await generate(holding, 'kubernetes', '--name', job.name, '--namespace', namespace)
  const [objects, last] = splitLast(printed)
  await applyText(objects)
  const part = readManifests(last)[0]?.spec?.template?.spec
  const [sidecar, ...others] = part?.initContainers ?? []
  if (!part || !sidecar || others.length > 0) throw new Error(`there is no native sidecar: ${last}`)
  const sees = { name: 'shared', mountPath: '/shared' }
  const main: Container = {
    name: 'main',
    image: images.busybox,
    command: ['/bin/sh', '-c', `until [ -e ${holdingFiles.held} ]; do sleep 0.2; done`],
    volumeMounts: [sees],
  }
  const env = [...(sidecar.env ?? []), ...kitsEnvironment]
  const spec: PodSpec = {
    ...part,
    hostNetwork: reachesApi.hostNetwork,
    restartPolicy: 'Never',
    initContainers: [{ ...sidecar, env, volumeMounts: [...(sidecar.volumeMounts ?? []), sees] }],
    containers: [main],
    volumes: [...(part.volumes ?? []), { name: 'shared', hostPath: { path: job.shared.path, type: 'Directory' } }],
  }
  const metadata = { name: job.name, namespace }
  await apply({ apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { backoffLimit: 0, template: { spec } } })
})

describe('make-k8s-cfg-files', () => {
  // What is no text arrives as well; a name may have its hook's in it.
  const binary = Buffer.concat([
    Buffer.from('#!/bin/sh\nstore_var who shop\n# '),
    Buffer.from([0xff, 0xfe, 0x00, 0x0a]),
  ])
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'install_dependencies/1_tools.sh': '#!/bin/sh\necho installed >/tmp/tools\n',
    'before_backups/1_who': binary,
    'backups/do_backups.sh': `#!/bin/bash
set -e
[ "$(load_var who)" = shop ]
kubectlexec 'cat /data/rows >/data/copy; cat /data/rows' >rows
[ "$(cat rows)" = "${rows.trim()}" ]
`,
    'on_error/1_report.sh': '#!/bin/sh\necho "$1"\n',
  }
  const scripts = project(files)
  const out = project()
  const names = ['accounts', 'config-maps', 'partial_service_account_name_volumes', 'partial_volume_mounts'] as const
  const read = (where: Project, name: (typeof names)[number]): string =>
    readFileSync(where.at(`my_shop-${name}.yaml`), 'utf8')
  const make = (input: string, output: string, cwd = scripts.path): Promise<Ended> =>
    runCommand('make-k8s-cfg-files', [namespace, 'my_shop', 'sidefridge', input, output], { cwd })
  let pod = ''

  test('sidefridge F21, F22: the four files, which the API server takes', async () => {
    expect(await make(scripts.path, out.path)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(readdirSync(out.path).toSorted()).toEqual(names.map((name) => `my_shop-${name}.yaml`))
    await applyText(read(out, 'config-maps'), ['--server-side'])
    await applyText(read(out, 'accounts'))
  })

  test('sidefridge F23, F24: pasted into a Deployment, every file is where it was, byte by byte', async () => {
    const [volumes] = readManifests(read(out, 'partial_service_account_name_volumes')) as unknown as [PodSpec]
    const [mounts] = readManifests(read(out, 'partial_volume_mounts')) as unknown as [Partial<Container>]
    const application = applicationOf('Deployment', 'cfg', namespace)
    const spec = application.spec?.template?.spec
    const sidecar = {
      name: 'sidefridge',
      image: images.holdfast,
      env: [
        ...kitsEnvironment,
        { name: 'CRON_BACKUP_SCHEDULE', value: '0 3 * * *' },
        { name: 'TARGET_CONTAINER', value: 'app' },
        { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ],
      ...mounts,
    }
    const whole: PodSpec = {
      ...spec,
      ...volumes,
      containers: [...(spec?.containers ?? []), sidecar],
      volumes: [...(spec?.volumes ?? []), ...(volumes.volumes ?? [])],
    }
    const template = { ...application.spec?.template, spec: whole }
    await applyText(JSON.stringify({ ...application, spec: { ...application.spec, template } }))
    pod = await scale(application)

    const sum = await execIn(namespace, pod, 'sidefridge', [
      '/bin/sh',
      '-c',
      `cd /scripts && sha256sum ${Object.keys(files).join(' ')}`,
    ])
    const sums = Object.entries(files).map(
      ([name, content]) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`,
    )
    expect(sum.stdout).toBe(sums.join(''))
  })

  test('sidefridge F20: the scripts run in the application, with no more rights than that takes', async () => {
    const ran = await execIn(namespace, pod, 'sidefridge', ['fridge', '-r'])
    expect({ code: ran.code, log: ran.stdout + ran.stderr }).toMatchObject({ code: 0 })
    expect((await execIn(namespace, pod, 'app', ['cat', '/data/copy'])).stdout).toBe(rows)
    expect((await execIn(namespace, pod, 'sidefridge', ['cat', '/tmp/tools'])).stdout).toBe('installed\n')

    const account = 'my-shop-full-access-service-account'
    const role = readManifests(read(out, 'accounts')).find(({ kind }) => kind === 'Role')
    expect(role?.rules?.map(({ resources, verbs }) => `${resources.join()}: ${verbs.join()}`)).toEqual([
      'configmaps: create,delete,get,list',
      'events: create',
      'pods: get',
      'pods/exec: create,get',
    ])
    expect(await may({ verb: 'create', resource: 'pods/exec' }, account, namespace)).toBe('yes')
    for (const resource of ['secrets', 'pods']) {
      expect(`list ${resource}: ${await may({ verb: 'list', resource }, account, namespace)}`).toBe(
        `list ${resource}: no`,
      )
    }
    await remove(applicationOf('Deployment', 'cfg'))
  })

  test('sidefridge F24: into the directory of the scripts, again and again, it makes the same files', async () => {
    for (const [input, output] of [
      ['.', '.'],
      [scripts.path, '.'],
    ] as const) {
      expect(await make(input, output)).toEqual({ code: 0, stdout: '', stderr: '' })
      for (const name of names) expect(read(scripts, name)).toBe(read(out, name))
    }
  })
})

describe('holdfast generate kubernetes', () => {
  test('sidecar, on a Deployment: applied as the manual says, it is added, and what is left out again is taken away', async () => {
    const application = applicationOf('Deployment', 'added', namespace)
    await apply(application)
    // kubectl hands what it applied itself to whoever comes next.
    const first = await generateShop('deployment/added')
    await kubectl(['apply', ...asPart, '-f', '-'], { input: first })
    const again = await run('kubectl', ['apply', ...asPart, '-f', '-'], { input: first })
    expect(again.stderr).toContain('spec.selector: Required value')
    await applyText(JSON.stringify(application), ['--server-side'])
    shop.write('scripts/on_error/1_report.sh', '#!/bin/sh\necho "$1"\n')
    await applyText(await generateShop('deployment/added'), asPart)
    const added = await getObject<Manifest>('deployment', 'added', namespace)
    expect(volumesOf(added)).toContain('holdfast-scripts-on-error')
    expect(mountsOf(added)).toContain('/scripts/on_error')

    shop.remove('scripts/on_error')
    await applyText(await generateShop('deployment/added'), asPart)
    await addForKit({ ...application, spec: { template: { spec: kitsPart('holdfast', 'initContainers') } } })
    const mended = await getObject<Manifest>('deployment', 'added', namespace)
    expect(volumesOf(mended)).not.toContain('holdfast-scripts-on-error')
    expect(mountsOf(mended)).not.toContain('/scripts/on_error')
    // What was there before is there still.
    const [before] = application.spec?.template?.spec.containers ?? []
    expect(mended?.spec?.template?.spec.containers).toEqual([expect.objectContaining(before)])
    expect(volumesOf(mended)).toContain('data')

    const pod = await scale(application)
    const { status } = (await getObject<Pod>('pod', pod, namespace)) ?? {}
    expect(status?.initContainerStatuses).toMatchObject([{ name: 'holdfast', ready: true, state: { running: {} } }])
    expect(await backUp(pod)).toBe(rows)
    await remove(application)
  })

  test('sidecar, on a StatefulSet: as a patch', async () => {
    const application = applicationOf('StatefulSet', 'patched', namespace)
    await apply(application)
    const [objects, patch] = splitLast(await generateShop('statefulset/patched'))
    await applyText(objects)
    shop.write('sidecar-patch.yaml', patch)
    const file = ['--patch-file', shop.at('sidecar-patch.yaml')]
    for (const dry of [['--dry-run=server'], []]) {
      await kubectl(['-n', namespace, 'patch', 'statefulset', 'patched', ...file, ...dry])
    }
    await addForKit({ ...application, spec: { template: { spec: kitsPart('holdfast', 'initContainers') } } })
    expect(await backUp(await scale(application))).toBe(rows)
    await remove(application)
  })

  test('container: a plain one', async () => {
    const application = applicationOf('Deployment', 'plain', namespace)
    await applyText(JSON.stringify(application), ['--server-side'])
    await applyText(await generateShop('deployment/plain', '--form', 'container'), asPart)
    await addForKit({ ...application, spec: { template: { spec: kitsPart('holdfast', 'containers') } } })
    const pod = await scale(application)
    const { status } = (await getObject<Pod>('pod', pod, namespace)) ?? {}
    expect(status?.containerStatuses?.map(({ name }) => name).toSorted()).toEqual(['app', 'holdfast'])
    expect(await backUp(pod)).toBe(rows)
    await remove(application)
  })

  test('the pod is one that the restricted Pod Security Standard allows', async () => {
    await kubectl(['label', 'namespace', restricted, 'pod-security.kubernetes.io/enforce=restricted'])
    const podWith = (spec: PodSpec | undefined): string =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'trial', namespace: restricted },
        // Its own account is in another namespace.
        spec: { ...spec, serviceAccountName: 'default' },
      })
    const trial = ['apply', '--dry-run=server', '-f', '-']
    const of = async (...more: readonly string[]): Promise<string> => {
      const [, patch] = splitLast(await generateShop('deployment/shop', '--form', 'container', ...more))
      return podWith(readManifests(patch)[0]?.spec?.template?.spec)
    }
    expect(await run('kubectl', trial, { input: await of() })).toMatchObject({ code: 0 })
    const refused = await run('kubectl', trial, { input: await of('--root') })
    expect(refused.stderr).toContain('violates PodSecurity "restricted')
  })

  test('--monitoring: what the Prometheus operator reads, and what finds the pod', async () => {
    const printed = await generateShop('deployment/watched', '--monitoring')
    const manifests = readManifests(printed)
    expect(manifests.slice(0, -1).flatMap(findManifestProblems)).toEqual([])
    const monitor = manifests.find(({ kind }) => kind === 'PodMonitor') as unknown as {
      spec: { selector: { matchLabels: Record<string, string> } }
    }
    // Its kind isn't served here; everything else is.
    const application = applicationOf('Deployment', 'watched', namespace)
    await applyText(JSON.stringify(application), ['--server-side'])
    const others = printed.split('---\n').filter((text) => !text.includes('kind: PodMonitor'))
    expect(others).toHaveLength(manifests.length - 1)
    await applyText(others.join('---\n'), asPart)
    const found = await getObject<Manifest>('deployment', 'watched', namespace)
    expect(found?.spec?.template?.metadata).toMatchObject({
      labels: { app: 'watched', ...monitor.spec.selector.matchLabels },
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9480', 'prometheus.io/path': '/metrics' },
    })
    await remove(application)
  })
})

describe('holdfast generate kubernetes --form cronjob', () => {
  const jobs = project({
    'holdfast.config.ts': `
import { defineConfig, defineHook } from '@holdfast/sdk'
const nightly = defineHook('backups', ({ createArtifact }) =>
  createArtifact('rows', (sink) => sink.write(Buffer.from('rows of the night'))), { name: 'nightly' })
const broken = defineHook('backups', () => { throw new Error('the disk is broken') }, { name: 'broken' })
const schedule = { cron: '0 3 * * *' }
export default defineConfig({
  plans: [
    { name: 'nightly', use: [nightly], schedule },
    { name: 'broken', use: [broken], schedule },
    { name: 'half', use: [nightly, broken], schedule },
  ],
})
`,
  })
  const store = project()
  const volume = `${namespace}-backups`

  interface JobStatus {
    readonly status: {
      readonly succeeded?: number
      readonly failed?: number
      readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[]
    }
  }

  /** Makes a Job of a CronJob, by hand, and waits for its end. */
  async function once(plan: string): Promise<{ readonly job: JobStatus; readonly pods: readonly Pod[] }> {
    await kubectl(['-n', namespace, 'create', 'job', plan, `--from=cronjob/jobs-${plan}`])
    const ended = await waitFor(`the Job of ${plan} to end`, async () => {
      const found = await getObject<JobStatus>('job', plan, namespace)
      const types = found?.status.conditions?.filter(({ status }) => status === 'True').map(({ type }) => type) ?? []
      return types.includes('Complete') || types.includes('Failed') ? found : undefined
    })
    return {
      job: ended,
      pods: await listObjects<Pod>('pods', namespace, ['-l', `batch.kubernetes.io/job-name=${plan}`]),
    }
  }

  beforeAll(async () => {
    mkdirSync(store.at('backups'))
    chmodSync(store.at('backups'), 0o777)
    chmodSync(store.path, 0o755)
    const claim = { storageClassName: '', accessModes: ['ReadWriteMany'] }
    const name = 'jobs-backups'
    await apply(
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: volume },
        spec: {
          ...claim,
          capacity: { storage: '1Gi' },
          claimRef: { name, namespace },
          persistentVolumeReclaimPolicy: 'Retain',
          hostPath: { path: store.at('backups') },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name, namespace },
        spec: { ...claim, volumeName: volume, resources: { requests: { storage: '1Gi' } } },
      },
    )
    const options = ['--form', 'cronjob', '--name', 'jobs', '--namespace', namespace, '--storage', 'file:///backups']
    const printed = await generate(jobs, 'kubernetes', ...options)
    await applyText(printed, ['--server-side'])
    const template = { spec: kitsPart('jobs', 'containers') }
    for (const { apiVersion, kind, metadata } of readManifests(printed).filter(
      ({ kind: each }) => each === 'CronJob',
    )) {
      await addForKit({ apiVersion, kind, metadata, spec: { jobTemplate: { spec: { template } } } })
    }
  })
  afterAll(() => run('kubectl', ['delete', 'persistentvolume', volume, '--wait=false']))

  test('a Job of it runs to its end, and the backup is in the store', async () => {
    const { job: done, pods } = await once('nightly')
    expect(done.status.succeeded).toBe(1)
    expect(pods.map(({ status }) => status.phase)).toEqual(['Succeeded'])
    const address = `file://${store.at('backups')}`
    const list = await runCommand('holdfast', ['list', '--storage', address, '--json'], { cwd: store.path })
    expect(JSON.parse(list.stdout)).toEqual([
      expect.objectContaining({ plan: 'nightly', name: 'rows', state: 'valid' }),
    ])
  })

  test.each([
    ['broken', 1, 'the disk is broken'],
    ['half', 4, 'partial'],
  ])('a plan that is %s fails its Job with exit code %i, once', async (plan, exitCode, said) => {
    const { job: failed, pods } = await once(plan)
    expect(failed.status).toMatchObject({ failed: 1 })
    expect(failed.status.conditions).toContainEqual(
      expect.objectContaining({ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }),
    )
    expect(pods.map(({ status }) => status.containerStatuses)).toEqual([
      [
        expect.objectContaining({
          name: 'jobs',
          restartCount: 0,
          state: { terminated: expect.objectContaining({ exitCode }) as object },
        }),
      ],
    ])
    expect(await logsOf(namespace, pods[0]?.metadata.name ?? '', 'jobs')).toContain(said)
  })
})

describe('holdfast generate kubernetes --form kustomize', () => {
  test('a component that kubectl builds, and adds to whoever includes it', async () => {
    const application = applicationOf('Deployment', 'built')
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      namespace,
      resources: ['deployment.json'],
      components: ['backup'],
      // The kit's, as anybody adjusts what is generated.
      patches: [
        {
          target: { kind: 'Deployment' },
          patch: JSON.stringify({
            ...application,
            spec: { template: { spec: kitsPart('holdfast', 'initContainers') } },
          }),
        },
      ],
    }
    const whole = project({
      'kustomization.yaml': JSON.stringify(kustomization),
      'deployment.json': JSON.stringify(application),
    })
    const form = ['--form', 'kustomize', '--output', whole.at('backup'), '--monitoring']
    const options = ['--workload', 'deployment/built', '--target-container', 'app']
    await generate(shop, 'kubernetes', ...options, ...form)
    const built = readManifests(await kubectl(['kustomize', whole.path]))
    expect(built.flatMap(findManifestProblems)).toEqual([])
    expect(built.map(({ kind }) => kind)).toContain('PodMonitor')

    await generate(shop, 'kubernetes', ...options, ...form.slice(0, -1))
    for (const dry of [['--dry-run=server'], []]) await kubectl(['apply', ...dry, '-k', whole.path])
    expect(await backUp(await scale(application))).toBe(rows)
    await remove(application)
  })
})

test('holdfast generate rbac: what is applied is what the account may do', async () => {
  const cluster = project({
    'holdfast.config.ts': `
import { defineConfig, defineHook } from '@holdfast/sdk'
const look = defineHook('backups', () => undefined, { name: 'look', permissions: [
  { apiGroup: '', resource: 'persistentvolumes', verbs: ['list'], scope: 'cluster', why: 'volumes are looked up' },
  { apiGroup: 'apps', resource: 'deployments/scale', verbs: ['update'], scope: 'namespace', why: 'the shop is scaled' },
] })
export default defineConfig({ plans: [{ name: 'look', use: [look] }] })
`,
  })
  const printed = await generate(cluster, 'rbac', '--namespace', namespace, '--name', 'look')
  const allows = async (asked: string): Promise<boolean> => {
    const [verb = '', resource = ''] = asked.split(' ')
    return (await may({ verb, resource }, 'look', namespace)) === 'yes'
  }
  try {
    await applyText(printed)
    const asked = {
      'list persistentvolumes': 'yes',
      'update deployments/scale': 'yes',
      'create events': 'yes',
      'get persistentvolumes': 'no',
      'update deployments': 'no',
      'list secrets': 'no',
      'create pods/exec': 'no',
    }
    // The last of what was applied is the first to wait for.
    await waitFor('it to be in force', () => allows('list persistentvolumes'), 10)
    const answers = Object.keys(asked).map(async (each) => [each, (await allows(each)) ? 'yes' : 'no'] as const)
    expect(Object.fromEntries(await Promise.all(answers))).toEqual(asked)
  } finally {
    const names = [`clusterrole/${namespace}-look`, `clusterrolebinding/${namespace}-look`]
    await kubectl(['delete', ...names])
  }
})

test('a native sidecar outlives the main container of a Job, gives back what it held, and lets the Job end', async () => {
  const done = await waitFor(
    'the Job to end',
    async () => {
      const found = await getObject<{ status: { succeeded?: number; failed?: number } }>('job', job.name, namespace)
      return found?.status.succeeded === 1 || found?.status.failed === 1 ? found : undefined
    },
    110,
  )
  expect(done.status).toMatchObject({ succeeded: 1 })
  const [pod] = await listObjects<Pod>('pods', namespace, ['-l', `batch.kubernetes.io/job-name=${job.name}`])
  expect(pod?.status).toMatchObject({
    phase: 'Succeeded',
    containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 0 } } }],
    // A run was cut short: it says so, and the Job has not failed for it.
    initContainerStatuses: [{ name: job.name, restartCount: 0, state: { terminated: { exitCode: 143 } } }],
  })
  const notes = readFileSync(job.shared.at('runs'), 'utf8')
  expect(notes).toContain('"what":"begun"')
  expect(notes).toContain('"what":"released"')
  expect(existsSync(job.shared.at('held'))).toBe(false)
  expect(await listObjects('configmaps', namespace, ['-l', 'holdfast.dev/undo=true'])).toEqual([])
})

function volumesOf(workload: Manifest | undefined): readonly string[] {
  return workload?.spec?.template?.spec.volumes?.map(({ name }) => name) ?? []
}

function mountsOf(workload: Manifest | undefined): readonly string[] {
  const [sidecar] = workload?.spec?.template?.spec.initContainers ?? []
  return sidecar?.volumeMounts?.map(({ mountPath }) => mountPath) ?? []
}
