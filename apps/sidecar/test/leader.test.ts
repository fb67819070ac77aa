// Several daemons of which one schedules. Each has a clock of its own: one whose clock stands still is stopped or dead.
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { startFakeKubernetes, testClock, type FakeKubernetes, type TestClock } from '@holdfast/testing'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { DaemonStatus } from '../src/daemon/status.ts'
import { socketFile } from '../src/http/socket.ts'
import type { RunningCli } from './support/cli.ts'
import { ask } from './support/http.ts'
import { workspace, type Workspace } from './support/workspace.ts'

/** Holds a file while it backs up, until `go` is there, and notes what it does. */
const hooks = `import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { definePlugin, defineUndo } from '@holdfast/sdk'
const any = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
const note = (directory, what, run) => appendFileSync(directory + '/notes', what + ' ' + run.scheduledFor.toISOString() + '\\n')
const release = defineUndo({
  name: 'release',
  input: any,
  deadline: '5s',
  async run({ directory, by }, { run, recovered }) {
    /* release.run */
    rmSync(directory + '/held', { force: true })
    note(directory, (recovered ? 'taken over from ' : 'released by ') + by, run)
  },
})
export const holder = definePlugin({
  name: 'holder',
  version: '1.0.0',
  sdk: '^1.0',
  config: any,
  undos: [release],
  hooks: {
    async beforeBackups({ undo, config: { directory, by }, run }) {
      note(directory, 'begun by ' + by, run)
      await undo.arm(release, { directory, by })
      writeFileSync(directory + '/held', by)
    },
    async backups({ createArtifact, signal, config: { directory } }) {
      while (!existsSync(directory + '/go')) {
        signal.throwIfAborted()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await createArtifact('data', (sink) => sink.write(Buffer.from('data')))
    },
  },
})
const waitFor = async (file, signal) => {
  while (!existsSync(file)) {
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
export async function look({ options: { path }, run, signal }) {
  note(path, 'looks', run)
  await waitFor(path + '/looked', signal)
}
export function clean({ options: { path }, run, recovered }) {
  note(path, recovered ? 'cleaned up for another' : 'cleaned up', run)
}
`

const token = 'a-token-that-is-long-enough'

interface Pod extends RunningCli {
  readonly name: string
  readonly here: Workspace
  readonly clock: TestClock
  readonly env: NodeJS.ProcessEnv
  status(): DaemonStatus
  history(): Promise<readonly { status: string; reason?: string; trigger: string; scheduledFor: string }[]>
}

let server: FakeKubernetes
let shared: Workspace
const pods: Pod[] = []
const frozen = new Set<Pod>()
beforeEach(async () => {
  pods.length = 0
  frozen.clear()
  server = await startFakeKubernetes({ namespace: 'shop' })
  server.objects.put({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'holdfast-default', namespace: 'shop' },
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  shared = workspace()
})

/** A daemon in a pod of its own. Every one of them begins at half a minute before a slot of its schedule. */
async function startPod(
  name: string,
  more: {
    readonly schedule?: string
    readonly settings?: string
    readonly undo?: string
    readonly args?: readonly string[]
  } = {},
): Promise<Pod> {
  const { schedule = `cron: '*/5 * * * *'`, settings = 'replicas: leader', undo = '', args = [] } = more
  const here = workspace({ 'hooks.mjs': hooks.replace('/* release.run */', undo) })
  const use = `{ './hooks.mjs#holder': { directory: ${shared.path}, by: ${name} } }`
  here.write('holdfast.yaml', `${settings}\nplans: { shop: { schedule: { ${schedule} }, use: [ ${use} ] } }\n`)
  here.write('kubeconfig', server.kubeconfig())
  const { uid } = server.addPod({ name, containers: [{ name: 'holdfast' }] }).metadata
  const env = {
    KUBECONFIG: here.at('kubeconfig'),
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    POD_NAME: name,
    POD_UID: uid,
    HOLDFAST_CONTAINER_NAME: 'holdfast',
    HOLDFAST_LISTEN: '0',
  }
  // Together with those that run already.
  const clock = testClock({ now: pods[0]?.clock.now() ?? '2026-11-23T01:59:30Z' })
  here.write('token', token)
  const running = here.start(['daemon', ...args], { clock, env })
  const pod: Pod = {
    ...running,
    name,
    here,
    clock,
    env,
    status: () => JSON.parse(readFileSync(here.at('state/status.json'), 'utf8')) as DaemonStatus,
    async history() {
      const { stdout } = await here.run(['history', '--json', '--limit', '100'], { env })
      return JSON.parse(stdout) as never
    },
  }
  pods.push(pod)
  let hasEnded = false
  void running.result.finally(() => (hasEnded = true))
  onTestFinished(async () => {
    appendFileSync(shared.at('go'), '')
    frozen.clear()
    if (!hasEnded) running.signal('SIGTERM')
    while (!hasEnded) await pass(1000)
  })
  // Its modules load in real time: meanwhile, its clock must not run past the slot.
  const end = Date.now() + 30_000
  while (!hasEnded && running.stderr() === '' && Date.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 5))
  return pod
}

