// Two daemons, of which one schedules: whatever happens to it, there are never two, and no slot is lost without a record.
import { access, chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { holdingConfig } from './support/holding.ts'
import { apply, getObject, kubectl, run, waitFor } from './support/kubectl.ts'
import { useNamespace } from './support/namespace.ts'
import { signalContainer } from './support/node.ts'
import { execIn, podsOf, ready } from './support/pods.ts'
import { account, configMap, deploymentOf, engineRules, rule } from './support/sidecar.ts'

const namespace = useNamespace('leader')
let shared = ''

interface Lease {
  readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions?: number }
}
interface Note {
  readonly what: string
  readonly who: string
  readonly run: string
  readonly slot: string
  readonly at: number
}

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'holdfast-e2e-leader-'))
  await chmod(shared, 0o777)
  await apply(
    ...account(namespace, [...engineRules, rule('coordination.k8s.io', 'leases', 'create', 'get', 'update')]),
    configMap(namespace, 'hold', { 'holdfast.config.ts': holdingConfig(`replicas: 'leader',`, 20) }),
    deploymentOf(namespace, 'two', 2, {
      config: 'hold',
      shared,
      env: [{ name: 'HOLDFAST_LEASE', value: 'two' }],
    }),
  )
  const pods = await waitFor('two pods', async () => {
    const found = await podsOf(namespace, 'app=two')
    return found.length === 2 ? found : undefined
  })
  await Promise.all(pods.map(({ metadata }) => ready(namespace, metadata.name)))
})
afterAll(() => run('kubectl', ['-n', namespace, 'delete', 'deployment', '--all', '--wait=false']))

async function holder(): Promise<string> {
  const lease = await getObject<Lease>('lease', 'two', namespace)
  return lease?.spec.holderIdentity ?? ''
}

/** The pod that holds the lease. */
function leader(not?: string): Promise<string> {
  return waitFor('a leader', async () => {
    const identity = await holder()
    const pods = await podsOf(namespace, 'app=two')
    return pods.map(({ metadata }) => metadata.name).find((name) => identity.startsWith(name) && name !== not)
  })
}

async function notes(): Promise<readonly Note[]> {
  const text = await readFile(join(shared, 'runs'), 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Note)
}

const isHeld = (): Promise<boolean> =>
  access(join(shared, 'held')).then(
    () => true,
    () => false,
  )

interface HistoryEntry {
  readonly id: string
  readonly plan: string
  readonly status: string
  readonly scheduledFor: string
}

/** What all living pods have on record. */
async function history(): Promise<readonly HistoryEntry[]> {
  const pods = await podsOf(namespace, 'app=two')
  const all = await Promise.all(
    pods.map(async ({ metadata }) => {
      const { stdout } = await execIn(namespace, metadata.name, 'holdfast', [
        'holdfast',
        'history',
        '--json',
        '--limit',
        '100',
      ])
      return JSON.parse(stdout) as readonly HistoryEntry[]
    }),
  )
  return all.flat()
}

test('one of them schedules, and the other one is ready to', async () => {
  const first = await leader()
  await waitFor('a run', async () => (await notes()).some(({ what }) => what === 'begun'), 80)
  expect(new Set((await notes()).map(({ who }) => who))).toEqual(new Set([first]))
})

test('kill -9 of the leader while something is held: what it held is given back, and one goes on', async () => {
  const first = await leader()
  await waitFor('something to be held', isHeld, 80)
  const interrupted = (await notes()).findLast(({ what }) => what === 'begun')
  await signalContainer(namespace, first, 'holdfast', 'SIGKILL')
  await waitFor('it to be given back', async () => !(await isHeld()), 60)
  const recorded = await waitFor(
    'the interrupted run on record',
    async () => (await history()).find(({ id, status }) => id === interrupted?.run && status !== undefined),
    60,
  )
  expect(recorded.status).toBe('aborted')
  await leader()
})

test('the leader stands still for longer than its lease: the other one takes over what it held', async () => {
  const first = await leader()
  await waitFor('something to be held', isHeld, 100)
  await signalContainer(namespace, first, 'holdfast', 'SIGSTOP')
  const second = await leader(first)
  await waitFor('it to be given back', async () => !(await isHeld()), 60)
  await signalContainer(namespace, first, 'holdfast', 'SIGCONT')
  // The first one finds out, and starts nothing any more.
  await waitFor(
    'a run of the new leader',
    async () =>
      (await notes()).some(({ what, who, at }) => what === 'begun' && who === second && at > Date.now() - 60_000),
    100,
  )
  expect(await leader()).toBe(second)
})

test('the leader’s pod is deleted while something is held: the other one gives back', async () => {
  const first = await leader()
  await waitFor('something to be held', isHeld, 100)
  await signalContainer(namespace, first, 'holdfast', 'SIGSTOP')
  await kubectl(['-n', namespace, 'delete', 'pod', first, '--grace-period=0', '--force', '--wait=true'])
  await waitFor('it to be given back', async () => !(await isHeld()), 60)
  const second = await leader(first)
  await waitFor('the record of the run that was interrupted', async () =>
    (await history()).some(({ status }) => status === 'aborted'),
  )
  expect(second).not.toBe(first)
})

test('all in all: never two at once, and every slot has a run or a record', async () => {
  await writeFile(join(shared, 'go'), '')
  const all = await notes()
  const begun = all.filter(({ what }) => what === 'begun')
  // A run lasts until its own last note; in between nobody else begins one.
  for (const start of begun) {
    const last = all.findLast(({ run: id, who }) => id === start.run && who === start.who)?.at ?? start.at
    const others = begun.filter(({ who, at }) => who !== start.who && at > start.at && at < last)
    expect({ start, others }).toEqual({ start, others: [] })
  }
  const slots = new Set([
    ...begun.map(({ slot }) => slot),
    ...(await history()).map(({ scheduledFor }) => scheduledFor),
  ])
  const first = new Date(begun[0]?.slot ?? 0).getTime()
  const end = new Date(begun.at(-1)?.slot ?? 0).getTime()
  const missing: string[] = []
  for (let at = first; at <= end; at += 60_000) {
    const slot = new Date(at).toISOString()
    if (!slots.has(slot)) missing.push(slot)
  }
  expect(missing).toEqual([])
})
