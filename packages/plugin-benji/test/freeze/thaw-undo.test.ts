// The undo: from any process, by any agent on the node, as often as wanted.
import { execFileSync, fork, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineHook } from '@holdfast/sdk'
import { advanceUntil, createTestRun, type TestRun } from '@holdfast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { freezeScript, sessionMarker } from '../../src/freeze/freeze-script.ts'
import { scriptCommand } from '../../src/freeze/shell.ts'
import { thawScript } from '../../src/freeze/thaw-script.ts'
import { thawUndo } from '../../src/freeze/thaw-undo.ts'
import { agentPod, failureOf, fakeNode, kill, setUp, staged, until, type FakeNode, type Setup } from './support.ts'

const idle = defineHook('maintain', () => {}, { name: 'freezing', undos: [thawUndo] })
const newAgent = { name: 'freeze-agent-2' }

/** A hook that has died while it held a filesystem: its process is replaced, and its session is still there. */
async function dieWhileFrozen(setup: Setup): Promise<TestRun> {
  const frozen = Promise.withResolvers<void>()
  void setup
    .freezing(async (freezable) => {
      await freezable.freeze()
      frozen.resolve()
      await new Promise(() => {})
    })
    .catch(frozen.reject)
  await frozen.promise
  await setup.test.restart([idle])
  expect(setup.node.isFrozen()).toBe(true)
  return setup.test
}

/** The agent has died, and all that ran in it; its pod is gone. */
function removeAgent({ node, server }: Setup): void {
  for (const marker of ['HOLDFAST_FREEZE', 'HOLDFAST_THAW'] as const)
    for (const pid of node.processes(marker)) kill(pid)
  server.objects.remove('pods', 'backup', 'freeze-agent-1')
}

test('fault F3: a start after a crash thaws what the dead process had frozen, and ends its session', async () => {
  const setup = await setUp()
  const run = await dieWhileFrozen(setup)
  const { undos } = await run.engine.recover()
  expect(undos).toMatchObject([{ result: 'done' }])
  expect(setup.node.isFrozen()).toBe(false)
  await until(() => setup.node.processes('HOLDFAST_FREEZE').length + setup.node.processes('HOLDFAST_THAW').length === 0)
  expect(await run.metrics.text()).toContain('holdfast_filesystem_frozen{pvc_namespace="shop",pvc="data"} 0')
  // And it can be frozen again.
  await run.restart()
  await setup.freezing(async (freezable) => (await freezable.freeze()).thaw())
})

// A second Node has to start, which takes its time on a busy machine.
test(
  'fault F3, K4: kill -9 while frozen thaws at once, and the next start says that nothing is frozen',
  { timeout: 60_000 },
  async () => {
    const { node, server } = await setUp()
    const stateDirectory = mkdtempSync(join(tmpdir(), 'freeze-state-'))
    onTestFinished(() => rmSync(stateDirectory, { recursive: true, force: true }))
    const kubeconfig = join(stateDirectory, 'kubeconfig')
    writeFileSync(kubeconfig, server.kubeconfig())
    const { kubeletRoot, sysRoot } = node
    const args = [stateDirectory, kubeconfig, JSON.stringify({ kubeletRoot, sysRoot })]
    const freezer = fork(join(import.meta.dirname, 'freezer.ts'), args, { execArgv: ['--conditions=@holdfast/source'] })
    onTestFinished(() => void freezer.kill('SIGKILL'))
    await new Promise<void>((resolve, reject) => {
      freezer.once('message', () => resolve())
      freezer.once('exit', (code) => reject(new Error(`it ended with ${code}`)))
    })
    expect(node.isFrozen()).toBe(true)
    freezer.kill('SIGKILL')
    await until(() => !node.isFrozen())

    await using next = await createTestRun({ use: [idle], cluster: server, stateDirectory })
    const { undos, interrupted } = await next.engine.recover()
    expect(undos).toMatchObject([{ result: 'done' }])
    expect(interrupted).toHaveLength(1)
    expect(next.log.join()).toContain('it is not frozen')
    expect(node.calls).toEqual(['freeze', 'unfreeze'])
  },
)

test('fault F37: a new agent thaws what the old one had frozen, even if all that it knew is lost', async () => {
  const setup = await setUp()
  const { node, server, test: run } = setup
  await dieWhileFrozen(setup)
  removeAgent(setup)
  rmSync(node.state, { recursive: true })
  server.addPod(agentPod(node, newAgent))
  server.addPod(agentPod(fakeNode(), { name: 'freeze-agent-elsewhere', node: 'node-2' }))
  expect((await run.engine.recover()).undos).toMatchObject([{ result: 'done' }])
  expect(node.isFrozen()).toBe(false)
  expect(server.execs.at(-1)?.pod).toBe('freeze-agent-2')
})

test('fault F37: an agent that goes while it is frozen: the next one thaws, and the snapshot does not count', async () => {
  const setup = await setUp()
  const { node, server, test: run } = setup
  const held = Promise.withResolvers<void>()
  const failed = failureOf(
    setup.freezing(async (freezable) => {
      const frozen = await freezable.freeze()
      removeAgent(setup)
      setTimeout(() => server.addPod(agentPod(node, newAgent)), 200)
      held.resolve()
      await frozen.thaw()
    }),
  )
  await Promise.race([held.promise, failed])
  expect(await advanceUntil(run.clock, failed, '10ms')).toMatchObject({ code: 'FREEZE_LOST' })
  expect(node.isFrozen()).toBe(false)
})

