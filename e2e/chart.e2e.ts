// The chart in mode deployment: two pods on the node's network.
import { createServer } from 'node:net'
import { beforeAll, expect, test } from 'vitest'
import { historyOf, leaderOf, metricsOf, type Lease } from './support/daemon.ts'
import { follow, onHost, releaseOf, type Values } from './support/helm.ts'
import { inventory, leftovers } from './support/inventory.ts'
import { apply, getObject, kubectl, listObjects, waitFor } from './support/kubectl.ts'
import { useNamespace } from './support/namespace.ts'
import { execIn, logsOf, podsOf, type Pod } from './support/pods.ts'

const namespace = useNamespace('chart')
const release = releaseOf(namespace, 'shop')
const { fullname, selector } = release
let before: readonly string[] = []
let notes = ''
let port = 0
const token = 'a-token-of-the-test'

const plan = (cron: string): object => ({
  schedule: { cron },
  use: [{ '@holdfast/plugin-scripts#scripts': { path: '/scripts' } }],
})
const values = (morePlans: object = {}): Values => ({
  ...onHost,
  replicaCount: 2,
  metrics: { port },
  api: { tokenSecret: { name: 'shop-api' } },
  config: { storage: 'file:///backups', plans: { shop: plan('* * * * *'), ...morePlans } },
  scripts: { directories: { backups: { '10-orders': '#!/bin/sh\necho order 1 | save_artifact orders.txt\n' } } },
  extraVolumes: [{ name: 'backups', emptyDir: {} }],
  extraVolumeMounts: [{ name: 'backups', mountPath: '/backups' }],
})

beforeAll(async () => {
  port = await freePort()
  const metadata = { name: 'shop-api', namespace }
  await apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { token } })
  before = await inventory(namespace)
  notes = await release.install(values())
})

/** A port of this machine that nobody has, and that no connection gets. */
async function freePort(): Promise<number> {
  for (let candidate = 22_000; ; candidate++) {
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(candidate, () => resolve(true))
    })
    await new Promise((resolve) => server.close(resolve))
    if (isFree) return candidate
  }
}

test('two pods that want the same port of a node are ready; one of them does without, and says so once', async () => {
  const pods = await podsOf(namespace, selector)
  const isReady = [{ ready: true, restartCount: 0 }]
  expect(pods.map(({ status }) => status.containerStatuses)).toMatchObject([isReady, isReady])
  const ports = await Promise.all(
    pods.map(async (pod) => {
      const logs = await logsOf(namespace, pod.metadata.name, 'holdfast')
      return {
        listening: /^holdfast_http_listening (.*)$/m.exec(await metricsOf(namespace, pod))?.[1],
        complaints: logs.split('\n').filter((line) => line.includes('HTTP_PORT')).length,
        health: (await execIn(namespace, pod.metadata.name, 'holdfast', ['holdfast', 'health'])).code,
      }
    }),
  )
  expect(ports.toSorted((a, b) => a.complaints - b.complaints)).toEqual([
    { listening: '1', complaints: 0, health: 0 },
    { listening: '0', complaints: 1, health: 0 },
  ])
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
})

test('one of them holds the chart’s own Lease, and nobody misses a right', async () => {
  const leader = await leaderOf(namespace, fullname, selector)
  expect(await listObjects<Lease>('leases', namespace)).toMatchObject([
    { metadata: { name: fullname, labels: { 'app.kubernetes.io/managed-by': 'Helm' } } },
  ])
  for (const pod of await podsOf(namespace, selector)) {
    const isLeading = /^holdfast_leader (.*)$/m.exec(await metricsOf(namespace, pod))?.[1]
    expect(isLeading).toBe(pod.metadata.name === leader.metadata.name ? '1' : '0')
    const logs = await logsOf(namespace, pod.metadata.name, 'holdfast')
    expect(logs.split('\n').filter((line) => /PERMISSION_MISSING|KUBERNETES_FORBIDDEN/.test(line))).toEqual([])
  }
})

test('whoever has the token of the Secret can pause a plan of the pod that leads; nobody else can', async () => {
  const leader = await leaderOf(namespace, fullname, selector)
  const leads = /^holdfast_http_listening 1$/m.test(await metricsOf(namespace, leader))
  const order = async (path: string, given?: string): Promise<number> => {
    const headers: Record<string, string> = given === undefined ? {} : { authorization: `Bearer ${given}` }
    return (await fetch(`http://127.0.0.1:${port}/api/v1/plans/shop/${path}`, { method: 'POST', headers })).status
  }
  expect([await order('pause'), await order('pause', 'a-token-of-others')]).toEqual([401, 401])
  const paused = async (): Promise<boolean> =>
    /^holdfast_schedule_paused\{.*plan="shop".*\} 1$/m.test(await metricsOf(namespace, leader))
  expect(await paused()).toBe(false)
  expect(await order('pause', token)).toBe(leads ? 200 : 409)
  expect(await paused()).toBe(leads)
  expect(await order('resume', token)).toBe(leads ? 200 : 409)
  expect(await paused()).toBe(false)
})

test('the plan runs on its schedule, and Events on the pod say so', async () => {
  const leader = await leaderOf(namespace, fullname, selector)
  const run = await waitFor(
    'a run that has ended',
    async () =>
      (await historyOf(namespace, leader)).find(({ trigger, status }) => trigger !== 'boot' && status !== 'running'),
    80,
  )
  expect(run).toMatchObject({ plan: 'shop', status: 'succeeded', trigger: 'schedule' })
  const about = `involvedObject.kind=Pod,involvedObject.name=${leader.metadata.name}`
  await waitFor('the Events', async () => {
    const events = await kubectl(['-n', namespace, 'get', 'events', '--field-selector', about])
    return /Normal +BackupStarted .*plan "shop" begins/.test(events) && /Normal +BackupSucceeded /.test(events)
  })
})

test('an upgrade that changes the configuration only restarts nothing: it comes into force where it runs', async () => {
  const pods = await podsOf(namespace, selector)
  const lease = await getObject<Lease>('lease', fullname, namespace)
  await release.upgrade(values({ archive: plan('30 4 * * 0') }))
  for (const pod of pods) {
    await waitFor('the new plan', async () =>
      /^holdfast_schedule_info\{.*plan="archive".*cron="30 4 \* \* 0"/m.test(await metricsOf(namespace, pod)),
    )
  }
  const state = ({ metadata, status }: Pod): unknown => [metadata.uid, status.containerStatuses?.[0]?.containerID]
  expect((await podsOf(namespace, selector)).map(state)).toEqual(pods.map(state))
  // The Lease is the chart's own; who holds it is not.
  const { holderIdentity, leaseTransitions } = lease?.spec ?? {}
  expect(await getObject<Lease>('lease', fullname, namespace)).toMatchObject({
    spec: { holderIdentity, leaseTransitions },
  })
})

test('values that are wrong are refused before anything changes', async () => {
  const [revisions, objects] = [await release.revisions(), await inventory(namespace)]
  const wrong = { ...values(), config: { plans: { shop: { uses: [] } } } }
  const { code, stderr } = await release.tryUpgrade(wrong)
  expect(code).not.toBe(0)
  expect(stderr).toContain('/config/plans/shop')
  expect(stderr).toContain('uses')
  expect([await release.revisions(), await inventory(namespace)]).toEqual([revisions, objects])
})

test('uninstalled as the notes say, it leaves nothing at all', async () => {
  await follow(notes, 'helm uninstall')
  expect(await leftovers(namespace, before)).toEqual([])
})
