// Real filesystems of RBD images that are frozen for their snapshot while pods write to them, whatever becomes of us. With
// exactly the rights that we print for it.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { benjiConfig, useSite, volumesConfig } from './support/benji.ts'
import { clientsConf, snapshotsOf } from './support/ceph.ts'
import type { RunningCommand } from './support/cli.ts'
import { startProxy, type Proxy } from './support/exec.ts'
import { agentsOf, goesOn, kitsNode, stands, useThaws, writing, written } from './support/freezing.ts'
import { apply, succeed, waitFor, type Ended } from './support/kubectl.ts'
import { images, useNamespace } from './support/namespace.ts'
import { killTree, signalContainer } from './support/node.ts'
import { execIn, podsOf, ready } from './support/pods.ts'
import { useRights } from './support/rights.ts'
import { configMap, deploymentOf } from './support/sidecar.ts'
import { freezes, podWith, useVolumes, type VolumeOfClaim } from './support/volumes.ts'

const namespace = useNamespace('freeze')
// Agents are in our namespace, claims need not be (K2).
const shop = useNamespace('shop')
const volumes = useVolumes(shop)
const thawAfter = useThaws()
const createRights = useRights(namespace)
let kubeconfig = ''
const site = useSite({ kubeconfig: () => kubeconfig })
const { benji, project } = site

let data: VolumeOfClaim
const held = { before: project.at('hold-before'), after: project.at('hold-after') } as const

/** An `rbd` whose snapshots are not made yet, or made and not told of, as long as a file is there. */
const slowRbd = (before: string, after: string): string => `#!/bin/sh
wait_for() { while [ -e "$1" ]; do sleep 0.1; done; }
case " $* " in
  *" snap create "*) wait_for '${before}' && rbd "$@" && wait_for '${after}' ;;
  *) exec rbd "$@" ;;
esac
`

/** A plan of one claim. */
function configure(claim: string, limit: string): void {
  const freeze = { ...kitsNode, limit }
  const use = ['benjiBackup', { pvcs: [`${shop}/${claim}`], freeze }] as const
  project.write(
    'holdfast.config.ts',
    volumesConfig(benji, { volumes: use }, { ceph: { rbd: [project.at('slow-rbd')] } }),
  )
}

beforeAll(async () => {
  project.write('slow-rbd', slowRbd(held.before, held.after))
  configure('data', '30s')
  kubeconfig = (await createRights(site)).kubeconfig
  await apply(agentsOf(namespace))
  const [agent] = await podsOf(namespace, 'app.kubernetes.io/component=freeze-agent')
  if (agent) await ready(namespace, agent.metadata.name)
  data = await volumes.create('data', { annotations: freezes })
  await volumes.create('loose')
  // After the agent (K3), and two of them with one claim on one node.
  const writer = { image: images.node }
  await apply(
    podWith(shop, 'writer', ['data', 'loose'], { ...writer, command: writing('/data/log') }),
    podWith(shop, 'other', ['data', 'loose'], { ...writer, command: writing('/loose/log') }),
  )
  await ready(shop, 'writer')
  await ready(shop, 'other')
})

/** What a backup of ours has in it: the lines of the writer, and whether the filesystem was still being written. */
async function contentOf(uid: string): Promise<{ readonly lines: readonly number[]; readonly isClean: boolean }> {
  const file = project.at('restored.img')
  rmSync(file, { force: true })
  await site.benji.restore(uid, `file:${file}`)
  const log = await succeed('debugfs', ['-R', 'cat /log', file])
  const features = await succeed('dumpe2fs', ['-h', file])
  return { lines: log.trim().split('\n').map(Number), isClean: !features.includes('needs_recovery') }
}