/** Lets time pass for all whose clock doesn't stand still. It waits for answers, which come over real sockets. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    await Promise.all(pods.filter((pod) => !frozen.has(pod)).map(({ clock }) => clock.advance(250)))
    const end = Date.now() + 2000
    do await new Promise((resolve) => setTimeout(resolve, 3))
    while (Date.now() < end && server.requests.slice(-20).some(({ status }) => status === undefined))
  }
}

async function until(what: string, isSo: () => boolean, longestMs = 60_000): Promise<void> {
  for (let passed = 0; !isSo(); passed += 250) {
    if (passed > longestMs)
      throw new Error(`never: ${what}\n${pods.map(({ name, stderr }) => `${name}:\n${stderr()}`).join('\n')}`)
    await pass(250)
  }
}

const holderOf = (): string => {
  const { spec } = server.objects.get('leases', 'shop', 'holdfast-default') as unknown as {
    spec?: { holderIdentity?: string }
  }
  return (spec?.holderIdentity ?? '').split('_')[0] ?? ''
}
const schedules = (pod: Pod): boolean => pod.stderr().includes('"msg":"scheduling"')
const notes = (): readonly string[] =>
  existsSync(shared.at('notes')) ? readFileSync(shared.at('notes'), 'utf8').trim().split('\n') : []
const isUndo = ({ metadata }: { metadata: { labels?: Readonly<Record<string, string>> } }): boolean =>
  metadata.labels?.['holdfast.dev/undo'] === 'true'
const isHeld = (): boolean => existsSync(shared.at('held'))

test('one of several schedules; the others are ready, and say that they stand by', async () => {
  const [a, b] = [await startPod('web-a'), await startPod('web-b')]
  writeFileSync(shared.at('go'), '')
  await until('one of them schedules', () => schedules(a) || schedules(b))
  const [leader, standby] = schedules(a) ? [a, b] : [b, a]
  await until('the run', () => notes().some((note) => note.startsWith('released')))
  await pass(5000)
  expect(notes()).toEqual([
    `begun by ${leader.name} 2026-11-23T02:00:00.000Z`,
    `released by ${leader.name} 2026-11-23T02:00:00.000Z`,
  ])
  expect(leader.status()).toMatchObject({ ready: true, role: 'leader' })
  expect(standby.status()).toMatchObject({ ready: true, role: 'standby' })
  expect(schedules(standby)).toBe(false)
  expect(holderOf()).toBe(leader.name)
})

test('the leader stands still with something in its hands: the other one takes it over, and the first finds out', async () => {
  const every = { schedule: `cron: '*/2 * * * *'` }
  const first = await startPod('web-a', every)
  await until('it leads', () => schedules(first))
  const second = await startPod('web-b', every)
  await until('something is held', isHeld)
  frozen.add(first)
  await until('it is taken over', () => schedules(second))
  await until('its status says so', () => second.status().role === 'leader', 2000)
  expect(second.status().plans).toMatchObject([{ next: '2026-11-23T02:02:00.000Z' }])
  expect(holderOf()).toBe('web-b')
  expect(isHeld()).toBe(false)
  expect(notes()).toEqual(['begun by web-a 2026-11-23T02:00:00.000Z', 'taken over from web-a 2026-11-23T02:00:00.000Z'])
  expect(await second.history()).toMatchObject([
    { status: 'aborted', trigger: 'schedule', scheduledFor: '2026-11-23T02:00:00.000Z' },
  ])
  // It goes on, late: what it held is not its own any more, and it leads no more.
  frozen.delete(first)
  first.clock.jump(second.clock.now().getTime() - first.clock.now().getTime())
  await until('it stands by', () => first.stderr().split('standing by').length === 3)
  await until('its status says so', () => first.status().role === 'standby', 2000)
  expect(first.stderr()).toContain('UNDO_TAKEN')
  expect(await first.history()).toMatchObject([{ status: 'aborted' }])
  writeFileSync(shared.at('go'), '')
  await until('the next slot', () => notes().length === 4, 200_000)
  expect(notes().slice(2)).toEqual([
    'begun by web-b 2026-11-23T02:02:00.000Z',
    'released by web-b 2026-11-23T02:02:00.000Z',
  ])
  const left = (): number => server.objects.list('configmaps', 'shop').filter(isUndo).length
  await until('nothing is left in the cluster', () => left() === 0)
})

