// Backups of claims that ask to be frozen, with the agent's real scripts on a node that is a directory.
import { startFakeKubernetes, type FakeKubernetes } from '@holdfast/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { FreezeOptions } from '../../src/freeze/frozen.ts'
import { agentPod, fakeNode, podWith, staged, type FakeNode } from '../freeze/support.ts'
import { backupRun, type BackupRun } from '../support/backup-run.ts'
import { addClaim, cephCsi } from '../support/claims.ts'

const image = 'rbd/csi-vol-1'

interface Frozen {
  readonly node: FakeNode
  readonly server: FakeKubernetes
  readonly run: BackupRun
  /** Whether it was frozen at each of Ceph's calls. */
  readonly frozenAt: ReadonlyMap<string, boolean>
}

async function annotated(
  freeze: FreezeOptions = {},
  agents = 1,
  meanwhile: (command: string, node: FakeNode) => void = () => {},
): Promise<Frozen> {
  const node = fakeNode()
  node.map({ pool: 'rbd' })
  node.mount({ path: staged })
  const server = await startFakeKubernetes({ namespace: 'backup' })
  onTestFinished(() => server[Symbol.asyncDispose]())
  server.objects.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  const annotations = { 'benji-backup.me/fsfreeze': 'yes' }
  const source = cephCsi('csi-vol-1') as Record<string, unknown>
  addClaim(server, { name: 'data', namespace: 'shop', annotations, source })
  server.addPod(podWith('database-0'))
  // K2: a claim of that name in our own namespace is another one, and on another node.
  server.addPod(podWith('decoy', { namespace: 'backup', node: 'node-2' }))
  for (let agent = 0; agent < agents; agent++) server.addPod(agentPod(node))
  const { kubeletRoot, sysRoot } = node
  const frozenAt = new Map<string, boolean>()
  const run = await backupRun({
    cluster: server,
    options: { namespaces: ['shop'], freeze: { kubeletRoot, sysRoot, ...freeze } },
    onCommand(command) {
      frozenAt.set(command, node.isFrozen())
      meanwhile(command, node)
    },
  })
  run.ceph.create(image)
  return { node, server, run, frozenAt }
}

const when = ({ frozenAt }: Frozen, words: string): readonly boolean[] =>
  [...frozenAt].flatMap(([command, frozen]) => (command.includes(words) ? [frozen] : []))

describe('a claim with the annotation', () => {
  it('K2, B2, fault F38: of another namespace than ours stands still for the snapshot, and for nothing else', async () => {
    const frozen = await annotated()
    const { status } = await frozen.run.run()
    expect(status).toBe('succeeded')
    expect(frozen.server.execs.map(({ pod }) => pod)).toEqual(['freeze-agent-1', 'freeze-agent-1'])
    expect(when(frozen, 'snap create')).toEqual([true])
    expect([...frozen.frozenAt.values()].filter(Boolean)).toHaveLength(1)
    expect(frozen.node.isFrozen()).toBe(false)
    expect(await frozen.run.test.metrics.text()).toMatch(
      /holdfast_filesystem_freeze_duration_seconds_count{.*pvc="data".*} 1/,
    )
  })

  it('K13, B12: is backed up whatever version the API server has: it is never asked for it', async () => {
    const { server, run } = await annotated()
    const asked = server.misbehave({ path: /version/ }, { status: 500 })
    expect((await run.run()).status).toBe('succeeded')
    expect(asked.hits).toBe(0)
    expect(server.requests.map(({ path }) => path).filter((path) => path.includes('version'))).toEqual([])
  })

  it('K1, B1, fault F33: is thawed when the snapshot fails, and the failure that is told is that of the snapshot', async () => {
    const { node, run } = await annotated()
    run.ceph.badDays.next('snap create', { exit: 5 })
    const { targets } = await run.run({ step: '50ms' })
    expect(targets).toMatchObject([{ status: 'failed', error: { code: 'RBD_FAILED' } }])
    expect(node.isFrozen()).toBe(false)
    expect(run.ceph.snapshotsOf(image)).toEqual([])
  })

  it('O1: gets no backup of a snapshot that may be of a filesystem that moved', async () => {
    // Somebody thaws it while the snapshot is made.
    const { run, server } = await annotated({}, 1, (command, node) => {
      if (command.includes('snap create')) node.thawByHand()
    })
    const { targets } = await run.run()
    expect(targets).toMatchObject([{ status: 'failed', error: { code: 'FREEZE_LOST' } }])
    expect(run.benji.versions).toEqual([])
    expect(run.ceph.snapshotsOf(image)).toEqual([])
    expect(server.objects.list('events')).toHaveLength(1)
  })

  it.each([
    ['B3, K6, O15: without an agent on its node', {}],
    ['the same, said expressly', { mode: 'required' as const }],
  ])('%s fails before anything is done', async (_, freeze) => {
    const { run } = await annotated(freeze, 0)
    const { status, targets } = await run.run()
    expect(status).toBe('failed')
    expect(targets).toMatchObject([{ error: { code: 'FREEZE_IMPOSSIBLE' } }])
    expect(run.commands().filter((command) => /snap create|backup/.test(command))).toEqual([])
  })

  it('is backed up with a warning where best-effort is enough', async () => {
    const { node, run } = await annotated({ mode: 'best-effort' }, 0)
    expect((await run.run()).status).toBe('succeeded')
    expect(run.said('warn').join('\n')).toContain('it is backed up without being frozen, as best-effort says')
    expect(node.calls).toEqual([])
  })

  it('is not frozen where that is switched off', async () => {
    const { node, run } = await annotated({ mode: 'never' })
    expect((await run.run()).status).toBe('succeeded')
    expect(node.calls).toEqual([])
  })
})