test('fault F37: without an agent on the node the undo stays pending, and says what to do there', async () => {
  const setup = await setUp()
  const { node, server, test: run } = setup
  await dieWhileFrozen(setup)
  removeAgent(setup)
  const { undos } = await run.engine.recover()
  expect(undos).toMatchObject([{ result: 'failed' }])
  expect(run.log.join()).toContain('no freeze agent is on its node node-1')
  expect(run.engine.journal.pendingUndos()).toHaveLength(1)
  expect(await run.metrics.text()).toContain('holdfast_filesystem_frozen{pvc_namespace="shop",pvc="data"} 1')
  server.addPod(agentPod(node, newAgent))
  expect((await run.engine.recover()).undos).toMatchObject([{ result: 'done' }])
  expect(node.isFrozen()).toBe(false)
})

test('what was frozen on a node that is gone, with all its pods, is not frozen any more', async () => {
  const setup = await setUp()
  await dieWhileFrozen(setup)
  removeAgent(setup)
  setup.server.objects.remove('pods', 'shop', 'database-0')
  expect((await setup.test.engine.recover()).undos).toMatchObject([{ result: 'done' }])
  expect(setup.test.log.join()).toContain('is gone with its node')
})

test('a path that was unmounted: another mount of the same filesystem will do, and without any nothing is frozen', async () => {
  const { node } = fakeSession()
  node.freezeByHand('elsewhere')
  node.mount({ path: 'elsewhere' })
  expect(thaw(node, 'a')).toBe('thawed')
  expect(node.isFrozen('elsewhere')).toBe(false)
  writeFileSync(node.env['HOLDFAST_MOUNTINFO'] ?? '', '')
  expect(thaw(node, 'b')).toBe('gone')
  // The number is another image's by now: that is not touched.
  node.mount({ path: 'elsewhere' })
  writeFileSync(join(node.sysRoot, 'bus/rbd/devices/0/name'), 'csi-vol-2\n')
  expect(thaw(node, 'c')).toBe('gone')
})

test('what another session holds is left alone', async () => {
  const { node, begin } = fakeSession()
  node.mount({ path: staged })
  const session = await begin('a')
  expect(session.said).toEqual(['frozen a'])
  expect(thaw(node, 'b')).toBe('another')
  expect(node.isFrozen()).toBe(true)
  session.stdin.end('thaw\n')
  await session.ended
  expect(session.said[1]).toMatch(/^thawed a \d+$/)
})

test('a thaw of what is over does not touch what was frozen since', async () => {
  const { node, begin } = fakeSession()
  node.mount({ path: staged })
  const session = await begin('a')
  session.stdin.end('thaw\n')
  await session.ended
  node.freezeByHand()
  expect([thaw(node, 'a'), thaw(node, 'a')]).toEqual(['not-frozen', 'not-frozen'])
  expect(node.isFrozen()).toBe(true)
})

test('B6: a freeze that is asked for before, and arrives after its undo, freezes nothing', async () => {
  const { node, begin } = fakeSession()
  node.mount({ path: staged })
  expect(thaw(node, 'a')).toBe('not-frozen')
  const session = await begin('a')
  expect(session.said).toEqual(['refused a it was given up meanwhile'])
  expect(node.calls).toEqual(['unfreeze'])
})

test('a second thaw finds nothing to do', async () => {
  const { node, begin } = fakeSession()
  node.mount({ path: staged })
  await begin('a')
  expect([thaw(node, 'a'), thaw(node, 'a')]).toEqual(['thawed', 'not-frozen'])
  expect(existsSync(join(node.state, '252:0.token'))).toBe(false)
})

interface Session {
  readonly said: readonly string[]
  readonly stdin: NonNullable<ChildProcess['stdin']>
  readonly ended: Promise<unknown>
}

/** A node without a cluster, on which scripts run as an agent would run them. */
function fakeSession(): { readonly node: FakeNode; readonly begin: (token: string) => Promise<Session> } {
  const node = fakeNode()
  node.map({})
  return {
    node,
    async begin(token) {
      const path = join(node.kubeletRoot, staged)
      const limit = ['30000', '30.000', node.sysRoot]
      const command = scriptCommand(freezeScript, 'freeze', 'session', token, '252:0', path, path, ...limit, ...image)
      const [shell, ...args] = command
      const child = spawn(shell, args, {
        env: { ...node.env, [sessionMarker]: token },
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      const said: string[] = []
      child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')))
      await until(() => said.length > 0)
      return { said, stdin: child.stdin, ended: new Promise((resolve) => child.once('close', resolve)) }
    },
  }
}

const image = ['kube', '', 'csi-vol-1']

function thaw(node: FakeNode, token: string): string {
  const path = join(node.kubeletRoot, staged)
  const roots = [node.kubeletRoot, node.sysRoot]
  const [shell, ...args] = scriptCommand(thawScript, 'thaw', token, '252:0', path, path, ...roots, ...image)
  return execFileSync(shell, args, { env: node.env, encoding: 'utf8' }).trim()
}
