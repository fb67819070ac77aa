// What the chart runs before it takes the rights away: workloads are deleted, and their pods have the time for their undos.
import { advanceUntil, startFakeKubernetes, testClock, type FakeKubernetes, type TestClock } from '@holdfast/testing'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { CliResult, RunningCli } from './support/cli.ts'
import { workspace } from './support/workspace.ts'

let server: FakeKubernetes
let clock: TestClock
beforeEach(async () => {
  server = await startFakeKubernetes({ namespace: 'shop' })
  onTestFinished(() => server[Symbol.asyncDispose]())
  clock = testClock()
  for (const [apiVersion, kind, name] of [
    ['apps/v1', 'Deployment', 'shop-holdfast'],
    ['apps/v1', 'Deployment', 'shop'],
    ['batch/v1', 'CronJob', 'shop-nightly'],
  ] as const) {
    server.objects.put({ apiVersion, kind, metadata: { name, namespace: 'shop' } })
  }
})

const selector = 'app.kubernetes.io/instance=shop'
const addPod = (name: string, instance = 'shop'): void =>
  void server.addPod({ name, labels: { 'app.kubernetes.io/instance': instance }, containers: [{ name: 'holdfast' }] })
const deployments = (): readonly string[] =>
  server.objects.list('deployments', 'shop').map(({ metadata }) => metadata.name)

/** The copy of an undo that a pod has armed. */
function armed(id: string, pod: string, damage: object = {}): void {
  const undo = { id, plan: 'shop', instance: 'shop-0', participant: 'database', undo: 'thaw', input: '{"secret":1}' }
  const run = { id: 'r', plan: 'shop', attempt: 1, trigger: 'manual', dryRun: false, scheduledFor: new Date() }
  const owner = { id: 'o', pid: 1, host: 'h', boot: 'b', startedAt: new Date(), podName: pod, namespace: 'shop' }
  const armedAt = new Date('2026-11-25T03:00:00Z')
  const stored = { schema: 1, undo: { ...undo, armedAt, ...damage }, run, runStartedAt: armedAt, vars: {}, owner }
  server.objects.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `holdfast-undo-${id}`,
      namespace: 'shop',
      labels: { 'holdfast.dev/undo': 'true', 'holdfast.dev/instance': 'shop-0' },
    },
    data: { 'undo.json': JSON.stringify(stored) },
  })
}

function start(...args: readonly string[]): RunningCli {
  const here = workspace()
  here.write('kubeconfig', server.kubeconfig())
  const env = { KUBECONFIG: here.at('kubeconfig') }
  return here.start(['uninstall', ...args, '--selector', selector], { env, clock })
}
const says = (running: RunningCli, text: string): Promise<void> =>
  vi.waitFor(() => expect(running.stderr()).toContain(text), { timeout: 10_000 })
const uninstall = (...args: readonly string[]): Promise<CliResult> => advanceUntil(clock, start(...args).result)

test('it deletes that one workload, and waits until its last pod is gone', async () => {
  for (const pod of ['a', 'b']) addPod(pod)
  addPod('other', 'other')
  const running = start('deployment/shop-holdfast')
  await says(running, 'waiting for 2 pods')
  expect(deployments()).toEqual(['shop'])
  server.objects.remove('pods', 'shop', 'a')
  await clock.advance('1s')
  await says(running, 'waiting for 1 pod to give back what was taken: b')
  server.objects.remove('pods', 'shop', 'b')
  const { code, stdout } = await advanceUntil(clock, running.result)
  expect(code).toBe(0)
  expect(stdout).toContain('deployment/shop-holdfast: deleted, and all pods are gone.')
  expect(stdout).toContain('Nothing is pending')
  expect(server.objects.list('cronjobs', 'shop')).toHaveLength(1)
})

test('several at once; what is gone already is no failure', async () => {
  const { code, stdout } = await uninstall('cronjob/shop-nightly', 'cronjob/gone')
  expect([code, stdout.split('\n')[0]]).toEqual([
    0,
    'cronjob/shop-nightly, cronjob/gone: deleted, and all pods are gone.',
  ])
  expect(server.objects.list('cronjobs', 'shop')).toEqual([])
  expect(deployments()).toHaveLength(2)
})

