// Volumes of Ceph, backed up by the chart as it is installed: its crontab, Events, metrics, and rights.
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB, readImage, snapshotsOf, writeImage } from './support/ceph.ts'
import { goesOn, kitsNode, useThaws, writing } from './support/freezing.ts'
import { kubeconfigOf } from './support/grants.ts'
import { follow, onHost, releaseOf, type Values } from './support/helm.ts'
import { inventory, leftovers } from './support/inventory.ts'
import { apply, getObject, kubectl, listObjects, run, waitFor, type Ended } from './support/kubectl.ts'
import { images, useNamespace } from './support/namespace.ts'
import { execIn, logsOf, podsOf, ready, type Pod } from './support/pods.ts'
import { eventsOf, freezes, podWith, useVolumes, type VolumeOfClaim } from './support/volumes.ts'
import type { Version } from './support/benji.ts'

const namespace = useNamespace('chart-benji')
// Where claims are, which is not where the release is.
const shop = useNamespace('chart-benji-shop')
const volumes = useVolumes(shop)
const thawAfter = useThaws()
const release = releaseOf(namespace, 'east')
const { fullname, selector } = release
const agents = 'app.kubernetes.io/component=freeze-agent'
let data: VolumeOfClaim
/** A pod writes to it, and it asks for freezing. */
let written: VolumeOfClaim
let port = 0
let before: readonly string[] = []
let notes = ''

const imageOf = (name: string): object => {
  const [repository, tag] = name.split(':')
  return { repository, tag }
}

const values = (schedule: string, more: object = {}): Values => ({
  ...onHost,
  benji: {
    enabled: true,
    image: imageOf(images.benjiK8s),
    ceph: { files: { 'ceph.conf': cephConf() } },
    crontab: [{ name: 'volumes', schedule, command: ['benji-backup-pvc', '--all-namespaces', '-l', `shelf=${shop}`] }],
    freeze: {
      image: imageOf(images.holdfast),
      kubeletRoot: kitsNode.kubeletRoot,
      sysRoot: process.env['HOLDFAST_E2E_SYS'],
    },
    restore: { namespaces: [shop] },
    pushgateway: { enabled: true, port, image: imageOf(images.pushgateway) },
  },
  // Else Benji starves while other tests run.
  resources: { requests: { cpu: '500m', memory: '128Mi' } },
  state: { persistence: { enabled: true, size: '10Mi', storageClassName: namespace } },
  ...more,
})