test('a plan that was paused in the pod that leads is paused in the next one, which has never heard of it', async () => {
  const every = { schedule: `cron: '* * * * *'` }
  writeFileSync(shared.at('go'), '')
  const first = await startPod('web-a', every)
  await until('it leads', () => schedules(first))
  const second = await startPod('web-b', every)
  await until('it stands by', () => existsSync(second.here.at('state/status.json')) && second.status().ready)
  expect((await second.here.run(['pause', 'shop'], second)).stderr).toContain('Ask the pod that schedules')
  expect((await first.here.run(['pause', 'shop'], first)).code).toBe(0)
  // Until the daemon has looked, and renewed its lease.
  await pass(10_000)
  const before = notes()
  frozen.add(first)
  await until('it is taken over', () => schedules(second))
  expect(second.stderr()).toContain('is paused by hand: nothing is backed up until it is resumed')
  const { stdout } = await second.here.run(['schedule', '--json'], second)
  expect(JSON.parse(stdout)).toMatchObject([{ plan: 'shop', paused: 'hand' }])
  await until('a slot passes', () => second.stderr().includes('did not run: paused'), 90_000)
  expect(notes()).toEqual(before)
})

test('the leader’s pod is deleted while a run without undos goes on: the run is on record with the next leader', async () => {
  const first = await startPod('web-a')
  await until('it leads', () => schedules(first))
  await until('something is held', isHeld)
  // Its undo was lost with the cluster's memory, say; the lease has the run.
  for (const { metadata } of server.objects.list('configmaps', 'shop'))
    server.objects.remove('configmaps', 'shop', metadata.name)
  await pass(3000)
  frozen.add(first)
  server.objects.remove('pods', 'shop', 'web-a')
  const second = await startPod('web-b')
  await until('it leads', () => schedules(second))
  expect(await second.history()).toMatchObject([{ status: 'aborted', scheduledFor: '2026-11-23T02:00:00.000Z' }])
})

describe('slots while nobody leads', () => {
  test('less than a minute late they are run by the next leader', async () => {
    const first = await startPod('web-a')
    await until('it leads', () => schedules(first))
    writeFileSync(shared.at('go'), '')
    frozen.add(first)
    const second = await startPod('web-b')
    await until('the run', () => second.stderr().includes('plan \\"shop\\" succeeded'))
    expect(notes()).toEqual(['begun by web-b 2026-11-23T02:00:00.000Z', 'released by web-b 2026-11-23T02:00:00.000Z'])
    expect(await second.history()).toMatchObject([{ status: 'succeeded', trigger: 'schedule' }])
  })

  test.each([
    ['are skipped, and on record', '', { status: 'skipped', reason: 'down' }],
    ['are caught up on where the plan says so', ', misfire: run-once', { status: 'succeeded', trigger: 'catch-up' }],
  ])('later than that they %s', async (_, misfire, expected) => {
    const schedule = `cron: '*/5 * * * *'${misfire}`
    const first = await startPod('web-a', { schedule })
    await until('it leads', () => schedules(first))
    writeFileSync(shared.at('go'), '')
    frozen.add(first)
    const second = await startPod('web-b', { schedule })
    second.clock.jump(240_000)
    await until('it leads', () => schedules(second))
    await until('the slot is dealt with', () => /did not run: down|plan \\"shop\\" succeeded/.test(second.stderr()))
    expect(await second.history()).toMatchObject([{ ...expected, scheduledFor: '2026-11-23T02:00:00.000Z' }])
  })

  test('what the leader before has done is not done again', async () => {
    const first = await startPod('web-a')
    await until('it leads', () => schedules(first))
    writeFileSync(shared.at('go'), '')
    await until('the run', () => notes().length === 2)
    await pass(5000)
    frozen.add(first)
    const second = await startPod('web-b')
    await until('it leads', () => schedules(second))
    await pass(5000)
    expect(await second.history()).toEqual([])
    expect(notes()).toHaveLength(2)
  })
})