describe('a snapshot of a filesystem that pods write to', () => {
  test('fault F38: frozen, with two pods in another namespace than ours: it has all that was written before, and needs no repair; the writers go on', async () => {
    configure('data', '30s')
    thawAfter(data, 100)
    const before = await written(shop, 'writer')
    const report = await site.backUp('volumes')
    const after = await written(shop, 'writer')
    expect({ code: report.code, log: report.code === 0 ? '' : report.log }).toEqual({ code: 0, log: '' })
    expect(report.log).toMatch(/thawed .* after \d+ ms/)
    const then = await goesOn(data, 'log', 0)
    expect(await goesOn(data, 'log', then)).toBeGreaterThan(then)
    const { lines, isClean } = await contentOf(report.targets[0]?.points[0]?.id ?? '')
    expect(isClean).toBe(true)
    expect(lines).toEqual(lines.map((_, index) => index + 1))
    expect(lines.length).toBeGreaterThanOrEqual(before)
    expect(lines.length).toBeLessThanOrEqual(after + 1)
  })

  test('not asked for: it is not frozen, and what is restored has to be repaired first', async () => {
    configure('loose', '30s')
    const report = await site.backUp('volumes')
    expect({ code: report.code, log: report.code === 0 ? '' : report.log }).toEqual({ code: 0, log: '' })
    expect(report.log).not.toContain('"msg":"froze ')
    expect(await contentOf(report.targets[0]?.points[0]?.id ?? '').catch(String)).not.toMatchObject({ isClean: true })
  })
})

describe('K6, O15: asked for and impossible is a failure, before anything is done', () => {
  afterEach(() => configure('data', '30s'))

  test('no pod has it mounted', async () => {
    const idle = await volumes.create('idle', { annotations: freezes })
    configure('idle', '30s')
    const report = await site.backUp('volumes')
    expect(report).toMatchObject({ code: 1, targets: [{ error: { code: 'FREEZE_IMPOSSIBLE' }, points: [] }] })
    expect(await snapshotsOf(idle.image)).toEqual([])
  })

  test('K3: what is mounted there is another image’s device', async () => {
    thawAfter(data, 60)
    const snapshots = await snapshotsOf(data.image)
    const file = deviceFile(data, 'name')
    const name = readFileSync(file, 'utf8')
    writeFileSync(file, 'another-image\n')
    try {
      const report = await site.backUp('volumes')
      expect(report).toMatchObject({ code: 1, targets: [{ error: { code: 'FREEZE_IMPOSSIBLE' }, points: [] }] })
      expect(report.log).not.toContain('"msg":"froze ')
    } finally {
      writeFileSync(file, name)
    }
    expect(await snapshotsOf(data.image)).toEqual(snapshots)
  })
})

/** What stands for a file of the kernel about a claim's device. */
function deviceFile({ image }: VolumeOfClaim, name: string): string {
  const devices = join(process.env['HOLDFAST_E2E_SYS'] ?? '', 'bus/rbd/devices')
  const isIts = (device: string): boolean =>
    image === `rbd/${readFileSync(join(devices, device, 'name'), 'utf8').trim()}`
  const found = readdirSync(devices).find(isIts)
  if (found === undefined) throw new Error(`${image} has no device`)
  return join(devices, found, name)
}

describe('whoever dies while it is frozen', () => {
  let proxy: Proxy
  let running: RunningCommand
  let frozenAt = 0

  beforeEach(async () => (proxy = await startProxy(kubeconfig)))
  afterEach(async () => {
    for (const file of Object.values(held)) rmSync(file, { force: true })
    proxy.close()
    running.kill('SIGTERM')
    await running.ended
  })

  /** Starts a backup that has frozen the filesystem when this returns. */
  async function freeze(limit: string, file: string = held.before): Promise<void> {
    configure('data', limit)
    thawAfter(data, 100)
    writeFileSync(file, '')
    running = site.start('holdfast', ['run', 'volumes'], { KUBECONFIG: proxy.kubeconfig })
    const froze = async (): Promise<true> => {
      if (running.output().includes('"msg":"froze ')) return true
      throw new Error(running.output())
    }
    await waitFor('the filesystem to be frozen', froze)
    frozenAt = await stands(data, 'log').catch((error: Error) => {
      throw new Error(`${error.message}: ${running.output()}`)
    })
  }

  /** As the end of a container. */
  async function kill(): Promise<void> {
    killTree(running.pid)
    await running.ended
  }

  test('K4, O1: kill -9, and nothing ever starts again: its end is heard, and it thaws', async () => {
    await freeze('90s')
    await kill()
    expect(await goesOn(data, 'log', frozenAt, 20)).toBeGreaterThan(frozenAt)
  })

  test('K4, O1: kill -9 and a network that is silent, and nothing ever starts again: the timer thaws', async () => {
    await freeze('15s')
    proxy.freeze()
    await kill()
    expect(await stands(data, 'log')).toBe(frozenAt)
    expect(await goesOn(data, 'log', frozenAt, 30)).toBeGreaterThan(frozenAt)
  })

  test('K4, O1: kill -9 and a network that is silent: the next process thaws, long before the timer', async () => {
    await freeze('90s')
    proxy.freeze()
    await kill()
    expect(await stands(data, 'log')).toBe(frozenAt)
    const { code, stderr } = await site.run('holdfast', ['undo', 'run', '--all', '--yes'])
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(await goesOn(data, 'log', frozenAt, 20)).toBeGreaterThan(frozenAt)
    rmSync(held.before)
    configure('data', '30s')
    thawAfter(data, 60)
    expect((await site.backUp('volumes')).status).toBe('succeeded')
  })

  test('K4: the agent, with all of its processes: another one thaws, and the snapshot does not count', async () => {
    await freeze('90s')
    const [agent] = await podsOf(namespace, 'app.kubernetes.io/component=freeze-agent')
    await signalContainer(namespace, agent?.metadata.name ?? '', 'freeze-agent', 'SIGKILL')
    expect(await goesOn(data, 'log', frozenAt, 60)).toBeGreaterThan(frozenAt)
    rmSync(held.before)
    expect(await running.ended).toBe(1)
    expect(running.output()).toContain('FREEZE_LOST')
    await ready(namespace, agent?.metadata.name ?? '')
  })

  test.each([
    ['F33: a snapshot that takes too long', held.before],
    ['F34: a snapshot that was made, which nobody says in time', held.after],
  ])('fault %s: thawed before the timer, not used, and gone', async (_, file) => {
    const before = await snapshotsOf(data.image)
    await freeze('10s', file)
    expect(await goesOn(data, 'log', frozenAt, 30)).toBeGreaterThan(frozenAt)
    expect(await running.ended).toBe(1)
    expect(running.output()).toContain('RBD_TIMEOUT')
    expect(await snapshotsOf(data.image)).toEqual(before)
  })
})

