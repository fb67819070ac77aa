// What was taken is given back, whatever becomes of the container or the pod that took it.
import { access, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { holdingConfig } from './support/holding.ts'
import { apply, kubectl, listObjects, run, waitFor } from './support/kubectl.ts'
import { useNamespace } from './support/namespace.ts'
import { signalContainer } from './support/node.ts'
import { execIn, logsOf, podsOf, ready } from './support/pods.ts'
import { account, configMap, deploymentOf, engineRules } from './support/sidecar.ts'

const namespace = useNamespace('undo')
let shared = ''

beforeAll(async () => {
  await apply(
    ...account(namespace, engineRules),
    configMap(namespace, 'hold', { 'holdfast.config.ts': holdingConfig('') }),
  )
})
beforeEach(async () => {
  shared = await mkdtemp(join(tmpdir(), 'holdfast-e2e-undo-'))
  await chmod(shared, 0o777)
})
afterAll(() => run('kubectl', ['-n', namespace, 'delete', 'deployment', '--all', '--wait=false']))

const isHeld = (): Promise<boolean> =>
  access(join(shared, 'held')).then(
    () => true,
    () => false,
  )

interface Note {
  readonly what: string
  readonly who: string
  readonly run: string
}

async function notes(): Promise<readonly Note[]> {
  const text = await readFile(join(shared, 'runs'), 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Note)
}

async function start(name: string, state?: false, by: 'hand' | 'schedule' = 'hand'): Promise<string> {
  await apply(deploymentOf(namespace, name, 1, { config: 'hold', shared, state }))
  const pod = await waitFor('the pod', async () => (await podsOf(namespace, `app=${name}`))[0]?.metadata.name)
  await ready(namespace, pod)
  // The schedule is every minute; mostly nobody has to wait for it.
  if (by === 'hand') void execIn(namespace, pod, 'holdfast', ['holdfast', 'run', 'hold'])
  await waitFor('something to be held', isHeld, 100)
  return pod
}

/** Undos that are kept in the API. */
async function mirrored(): Promise<number> {
  return (await listObjects('configmaps', namespace, ['-l', 'holdfast.dev/undo=true'])).length
}

test.each([
  ['with a state volume', undefined],
  ['without one', false],
] as const)('kill -9 of the whole container, %s: a new container gives back', async (_, state) => {
  const name = state === false ? 'stateless' : 'stateful'
  const pod = await start(name, state)
  expect(await mirrored()).toBe(1)
  await signalContainer(namespace, pod, 'holdfast', 'SIGKILL')
  await waitFor('it to be given back', async () => !(await isHeld()), 60)
  expect((await notes()).map(({ what }) => what)).toContain('recovered')
  await waitFor('the record in the API to be gone', async () => (await mirrored()) === 0)
  await ready(namespace, pod)
  const { stdout } = await execIn(namespace, pod, 'holdfast', ['holdfast', 'history', '--json'])
  const interrupted = (await notes()).find(({ what }) => what === 'begun')?.run
  expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ id: interrupted, status: 'aborted' }))
  await kubectl(['-n', namespace, 'delete', 'deployment', name, '--wait=true'])
  await rm(shared, { recursive: true, force: true })
})

test('the pod is deleted by force while something is held: its successor gives back', async () => {
  const pod = await start('deleted')
  // The kubelet kills at once: nobody gets a chance to give back.
  await signalContainer(namespace, pod, 'holdfast', 'SIGSTOP')
  await kubectl(['-n', namespace, 'delete', 'pod', pod, '--grace-period=0', '--force', '--wait=true'])
  await waitFor('it to be given back', async () => !(await isHeld()), 90)
  const { who: successor } = await waitFor('somebody to say so', async () =>
    (await notes()).find(({ what }) => what === 'recovered'),
  )
  expect(successor).not.toBe(pod)
  await waitFor('its log to say so', async () =>
    (await logsOf(namespace, successor, 'holdfast')).includes('gave back what an interrupted run had taken'),
  )
  await writeFile(join(shared, 'go'), '')
  await kubectl(['-n', namespace, 'delete', 'deployment', 'deleted', '--wait=true'])
})

test('a pod that is told to stop gives back within its grace, and leaves nothing in the API', async () => {
  const pod = await start('stopped', undefined, 'schedule')
  await kubectl(['-n', namespace, 'delete', 'deployment', 'stopped', '--wait=true'])
  await waitFor('it to be given back', async () => !(await isHeld()), 30)
  expect((await notes()).filter(({ who }) => who === pod).map(({ what }) => what)).toContain('released')
  expect(await mirrored()).toBe(0)
})
