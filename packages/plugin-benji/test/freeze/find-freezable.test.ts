// What is looked up before anything is done.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { failureOf, podWith, setUp, staged, type SetUpOptions } from './support.ts'

test('says where it will freeze, and does nothing yet', async () => {
  const {
    node,
    server,
    test: run,
    freezing,
  } = await setUp({
    options: { agentSelector: 'app=mine' },
    agents: [{ name: 'x', labels: { app: 'mine' }, node: 'node-2' }, { labels: { app: 'mine' } }],
  })
  expect(await freezing(async ({ where }) => where)).toBe(`shop/data (node node-1, ${join(node.kubeletRoot, staged)})`)
  expect(server.execs.map(({ pod }) => pod)).toEqual(['freeze-agent-1'])
  expect(node.calls).toEqual([])
  expect(run.journal.join()).not.toContain('armed')
})

test.each<[string, SetUpOptions, string | RegExp]>([
  ['its pods are on two nodes', { pods: [podWith('a'), podWith('b', { node: 'node-2' })] }, 'mounted on 2 nodes'],
  [
    'B3: no agent is on its node',
    { agents: [{ node: 'node-2' }] },
    /no freeze agent is on its node node-1 .*component=freeze-agent/,
  ],
  ['agents are in another namespace', { agents: [{ namespace: 'shop' }] }, 'no freeze agent is on its node'],
  [
    'the agent does not run',
    { agents: [{ containers: [{ name: 'freeze-agent', state: 'restarting' }] }] },
    'does not run',
  ],
  ['its image is not there', { prepare: () => {} }, 'kube/csi-vol-1 is not mapped on its node'],
])('O15: refuses before any effect, because %s', async (_, options, reason) => {
  const { node, test: run, freezing } = await setUp(options)
  const failure = await failureOf(freezing((freezable) => freezable.freeze()))
  expect(failure).toMatchObject({ code: 'FREEZE_IMPOSSIBLE', message: expect.stringMatching(reason) })
  expect(failure.hint).toMatch(/^Nothing was done to it\./)
  expect(node.calls).toEqual([])
  expect(run.journal.join()).not.toContain('armed')
})

test('fault F37: an agent that is about to end is not asked; another one on the node is', async () => {
  const { server, freezing } = await setUp({ agents: [{}, { name: 'freeze-agent-2' }] })
  const ending = server.objects.get('pods', 'backup', 'freeze-agent-2')
  if (!ending) throw new Error('there is no such pod')
  const metadata = { ...ending.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' }
  server.objects.put({ ...ending, metadata })
  await freezing(async () => {})
  expect(server.execs.map(({ pod }) => pod)).toEqual(['freeze-agent-1'])
  server.objects.remove('pods', 'backup', 'freeze-agent-1')
  expect((await failureOf(freezing(async () => {}))).message).toContain('does not run, or is about to end')
})

test('a missing right to exec is said, and what it takes', async () => {
  const { server, freezing } = await setUp()
  server.authorize.deny({ resource: 'pods/exec', verb: '*' })
  const failure = await failureOf(freezing((freezable) => freezable.freeze()))
  expect(failure).toMatchObject({ code: 'FREEZE_IMPOSSIBLE', message: expect.stringContaining('pods/exec') })
  expect(failure.hint).toContain('resources: ["pods/exec"]')
})