test('a leader that is told to stop is followed within seconds; the run that it cut short is on record with the next one', async () => {
  const first = await startPod('web-a')
  await until('it leads', () => schedules(first))
  const second = await startPod('web-b')
  await until('something is held', isHeld)
  first.signal('SIGTERM')
  let stopped = false
  void first.result.finally(() => (stopped = true))
  await until('the next one leads', () => schedules(second), 10_000)
  expect(stopped).toBe(true)
  expect((await first.result).code).toBe(143)
  expect(isHeld()).toBe(false)
  expect(notes()).toEqual(['begun by web-a 2026-11-23T02:00:00.000Z', 'released by web-a 2026-11-23T02:00:00.000Z'])
  expect(await second.history()).toMatchObject([{ status: 'aborted', scheduledFor: '2026-11-23T02:00:00.000Z' }])
})

test('a leader dies before the run of its slot is on record: the slot is run by the next one', async () => {
  // What the run before left is given back before a run begins, and that may take its time.
  const undo = `if (existsSync(directory + '/stuck')) throw new Error('stuck');
    if (existsSync(directory + '/slow')) { note(directory, 'waits in ' + by, run); await new Promise(() => {}) }`
  const every = { schedule: `cron: '* * * * *'`, undo }
  writeFileSync(shared.at('go'), '')
  writeFileSync(shared.at('stuck'), '')
  writeFileSync(shared.at('slow'), '')
  const first = await startPod('web-a', every)
  await until('a run that leaves something', () => first.stderr().includes('UNDO_FAILED'))
  rmSync(shared.at('stuck'))
  // A renewal comes after the slot, before the undo's time is up.
  await until('the next slot', () => notes().at(-1)?.startsWith('waits') ?? false, 90_000)
  const renewedAt = (): unknown => server.objects.get('leases', 'shop', 'holdfast-default')
  const before = JSON.stringify(renewedAt())
  await until('the lease is renewed', () => JSON.stringify(renewedAt()) !== before, 3000)
  frozen.add(first)
  rmSync(shared.at('slow'))
  await startPod('web-b', every)
  await until('the slot is run', () => notes().some((note) => note === 'begun by web-b 2026-11-23T02:01:00.000Z'))
})

test('the API server is away for longer than the lease: the run is aborted, nothing stays held, and it goes on later', async () => {
  const only = await startPod('web-a')
  await until('it leads', () => schedules(only))
  await until('something is held', isHeld)
  await server.down()
  await until('it leads no more', () => only.stderr().includes('leads no more'), 20_000)
  await until('it is given back', () => !isHeld(), 1000)
  await until('it says why', () => !only.status().ready, 20_000)
  expect(only.status().reasons).toMatchObject([{ code: 'LEASE_UNAVAILABLE' }])
  await server.up()
  await until('it leads again', () => only.stderr().split('"msg":"scheduling"').length === 3)
  await until('it is ready', () => only.status().ready)
  expect(await only.history()).toMatchObject([{ status: 'aborted' }])
})

test('a run that somebody began by hand ends with the lease, too: the next leader would run the plan beside it', async () => {
  const only = await startPod('web-a', { args: ['--api-token-file', 'token'], schedule: `cron: '0 5 * * *'` })
  await until('it leads', () => schedules(only))
  await until('its status is written', () => existsSync(only.here.at('state/status.json')))
  await until('its status says so', () => only.status().role === 'leader')
  const headers = { host: 'localhost', authorization: `Bearer ${token}` }
  const at = { socketPath: socketFile(only.here.state) }
  const begun = ask(at, '/api/v1/plans/shop/run', { method: 'POST', headers })
  await until('something is held', isHeld)
  expect((await begun).status).toBe(202)
  await server.down()
  await until('it leads no more', () => only.stderr().includes('leads no more'), 20_000)
  await until('it is given back', () => !isHeld(), 1000)
  await server.up()
  expect(await only.history()).toMatchObject([{ status: 'aborted', trigger: 'manual' }])
})

