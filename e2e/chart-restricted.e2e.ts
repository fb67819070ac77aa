// The chart under the restricted Pod Security Standard, in pods that reach no API, with the state on a volume claim.
import { chown, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { historyOf } from './support/daemon.ts'
import { follow, noHooks, releaseOf, type Values } from './support/helm.ts'
import { inventory, leftovers } from './support/inventory.ts'
import { apply, kubectl, run, waitFor } from './support/kubectl.ts'
import { images, useNamespace } from './support/namespace.ts'
import { execIn, logsOf, podsOf, ready, type Pod } from './support/pods.ts'

const namespace = useNamespace('chart-restricted')
const release = releaseOf(namespace, 'apart')
const { selector } = release
let before: readonly string[] = []
let notes = ''

const config = {
  plans: {
    shop: {
      schedule: { cron: '0 3 * * *' },
      use: [{ '@holdfast/plugin-scripts#scripts': { path: '/scripts' } }],
    },
  },
}
const values: Values = {
  config: { replicas: 'each', ...config },
  scripts: {
    directories: {
      before_backups: {
        '10-freeze': '#!/bin/sh\ntouch /tmp/frozen\n',
        '10-freeze.undo': '#!/bin/sh\nrm -f /tmp/frozen\necho thawed\n',
      },
      backups: { '10-orders': '#!/bin/sh\nset -e\ntest -e /tmp/frozen\necho order 1 | save_artifact orders.txt\n' },
    },
  },
  state: { persistence: { enabled: true, size: '10Mi', storageClassName: namespace } },
}

beforeAll(async () => {
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  const path = await mkdtemp(join(tmpdir(), 'holdfast-e2e-chart-'))
  // The group of the pod is not given to directories of the node, as it is to real volumes.
  await chown(path, 1000, 1000)
  await apply({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: namespace },
    spec: {
      capacity: { storage: '10Mi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: namespace,
      hostPath: { path, type: 'Directory' },
    },
  })
  before = await inventory(namespace)
  notes = await release.install(values)
})
afterAll(() => run('kubectl', ['delete', 'persistentvolume', namespace, '--wait=false']))

function onlyPod(not?: Pod): Promise<Pod> {
  return waitFor('the pod', async () => {
    const pods = await podsOf(namespace, selector)
    return pods.length === 1 && pods.find(({ metadata }) => metadata.uid !== not?.metadata.uid)
  })
}

test('a pod that reaches no API is ready, runs its plan, and gives back what it took', async () => {
  const { metadata } = await onlyPod()
  const { code, stdout, stderr } = await execIn(namespace, metadata.name, 'holdfast', ['holdfast', 'run', 'shop'])
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 })
  expect(stdout + stderr).toContain('thawed')
  expect((await execIn(namespace, metadata.name, 'holdfast', ['test', '-e', '/tmp/frozen'])).code).toBe(1)
  // It has looked, and goes on without.
  await waitFor('it to say so', async () =>
    (await logsOf(namespace, metadata.name, 'holdfast')).includes('what this pod may do could not be asked'),
  )
})

test('the pod is deleted: what is on the claim is there again', async () => {
  const pod = await onlyPod()
  const [last] = await historyOf(namespace, pod)
  await kubectl(['-n', namespace, 'delete', 'pod', pod.metadata.name])
  const successor = await onlyPod(pod)
  await ready(namespace, successor.metadata.name)
  expect(last).toMatchObject({ plan: 'shop', status: 'succeeded', trigger: 'manual' })
  expect(await historyOf(namespace, successor)).toContainEqual(last)
  const restore = 'holdfast restore --bytes --plan shop --to /tmp/orders.txt && cat /tmp/orders.txt'
  const restored = await execIn(namespace, successor.metadata.name, 'holdfast', ['sh', '-c', restore])
  expect(restored.stdout).toContain('order 1\n')
})

test('uninstalled, its Job is let in, but reaches no API: it says so, and the notes say how to go on', async () => {
  const { code, stdout, stderr } = await release.tryUninstall()
  expect(code).not.toBe(0)
  expect(stdout + stderr).toMatch(/what runs Holdfast could not be deleted[^]*--no-hooks/)
  await follow(noHooks(notes), 'helm uninstall')
})

test('it leaves the claim, and the notes say how to remove it', async () => {
  expect(await leftovers(namespace, before)).toEqual(['PersistentVolumeClaim/apart-holdfast'])
  await follow(notes, 'kubectl delete')
  expect(await leftovers(namespace, before)).toEqual([])
})

interface PodSpec {
  readonly containers?: readonly object[]
  readonly initContainers?: readonly object[]
  readonly volumes?: readonly object[]
}

/** What a server makes of values, without making it. */
async function dryRun(given: Values): Promise<readonly { kind: string; data?: Record<string, string> }[]> {
  const manifests = await release.template(given)
  const made = await kubectl(['-n', namespace, 'apply', '--dry-run=server', '-o', 'json', '-f', '-'], {
    input: manifests,
  })
  return (JSON.parse(made) as { items: readonly { kind: string; data?: Record<string, string> }[] }).items
}

test.each([
  ['of the chart', { size: '5Gi', accessModes: ['ReadWriteOncePod'], annotations: { 'example.com/backup': 'no' } }],
  ['without a storage class', { storageClassName: '' }],
  ['that is not kept', { keep: false }],
  ['of somebody else', { existingClaim: 'mine' }],
])('a server takes a claim %s', async (_, persistence) => {
  const state = { persistence: { enabled: true, ...persistence } }
  const kinds = (await dryRun({ config, state })).map(({ kind }) => kind)
  expect(kinds).toContain('Deployment')
  expect(kinds.includes('PersistentVolumeClaim')).toBe(!('existingClaim' in persistence))
})

/** Whether a pod like this is let in. */
async function admit(spec: PodSpec): Promise<string> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'tried', namespace }, spec }
  const { stdout, stderr } = await run('kubectl', ['create', '--dry-run=server', '-f', '-'], {
    input: JSON.stringify(pod),
  })
  return stdout + stderr
}

test('pods of CronJobs and of applications with a sidecar are let in', async () => {
  const serviceAccount = { create: false }
  const cronJob = (await dryRun({ mode: 'cronjob', config, serviceAccount })).find(({ kind }) => kind === 'CronJob')
  const { spec } = cronJob as unknown as { spec: { jobTemplate: { spec: { template: { spec: PodSpec } } } } }
  const job = spec.jobTemplate.spec.template.spec
  expect(await admit(job)).toContain('pod/tried created')

  const sidecar = await dryRun({ mode: 'sidecar', config, serviceAccount })
  const patch = sidecar.map(({ data }) => data?.['patch.yaml']).find((text) => text !== undefined)
  const added = (parse(patch ?? '') as { spec: { template: { spec: PodSpec } } }).spec.template.spec
  const securityContext = {
    runAsNonRoot: true,
    runAsUser: 2000,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  }
  expect(await admit({ ...added, containers: [{ name: 'app', image: images.busybox, securityContext }] })).toContain(
    'pod/tried created',
  )
  // The standard is in force.
  expect(await admit({ ...job, containers: [{ name: 'app', image: images.busybox }] })).toContain(
    'violates PodSecurity "restricted:latest"',
  )
})
