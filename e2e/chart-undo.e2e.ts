// The chart while a backup runs that holds something: whatever Helm does, it is given back.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { historyOf, leaderOf } from './support/daemon.ts'
import { follow, onHost, releaseOf, type Values } from './support/helm.ts'
import { holdingConfig, isHeldIn, notesIn, sharedDirectory, underWayIn, type Note } from './support/holding.ts'
import { inventory, leftovers } from './support/inventory.ts'
import { kubectl, waitFor } from './support/kubectl.ts'
import { useNamespace } from './support/namespace.ts'
import { signalContainer } from './support/node.ts'
import { podsOf, type Pod } from './support/pods.ts'

const namespace = useNamespace('chart-undo')
const release = releaseOf(namespace, 'hold')
const { fullname, selector } = release
let before: readonly string[] = []
let notes = ''
let shared = ''

const values = (more: object = {}): Values => ({
  ...onHost,
  replicaCount: 2,
  // More than it takes: on a busy machine a pod that is killed meanwhile has told nobody how its run ended.
  terminationGracePeriodSeconds: 20,
  files: { 'holdfast.config.ts': holdingConfig(`replicas: 'leader',`) },
  extraVolumes: [{ name: 'shared', hostPath: { path: shared, type: 'Directory' } }],
  extraVolumeMounts: [{ name: 'shared', mountPath: '/shared' }],
  ...more,
})

beforeAll(async () => {
  shared = await sharedDirectory()
  before = await inventory(namespace)
  notes = await release.install(values())
})

const noted = (): Promise<readonly Note[]> => notesIn(shared)
const isHeld = (): Promise<boolean> => isHeldIn(shared)
const underWay = (pods: readonly Pod[]): Promise<Note> => underWayIn(shared, pods)

/** ConfigMaps of undos, as the notes say how to look at them. */
async function pending(): Promise<readonly string[]> {
  const printed = await follow(notes, `kubectl get --namespace ${namespace} configmaps`)
  return [...printed.matchAll(/^holdfast-undo-\S+/gm)].map(([name]) => name)
}

// It waits for the next full minute, and for two pods to end and two others to begin.
test('an upgrade ends a running backup: all is given back, and it is on record', async () => {
  const pods = await podsOf(namespace, selector)
  const { run, who } = await underWay(pods)
  const armed = await pending()
  expect(armed).toHaveLength(1)
  await release.upgrade(values({ podAnnotations: { 'example.com/upgraded': 'yes' } }))
  const successors = await podsOf(namespace, selector)
  expect(successors).toHaveLength(2)
  const uids = new Set(pods.map(({ metadata }) => metadata.uid))
  expect(successors.filter(({ metadata }) => uids.has(metadata.uid))).toEqual([])
  expect((await noted()).filter((note) => note.run === run)).toMatchObject([
    { what: 'begun', who },
    { what: 'released', who },
  ])
  // Meanwhile the next run may hold something.
  expect(await pending()).not.toContain(armed[0])
  // The pod that ran it is gone, with its state: it has told the next one.
  const leader = await leaderOf(namespace, fullname, selector)
  const record = await waitFor('the record of the run', async () =>
    (await historyOf(namespace, leader)).find(({ id }) => id === run),
  )
  expect(record).toMatchObject({ plan: 'hold', status: 'aborted', trigger: 'schedule' })
}, 240_000)

test('the pods of the upgrade go on', async () => {
  const [first] = await noted()
  const { run, who } = await underWay(await podsOf(namespace, selector))
  expect(run).not.toBe(first?.run)
  expect(who).not.toBe(first?.who)
})

test('uninstalled, it leaves what could not be given back, as the notes name it; installed again, it gives it back', async () => {
  const { run, who } = await underWay(await podsOf(namespace, selector))
  // It hangs, so it is killed when its time is over.
  await signalContainer(namespace, who, 'holdfast', 'SIGSTOP')
  const said = await release.uninstall()
  const left = await leftovers(namespace, before)
  const undos = await pending()
  expect(said).toMatch(new RegExp(`NOT given back: 1 undo[^]*configmap/${undos[0]} `))
  expect(left).toEqual(undos.map((name) => `ConfigMap/${name}`))
  expect(undos).toHaveLength(1)
  expect(await kubectl(['-n', namespace, 'get', 'configmap', ...undos, '-o', 'json'])).toContain(run)
  expect(await isHeld()).toBe(true)

  // From now on runs end at once, and hold nothing.
  await writeFile(join(shared, 'go'), '')
  await release.install(values())
  await waitFor('it to be given back', async () => !(await isHeld()))
  expect(await noted()).toContainEqual(expect.objectContaining({ what: 'recovered', run }))
  await waitFor('the record in the API to be gone', async () => !(await pending()).includes(undos[0] ?? ''))
  await follow(notes, 'helm uninstall')
  expect(await leftovers(namespace, before)).toEqual([])
})