test('K4, O1: kill -9 of the container that does it: what it froze is thawed, and its next backup is good', async () => {
  const shared = project.at('shared')
  project.write('shared/slow-rbd', slowRbd('/shared/hold', '/shared/none'))
  project.write('shared/ceph.conf', clientsConf(), 0o644)
  project.write('shared/benji.yaml', benjiConfig('/shared', { cephConf: '/shared/ceph.conf' }), 0o644)
  chmodSync(project.path, 0o755)
  chmodSync(shared, 0o777)
  const freeze = { ...kitsNode, limit: '25s' }
  const ceph = { conf: '/shared/ceph.conf', rbd: ['/shared/slow-rbd'] }
  const plan = ['benjiBackup', { pvcs: [data.volume], freeze }] as const
  const config = volumesConfig({ configFile: '/shared/benji.yaml' }, { volumes: plan }, { ceph })
  const file = ['--config', '/etc/holdfast/holdfast.config.ts']
  const command = ['holdfast', 'daemon', ...file]
  await apply(
    configMap(namespace, 'sidecar', { 'holdfast.config.ts': config }),
    deploymentOf(namespace, 'sidecar', 1, { config: 'sidecar', shared, image: images.benjiK8s, command }),
  )
  const pod = await waitFor('the pod', async () => (await podsOf(namespace, 'app=sidecar'))[0]?.metadata.name)
  await ready(namespace, pod)
  const inPod = (...args: readonly string[]): Promise<Ended> => execIn(namespace, pod, 'holdfast', args)
  expect((await inPod('benji', '-c', '/shared/benji.yaml', 'database-init')).code).toBe(0)
  thawAfter(data, 100)
  project.write('shared/hold', '')
  const killed = inPod('holdfast', 'run', 'volumes', ...file)
  const endedEarly = killed.then(({ stderr }) => Promise.reject(new Error(stderr)))
  const frozenAt = await Promise.race([stands(data, 'log'), endedEarly])
  endedEarly.catch(() => {})
  await signalContainer(namespace, pod, 'holdfast', 'SIGKILL')
  expect(await goesOn(data, 'log', frozenAt, 20)).toBeGreaterThan(frozenAt)
  expect((await killed).code).not.toBe(0)
  rmSync(join(shared, 'hold'))
  const next = await waitFor('the container to be there again', async () => {
    const ended = await inPod('holdfast', 'run', 'volumes', '--json', ...file)
    return ended.stdout.startsWith('{') && ended
  })
  expect({ code: next.code, stderr: next.code === 0 ? '' : next.stderr }).toEqual({ code: 0, stderr: '' })
})
