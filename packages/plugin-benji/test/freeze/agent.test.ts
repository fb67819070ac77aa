// What an agent does by itself.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freezeAgent, freezeAgentPod } from '../../src/freeze/agent-pod.ts'
import { fakeNode, staged, until, type FakeNode } from './support.ts'

/** The command of the agent's pod, as it is. */
function startAgent(node: FakeNode): { readonly said: () => string; readonly end: () => Promise<number | null> } {
  const [shell, ...args] = freezeAgentPod({ image: 'any' }).containers[0].command
  const child = spawn(shell, args, { env: node.env, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  onTestFinished(() => {
    if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL')
  })
  return {
    said: () => said,
    end() {
      child.kill('SIGTERM')
      return closed
    },
  }
}

/** As a session does, or its timer. */
function holdLock(file: string): ChildProcess {
  return spawn('sh', ['-c', 'flock "$1" sleep 60', 'holder', file], { detached: true, stdio: 'ignore' })
}

test('K4: an agent that starts thaws what one that was killed had left frozen', async () => {
  const node = fakeNode()
  node.mount({ path: staged })
  node.freezeByHand()
  const path = join(node.kubeletRoot, staged)
  mkdirSync(node.state)
  writeFileSync(join(node.state, '252:0.token'), `gone\n${path}\n${path}\n`)
  for (const name of ['over.old', 'over.new', 'cancelled.old']) writeFileSync(join(node.state, name), '')
  const yesterday = Date.now() / 1000 - 2 * 86_400
  for (const name of ['over.old', 'cancelled.old']) utimesSync(join(node.state, name), yesterday, yesterday)
  const agent = startAgent(node)
  await until(() => !node.isFrozen())
  await until(() => !existsSync(join(node.state, '252:0.token')))
  expect(await agent.end()).toBe(0)
  expect(readdirSync(node.state).toSorted()).toEqual(['252:0.freezing', '252:0.lock', 'over.gone', 'over.new'])
  expect(agent.said()).toContain(`thawed ${path}, which a freeze that is gone had left frozen (token gone)`)
})

test('what is no mount of the device any more, and what a session holds, is left alone', async () => {
  const node = fakeNode()
  node.mount({ path: staged, device: '8:1' })
  node.freezeByHand()
  const path = join(node.kubeletRoot, staged)
  mkdirSync(node.state)
  writeFileSync(join(node.state, '252:0.token'), `gone\n${path}\n${path}\n`)
  writeFileSync(join(node.state, '8:1.token'), `held\n${path}\n${path}\n`)
  const holder = holdLock(join(node.state, '8:1.lock'))
  onTestFinished(() => void process.kill(-(holder.pid ?? 0), 'SIGKILL'))
  await until(() => existsSync(join(node.state, '8:1.lock')))
  const agent = startAgent(node)
  await until(() => existsSync(join(node.state, '252:0.lock')))
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(node.calls).toEqual([])
  expect(agent.said()).toBe('')
})

test('an agent that is told to end waits for what is frozen: its timers would end with it', async () => {
  const node = fakeNode()
  mkdirSync(node.state)
  const holder = holdLock(join(node.state, '252:0.lock'))
  await until(() => existsSync(join(node.state, '252:0.lock')))
  let isOver = false
  const agent = startAgent(node)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const ended = agent.end().finally(() => (isOver = true))
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(isOver).toBe(false)
  process.kill(-(holder.pid ?? 0), 'SIGKILL')
  expect(await ended).toBe(0)
})

test('H2, H4, B13, K3: its pod sees mounts that come later, has no token, and outlives what it has frozen', () => {
  const pod = freezeAgentPod({ image: 'holdfast:1', kubeletRoot: '/k', limitSeconds: 45 })
  expect(pod).toMatchObject({ automountServiceAccountToken: false, terminationGracePeriodSeconds: 75, hostPID: false })
  expect(pod.containers[0].volumeMounts).toContainEqual({
    name: 'kubelet',
    mountPath: '/k',
    mountPropagation: 'HostToContainer',
  })
  expect(pod.containers[0]).toMatchObject({ name: freezeAgent.container, securityContext: { privileged: true } })
  expect(freezeAgent.selector).toBe(
    Object.entries(freezeAgent.labels)
      .map((pair) => pair.join('='))
      .join(','),
  )
})
