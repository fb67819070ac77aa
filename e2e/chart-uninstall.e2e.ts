// The chart, uninstalled in the middle of a backup: what is given back leaves no trace.
import { expect, onTestFinished, test } from 'vitest'
import { follow, noHooks, onHost, releaseOf, type Values } from './support/helm.ts'
import { holdingConfig, isHeldIn, notesIn, sharedDirectory, underWayIn } from './support/holding.ts'
import { inventory, leftovers } from './support/inventory.ts'
import { kubectl, listObjects, waitFor } from './support/kubectl.ts'
import { useNamespace } from './support/namespace.ts'
import { podsOf } from './support/pods.ts'

const namespace = useNamespace('chart-uninstall')

const values = (shared: string, more: object = {}): Values => ({
  ...onHost,
  terminationGracePeriodSeconds: 10,
  files: { 'holdfast.config.ts': holdingConfig('') },
  extraVolumes: [{ name: 'shared', hostPath: { path: shared, type: 'Directory' } }],
  extraVolumeMounts: [{ name: 'shared', mountPath: '/shared' }],
  ...more,
})

const undos = (): Promise<readonly object[]> => listObjects('configmaps', namespace, ['-l', 'holdfast.dev/undo=true'])

test('a running backup of the daemon gives back what it has taken, and nothing is left', async () => {
  const shared = await sharedDirectory()
  const release = releaseOf(namespace, 'run')
  const before = await inventory(namespace)
  await release.install(values(shared))
  const { run, who } = await underWayIn(shared, await podsOf(namespace, release.selector))
  expect(await undos()).toHaveLength(1)
  const said = await release.uninstall()
  // Helm shows what its Job has said.
  expect(said).toContain(`deployment/${release.fullname}: deleted, and all pods are gone.`)
  expect(said).toContain('Nothing is pending')
  expect(await isHeldIn(shared)).toBe(false)
  expect((await notesIn(shared)).filter((note) => note.run === run)).toMatchObject([
    { what: 'begun', who },
    { what: 'released', who },
  ])
  expect(await leftovers(namespace, before)).toEqual([])
})

test('a Job of a CronJob does the same', async () => {
  const shared = await sharedDirectory()
  const release = releaseOf(namespace, 'once')
  const before = await inventory(namespace)
  // By hand, so that no test waits for the next minute.
  const cronjob = { plans: { hold: { cron: '0 3 * * *' } } }
  const notes = await release.install(values(shared, { mode: 'cronjob', cronjob }))
  await follow(notes.replaceAll('NAME', `${release.fullname}-hold`), 'kubectl create job')
  const pods = await waitFor('its pod', async () => {
    const found = await podsOf(namespace, release.selector)
    return found.length > 0 && found
  })
  const { run, who } = await underWayIn(shared, pods)
  expect(await undos()).toHaveLength(1)
  expect(await release.uninstall()).toContain(`cronjob/${release.fullname}-hold: deleted`)
  expect(await isHeldIn(shared)).toBe(false)
  expect((await notesIn(shared)).filter((note) => note.run === run)).toMatchObject([
    { what: 'begun', who },
    { what: 'released', who },
  ])
  expect(await leftovers(namespace, before)).toEqual([])
})

test('pods that stay do not keep the release for ever: it says which, and the notes say how to go on', async () => {
  const shared = await sharedDirectory()
  const release = releaseOf(namespace, 'stay')
  const before = await inventory(namespace)
  const notes = await release.install(values(shared))
  const [pod] = await podsOf(namespace, release.selector)
  const patch = (list: readonly string[]): string => JSON.stringify({ metadata: { finalizers: list } })
  const finalizers = (list: readonly string[]): Promise<string> =>
    kubectl(['-n', namespace, 'patch', 'pod', pod?.metadata.name ?? '', '--type', 'merge', '--patch', patch(list)])
  // Or the namespace would stay, too, when this fails.
  onTestFinished(async () => void (await finalizers([]).catch(() => '')))
  await finalizers(['example.com/stays'])
  const { code, stdout, stderr } = await release.tryUninstall()
  expect(code).not.toBe(0)
  expect(stdout + stderr).toContain(`there are still pods after 1m 10s: ${pod?.metadata.name}`)
  // The pod has its rights, and what failed is gone.
  const meanwhile = await inventory(namespace)
  expect(meanwhile).toEqual(expect.arrayContaining([`ServiceAccount/${release.fullname}`, `Role/${release.fullname}`]))
  expect(meanwhile.filter((name) => name.includes('uninstall'))).toEqual([])
  await follow(noHooks(notes), 'helm uninstall')
  await finalizers([])
  expect(await leftovers(namespace, before)).toEqual([])
})