/** What a client needs. */
function cephConf(): string {
  const [, all = ''] = /^\[global\]\n([^[]*)/m.exec(readFileSync(process.env['CEPH_CONF'] ?? '', 'utf8')) ?? []
  const lines = all.split('\n').filter((line) => !line.startsWith('run dir'))
  return `[global]\n${lines.join('\n')}`
}

/** A port of this machine that nobody has. */
function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

beforeAll(async () => {
  port = await freePort()
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
  data = await volumes.create('data', { labels: { shelf: shop } })
  written = await volumes.create('written', { labels: { shelf: shop }, annotations: freezes })
  await volumes.create('other', { labels: { shelf: 'another' } })
  await writeImage(data.image, { at: 4 * MiB, bytes: randomBytes(MiB) })
  await apply(podWith(shop, 'writer', ['written'], { image: images.node, command: writing('/written/log') }))
  await ready(shop, 'writer')
  thawAfter(written, 300)
  before = await inventory(namespace)
  notes = await release.install(values('* * * * *'))
})
afterAll(async () => {
  await run('kubectl', ['delete', 'persistentvolume', namespace, '--wait=false'])
  // Of an installation that failed.
  const ofCluster = ['clusterrole,clusterrolebinding', `${namespace}-${fullname}`]
  await run('kubectl', ['delete', ...ofCluster, '--ignore-not-found'])
})

function onlyPod(not?: Pod): Promise<Pod> {
  return waitFor('the pod', async () => {
    const pods = await podsOf(namespace, selector)
    return pods.length === 1 && pods.find(({ metadata }) => metadata.uid !== not?.metadata.uid)
  })
}

async function inPod(...command: readonly string[]): Promise<Ended> {
  return execIn(namespace, (await onlyPod()).metadata.name, 'holdfast', command)
}

/** Of the claim nobody writes to, or another. */
async function versions({ volume } = data): Promise<readonly Version[]> {
  const { code, stdout, stderr } = await inPod('benji', '-m', 'ls', `volume == "${volume}"`)
  if (code !== 0) throw new Error(`benji ls ended with ${code}: ${stderr}`)
  return (JSON.parse(stdout) as { readonly versions: readonly Version[] }).versions
}

test('a line of the crontab backs up a claim of another namespace, and the claim says so', async () => {
  const event = await waitFor('the first backup', async () => (await eventsOf(shop, 'data'))[0], 150)
  expect(event).toMatchObject({
    type: 'Normal',
    reason: 'SuccessfulBackup',
    metadata: { labels: { 'benji-backup.me/instance': 'east' } },
  })
  expect(await eventsOf(shop, 'other')).toEqual([])
  const [version] = await versions()
  expect(version).toMatchObject({
    volume: `${shop}/data`,
    status: 'valid',
    labels: { 'benji-backup.me/instance': 'east', 'benji-backup.me/k8s-pvc': 'data' },
  })
  expect(await snapshotsOf(data.image)).toContain((await versions()).at(-1)?.snapshot)
}, 200_000)

test('a claim that pods write to stands still for its snapshot, by the chart’s own agent, and is written to again', async () => {
  const event = await waitFor('its first backup', async () => (await eventsOf(shop, 'written'))[0], 60)
  expect(event).toMatchObject({ reason: 'SuccessfulBackup' })
  expect(await versions(written)).toMatchObject([{ status: 'valid' }])
  const { metadata } = await onlyPod()
  expect(await logsOf(namespace, metadata.name, 'holdfast')).toMatch(/thawed .* after \d+ ms/)
  const then = await goesOn(written, 'log', 0)
  expect(await goesOn(written, 'log', then)).toBeGreaterThan(then)
}, 200_000)

test('the Pushgateway in the pod has it, and the pod says where', async () => {
  const { metadata } = await onlyPod()
  const { annotations } = metadata as { readonly annotations?: Readonly<Record<string, string>> }
  expect(annotations).toEqual({ 'prometheus.io/scrape': 'true', 'prometheus.io/port': `${port}` })
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const succeeded = metrics.split('\n').filter((line) => line.startsWith('benji_backup_status_succeeded{'))
  const labels = (claim: string): string =>
    `job="east",pvc_name="${claim}",pvc_namespace="${shop}",volume="${shop}/${claim}"`
  expect(succeeded.toSorted()).toEqual(
    ['data', 'written'].map((claim) => `benji_backup_status_succeeded{instance="",${labels(claim)}} 1`),
  )
})

test('nothing is wrong in the log, and what is restored is what the snapshot has', async () => {
  const { metadata } = await onlyPod()
  const logs = await logsOf(namespace, metadata.name, 'holdfast')
  expect(logs.split('\n').filter((line) => /"level":"(warn|error)"/.test(line))).toEqual([])
  const [version] = await versions()
  const restored = await inPod(
    'sh',
    '-c',
    'benji restore "$1" file:/tmp/restored && sha256sum </tmp/restored && rm /tmp/restored',
    'sh',
    version?.uid ?? '',
  )
  expect(restored).toMatchObject({ code: 0 })
  const expected = createHash('sha256')
    .update(await readImage(data.image))
    .digest('hex')
  expect(restored.stdout).toContain(expected)
})

/** Whether the account of the release, or another of its namespace, may do something. */
async function may(what: string, account = fullname): Promise<string> {
  const [verb = '', resource = '', at = ''] = what.split(' ')
  const [type = '', subresource] = resource.split(':')
  const where = at === '' ? ['--all-namespaces'] : ['-n', at]
  const sub = subresource === undefined ? [] : [`--subresource=${subresource}`]
  const as = `--as=system:serviceaccount:${namespace}:${account}`
  const { stdout } = await run('kubectl', ['auth', 'can-i', verb, type, ...sub, ...where, as])
  return stdout.trim()
}

const allowed = [
  ...['get', 'list', 'watch'].flatMap((verb) =>
    ['persistentvolumes', 'persistentvolumeclaims', 'pods', 'storageclasses.storage.k8s.io'].map(
      (resource) => `${verb} ${resource}`,
    ),
  ),
  'create events',
  `create pods:exec ${namespace}`,
  `create configmaps ${namespace}`,
  `update leases.coordination.k8s.io/${fullname} ${namespace}`,
  `create persistentvolumeclaims ${shop}`,
  `delete persistentvolumeclaims ${shop}`,
]
const forbidden = [
  `create pods:exec ${shop}`,
  'create pods:exec',
  `create persistentvolumeclaims ${namespace}`,
  'create persistentvolumeclaims',
  'delete persistentvolumeclaims',
  `patch persistentvolumeclaims ${shop}`,
  'delete persistentvolumes',
  'patch persistentvolumes',
  `get secrets ${namespace}`,
  `get secrets ${shop}`,
  `create configmaps ${shop}`,
  `create pods ${namespace}`,
  `delete pods ${namespace}`,
  'list nodes',
  'list namespaces',
  'get configmaps',
  `create leases.coordination.k8s.io ${namespace}`,
  `create daemonsets.apps ${namespace}`,
]

test('fault H3: the account may do this, and nothing else', async () => {
  const table = async (rows: readonly string[]): Promise<readonly string[]> => {
    const answers = []
    for (const row of rows) answers.push(`${row}: ${await may(row)}`)
    return answers
  }
  expect(await table(allowed)).toEqual(allowed.map((row) => `${row}: yes`))
  expect(await table(forbidden)).toEqual(forbidden.map((row) => `${row}: no`))
})

test('fault H2, H4: only agents are privileged; they have no token, see the node’s mounts, and take commands from us', async () => {
  const [agent, ...others] = await podsOf(namespace, agents)
  if (!agent) throw new Error('there is no agent')
  expect(others).toEqual([])
  await ready(namespace, agent.metadata.name)
  const path = join(tmpdir(), `${namespace}.json`)
  await writeFile(path, await kubeconfigOf(fullname, namespace), { mode: 0o600 })
  const script =
    'test ! -e /var/run/secrets/kubernetes.io && fsfreeze --version && test -d "$1/pods" && grep -c "$1" /proc/self/mountinfo'
  const asUs = { env: { KUBECONFIG: path } }
  const command = [
    'exec',
    agent.metadata.name,
    '-c',
    'freeze-agent',
    '--',
    'sh',
    '-c',
    script,
    'sh',
    kitsNode.kubeletRoot,
  ]
  const inAgent = await run('kubectl', command, asUs)
  await rm(path)
  expect(inAgent).toMatchObject({ code: 0 })
  expect(inAgent.stdout).toMatch(/^fsfreeze from util-linux/)
  expect(inAgent.stderr).toBe('')
  const pods = await listObjects<{ metadata: Pod['metadata']; spec: object }>('pods', namespace)
  const privileged = pods.filter(({ spec }) => JSON.stringify(spec).includes('"privileged":true'))
  expect(privileged.map(({ metadata }) => metadata.name)).toEqual([agent.metadata.name])
})

test('upgraded, it has another schedule and the same versions; the agent stays', async () => {
  const [agent] = await podsOf(namespace, agents)
  const earlier = await onlyPod()
  const known = (await versions()).map(({ uid }) => uid)
  await release.upgrade(values('0 3 1 1 *', { logLevel: 'debug' }))
  const pod = await onlyPod(earlier)
  await ready(namespace, pod.metadata.name)
  expect((await versions()).map(({ uid }) => uid)).toEqual(expect.arrayContaining(known))
  expect((await podsOf(namespace, agents)).map(({ metadata }) => metadata.uid)).toEqual([agent?.metadata.uid])
  expect((await inPod('cat', '/benji/etc/crontab')).stdout).toContain('0 3 1 1 * holdfast benji-backup-pvc')
  const { code, stderr } = await inPod('holdfast', 'run', 'volumes')
  expect({ code, stderr }).toMatchObject({ code: 0 })
  // It went on from the last one.
  const last = (await versions()).at(-1)
  expect(known).not.toContain(last?.uid)
  expect(last).toMatchObject({ status: 'valid', bytes_read: 0 })
})

test('mode cronjob: a Job of the CronJob goes on with the volumes of the deployment', async () => {
  const known = (await versions()).map(({ uid }) => uid)
  const { pushgateway, ...benji } = values('0 3 1 1 *').benji as Readonly<Record<string, unknown>>
  expect(pushgateway).toBeDefined()
  const said = await release.upgrade({ ...values('0 3 1 1 *'), benji, mode: 'cronjob' })
  await follow(said.replaceAll('NAME', `${fullname}-volumes`), 'kubectl create job')
  const [pod] = await waitFor('the Job’s pod', async () => {
    const found = await podsOf(namespace, `job-name=${fullname}-volumes-now`)
    return found[0]?.status.phase === 'Succeeded' && found
  })
  const made = logsOf(namespace, pod?.metadata.name ?? '', 'holdfast')
  expect(await made).toContain('differential')
  await release.upgrade(values('0 3 1 1 *'))
  expect((await versions()).at(-1)).toMatchObject({ status: 'valid', labels: { 'holdfast.dev/mode': 'differential' } })
  expect(known).not.toContain((await versions()).at(-1)?.uid)
})

test('uninstalled, it leaves the claim with the versions, and the notes say how to remove it', async () => {
  await release.uninstall()
  expect(await leftovers(namespace, before)).toEqual([`PersistentVolumeClaim/${fullname}`])
  await follow(notes, 'kubectl delete')
  expect(await leftovers(namespace, before)).toEqual([])
  const ours = ['-l', 'app.kubernetes.io/instance=east,app.kubernetes.io/managed-by=Helm']
  const cluster = JSON.parse(await kubectl(['get', 'clusterroles,clusterrolebindings', ...ours, '-o', 'json'])) as {
    readonly items: readonly { readonly metadata: { readonly name: string } }[]
  }
  expect(cluster.items.filter(({ metadata }) => metadata.name.startsWith(namespace))).toEqual([])
  expect(await getObject('role', `${namespace}-${fullname}-restore`, shop)).toBeUndefined()
  expect(notes).toContain('rbd snap rm')
})