test('pods that stay end it after its time, by name', async () => {
  addPod('stuck')
  const { code, stdout, stderr } = await uninstall('deployment/shop-holdfast', '--timeout', '40s')
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toContain('there are still pods after 40.0 s: stuck')
  expect(stderr).toContain('helm uninstall --no-hooks')
  expect(clock.monotonic()).toBeGreaterThanOrEqual(40_000)
  expect(clock.monotonic()).toBeLessThan(50_000)
})

test('what could not be given back is named and is no failure; what others hold is theirs', async () => {
  armed('a1b2', 'gone')
  armed('c3d4', 'other')
  addPod('other', 'other')
  const { code, stdout } = await uninstall('deployment/shop-holdfast')
  expect(code).toBe(0)
  expect(stdout).toContain('NOT given back: 1 undo')
  expect(stdout).toContain('configmap/holdfast-undo-a1b2  thaw of shop/database, taken 2026-11-25T03:00:00.000Z')
  expect(stdout).not.toMatch(/c3d4|secret/)
  const { stdout: json } = await uninstall('deployment/shop-holdfast', '--json')
  expect(JSON.parse(json)).toMatchObject({ deleted: ['deployment/shop-holdfast'], undos: [{ id: 'a1b2' }] })
  expect(json).not.toContain('secret')
})

test('with a copy of an undo that can not be read it does not say that all is well', async () => {
  armed('a1b2', 'gone', { armedAt: 'once' })
  const { code, stdout, stderr } = await uninstall('deployment/shop-holdfast')
  expect(code).toBe(0)
  expect(stderr).toContain("configmap/holdfast-undo-a1b2 can't be read")
  expect(stdout).toContain('is not known')
  expect(stdout).not.toContain('Nothing is pending')
})

test('without the right to look for undos it does not say that all is well', async () => {
  server.authorize.deny({ verb: 'list', resource: 'configmaps' })
  const { code, stdout } = await uninstall('deployment/shop-holdfast')
  expect(code).toBe(0)
  expect(stdout).toContain('is not known')
  expect(stdout).not.toContain('Nothing is pending')
})

test('without the right to delete it, nothing is waited for, and the rule is named', async () => {
  server.authorize.deny({ verb: 'delete', resource: 'deployments' })
  addPod('a')
  const { code, stderr } = await uninstall('deployment/shop-holdfast')
  expect(code).toBe(1)
  expect(stderr).toContain('does not allow to delete')
  expect(clock.monotonic()).toBeLessThan(5000)
})

test('fault F29: an API server that is not reached at all: it says so, and how to go on', async () => {
  server.misbehave({ path: /./ }, 'half-open')
  const { code, stderr } = await uninstall('deployment/shop-holdfast')
  expect(code).toBe(1)
  expect(stderr).toContain('UNINSTALL_UNREACHABLE')
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain('helm uninstall --no-hooks')
  // Helm waits for five minutes, and the chart's Job has 180 seconds.
  expect(clock.monotonic()).toBeLessThan(120_000)
})

test('fault F29: an API server that fails for a while is asked again', async () => {
  addPod('a')
  const running = start('deployment/shop-holdfast', '--timeout', '5m')
  await says(running, 'waiting for 1 pod')
  const badDay = server.misbehave({ path: /pods/ }, { status: 503 })
  server.objects.remove('pods', 'shop', 'a')
  await advanceUntil(
    clock,
    vi.waitFor(() => expect(running.stderr()).toContain('did not list')),
  )
  badDay.end()
  const { code, stdout } = await advanceUntil(clock, running.result)
  expect([code, stdout]).toEqual([0, expect.stringContaining('all pods are gone')])
})

test.for([
  ['statefulset/shop', 'deployment/NAME, cronjob/NAME'],
  ['deployment/', 'deployment/NAME'],
  ['deployment/a/b', 'deployment/NAME'],
])('%s is no workload of ours: nothing is done', async ([workload, allowed]) => {
  const { code, stderr } = await uninstall('deployment/shop-holdfast', workload!)
  expect(code).toBe(2)
  expect(stderr).toContain(allowed)
  expect(deployments()).toHaveLength(2)
})

test('without a cluster it says so', async () => {
  const here = workspace()
  const { code, stderr } = await here.run(['uninstall', 'deployment/shop', '--selector', selector])
  expect(code).toBe(1)
  expect(stderr).toContain('there is no cluster')
})