test('drills are run by the leader; one that it did not finish is cleaned up after, and on record, with the next one', async () => {
  const schedule = `cron: '0 12 * * *'`
  const drill = `plan: shop, bytes: true, schedule: { cron: '*/2 * * * *' }, options: { path: ${shared.path} }`
  const settings = `replicas: leader
storage: file://${shared.at('store')}
drills: { weekly: { ${drill}, expect: './hooks.mjs#look', cleanup: './hooks.mjs#clean' } }`
  writeFileSync(shared.at('go'), '')
  const first = await startPod('web-a', { schedule, settings })
  expect((await first.here.run(['run', 'shop'], { env: first.env })).code).toBe(0)
  rmSync(shared.at('notes'))
  await until('it leads', () => schedules(first))
  const second = await startPod('web-b', { schedule, settings })
  await until('the drill looks', () => notes().length === 1)
  await pass(3000)
  frozen.add(first)
  server.objects.remove('pods', 'shop', 'web-a')
  await until('it is taken over', () => schedules(second))
  expect(notes()).toEqual(['looks 2026-11-23T02:00:00.000Z', 'cleaned up for another 2026-11-23T02:00:00.000Z'])
  expect(await second.history()).toMatchObject([
    { trigger: 'drill', drill: 'weekly', status: 'aborted', scheduledFor: '2026-11-23T02:00:00.000Z' },
  ])
  // That slot was dealt with; the next one is its own.
  writeFileSync(shared.at('looked'), '')
  await until('the next slot', () => second.stderr().includes('drill \\"weekly\\" succeeded'), 200_000)
  expect(notes().slice(2)).toEqual(['looks 2026-11-23T02:02:00.000Z', 'cleaned up 2026-11-23T02:02:00.000Z'])
})

test('without the right to the lease nothing is scheduled, and the daemon says which rule it needs', async () => {
  server.authorize.deny({ verb: 'update', resource: 'leases' })
  const only = await startPod('web-a')
  await until('it is not ready', () => only.stderr().includes('LEASE_UNAVAILABLE'))
  await pass(60_000)
  expect(schedules(only)).toBe(false)
  expect(only.stderr()).toMatch(
    /Holdfast itself may not update leases in namespace \\"shop\\": nothing is scheduled without it/,
  )
  expect(only.status().reasons).toContainEqual(
    expect.objectContaining({ code: 'LEASE_UNAVAILABLE', hint: expect.stringContaining('"leases"') as string }),
  )
  server.authorize.allowAll()
  await until('it leads', () => schedules(only))
})

test('without a cluster nothing is scheduled, and the daemon says so', async () => {
  const here = workspace({ 'hooks.mjs': hooks })
  here.write(
    'holdfast.yaml',
    `replicas: leader\nplans: { shop: { schedule: { cron: '* * * * *' }, use: [ { './hooks.mjs#holder': {} } ] } }\n`,
  )
  const clock = testClock({ now: '2026-11-23T01:59:30Z' })
  const running = here.start(['daemon'], { clock, env: { HOLDFAST_LISTEN: '0' } })
  for (let round = 0; !running.stderr().includes('LEADER_NO_CLUSTER') && round < 1000; round++) {
    await clock.advance(100)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await clock.advance('5m')
  expect(running.stderr()).toContain('LEADER_NO_CLUSTER')
  expect(running.stderr()).not.toContain('"msg":"scheduling"')
  running.signal('SIGTERM')
  expect((await running.result).code).toBe(0)
})

test('a change of replicas says that it needs a restart', async () => {
  const only = await startPod('web-a')
  await until('it leads', () => schedules(only))
  rmSync(shared.at('notes'), { force: true })
  only.here.write(
    'holdfast.yaml',
    readFileSync(only.here.at('holdfast.yaml'), 'utf8').replace('replicas: leader', 'replicas: each'),
  )
  only.signal('SIGHUP')
  await until('it is said', () => only.stderr().includes('REPLICAS_CHANGED'))
})
