// A node that is a directory: the agent's scripts run as they are, on a fake fsfreeze, sysfs and mountinfo.
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { defineHook, type RunContext } from '@holdfast/sdk'
import { createTestRun, startFakeKubernetes, type FakeKubernetes, type FakePod, type TestRun } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import { findFreezable } from '../../src/freeze/find-freezable.ts'
import type { Freezable, FreezeOptions } from '../../src/freeze/frozen.ts'
import { thawUndo } from '../../src/freeze/thaw-undo.ts'
import type { RbdImage } from '../../src/rbd/image.ts'
import type { Claim } from '../../src/target.ts'

/** A mount of the fake node. */
export interface FakeMount {
  /** Below the kubelet's directory. */
  readonly path: string
  readonly device?: string
  readonly root?: string
  readonly options?: string
  readonly type?: string
  readonly source?: string
}

/** A device that the fake kernel has mapped. */
export interface FakeDevice {
  readonly pool?: string
  readonly namespace?: string
  readonly image?: string
  readonly snapshot?: string
  readonly device?: string
}

/** A node that stands in a directory. */
export interface FakeNode {
  readonly kubeletRoot: string
  readonly sysRoot: string
  /** Where the agent keeps its state. */
  readonly state: string
  /** Environment of the agent's container. */
  readonly env: Readonly<Record<string, string>>
  map(...devices: readonly FakeDevice[]): void
  mount(...mounts: readonly FakeMount[]): void
  /** What fsfreeze was asked, in order: `freeze`, `unfreeze`. */
  readonly calls: readonly string[]
  isFrozen(path?: string): boolean
  /** What fsfreeze does otherwise: see `fakeFsfreeze`. */
  misbehave(how: 'freeze-fails' | 'freeze-hangs' | 'thaw-fails' | 'go', text?: string): void
  /** As somebody else would. */
  thawByHand(path?: string): void
  freezeByHand(path?: string): void
  /** Processes of sessions and timers that still live. */
  processes(marker: 'HOLDFAST_FREEZE' | 'HOLDFAST_THAW'): readonly number[]
}

/** Where a CSI driver stages the volume of {@link dataClaim}. */
export const staged = 'plugins/kubernetes.io/csi/rbd.csi.ceph.com/0a1b/globalmount/0001-data'
export const image: RbdImage = { pool: 'kube', namespace: '', name: 'csi-vol-1' }
export const dataClaim: Claim = {
  namespace: 'shop',
  name: 'data',
  pv: 'pvc-1',
  accessModes: ['ReadWriteOnce'],
  volumeMode: 'Filesystem',
  freeze: true,
}

/**
 * A filesystem is frozen when there is a directory for it. As from the kernel, a freeze of what is frozen is busy, and a
 * thaw of what isn't is invalid; a thaw fails while a freeze is under way. A freeze that hangs can't be killed: it is a
 * process without our marks, which holds what it has inherited, until there is `go`.
 */
function fakeFsfreeze(directory: string): string {
  return `#!/bin/sh
cd ${directory} || exit 9
path=$(readlink -f "$2")
key=frozen-$(echo "$path" | tr / _)
fail() { echo "fsfreeze: $path: \${1#--} failed: $2" >&2; exit 1; }
echo "\${1#--}" >>calls
case $1 in
  --freeze)
    [ ! -e freeze-fails ] || fail "$1" 'Input/output error'
    if [ -e freeze-hangs ]; then
      env -i PATH="$PATH" setsid sh -c 'until [ -e go ]; do sleep 0.02; done; mkdir "$1"; rm hanging' hung "$key" &
      touch hanging
      wait
      [ -e "$key" ] && exit 0
    fi
    mkdir "$key" 2>/dev/null || fail "$1" 'Device or resource busy'
    ;;
  --unfreeze)
    if [ -e thaw-fails ]; then
      read -r left <thaw-fails
      [ "$left" = 1 ] && rm thaw-fails || echo $((left - 1)) >thaw-fails
      fail "$1" 'Input/output error'
    fi
    [ ! -e hanging ] || fail "$1" 'Invalid argument'
    rmdir "$key" 2>/dev/null || fail "$1" 'Invalid argument'
    ;;
esac
`
}

/** Makes a node with nothing mapped and nothing mounted. It goes with the test, and its processes with it. */
export function fakeNode(): FakeNode {
  const base = mkdtempSync(join(tmpdir(), 'freeze-'))
  const directories = {
    kubelet: join(base, 'kubelet'),
    sys: join(base, 'sys'),
    bin: join(base, 'bin'),
    fs: join(base, 'fs'),
  }
  for (const directory of Object.values(directories)) mkdirSync(directory)
  const mountinfo = join(base, 'mountinfo')
  writeFileSync(mountinfo, '22 27 0:21 / /proc rw,relatime - proc proc rw\n')
  writeFileSync(join(directories.bin, 'fsfreeze'), fakeFsfreeze(directories.fs), { mode: 0o755 })
  const state = join(base, 'state')
  const keyOf = (path: string): string =>
    join(directories.fs, `frozen-${join(directories.kubelet, path).replaceAll('/', '_')}`)
  const env = {
    PATH: `${directories.bin}${delimiter}${process.env['PATH']}`,
    HOLDFAST_MOUNTINFO: mountinfo,
    HOLDFAST_FREEZE_STATE: state,
  }
  let devices = 0
  const node: FakeNode = {
    kubeletRoot: directories.kubelet,
    sysRoot: directories.sys,
    state,
    env,
    map(...given) {
      for (const { pool = 'kube', namespace, image: name = 'csi-vol-1', snapshot = '-', device = '252:0' } of given) {
        const [major = '', minor = ''] = device.split(':')
        const files = {
          pool,
          name,
          major,
          minor,
          current_snap: snapshot,
          ...(namespace !== undefined && { pool_ns: namespace }),
        }
        const directory = join(directories.sys, 'bus/rbd/devices', String(devices++))
        mkdirSync(directory, { recursive: true })
        for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), `${text}\n`)
      }
    },
    mount(...given) {
      for (const each of given) {
        const {
          path,
          device = '252:0',
          root = '/',
          options = 'rw,relatime',
          type = 'ext4',
          source = '/dev/rbd0',
        } = each
        const point = join(directories.kubelet, path)
        mkdirSync(point, { recursive: true })
        const written = point.replaceAll(/[ \\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)
        const line = `${mountId(point)} 27 ${device} ${root} ${written} ${options} shared:1 - ${type} ${source} rw\n`
        writeFileSync(mountinfo, line, { flag: 'a' })
      }
    },
    get calls() {
      const file = join(directories.fs, 'calls')
      return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
    },
    isFrozen: (path = staged) => existsSync(keyOf(path)),
    misbehave: (how, text = '') => writeFileSync(join(directories.fs, how), `${text}\n`),
    thawByHand: (path = staged) => rmSync(keyOf(path), { recursive: true }),
    freezeByHand: (path = staged) => mkdirSync(keyOf(path)),
    processes: (marker) =>
      readdirSync('/proc').flatMap((entry) => {
        if (!/^\d+$/.test(entry)) return []
        try {
          const text = readFileSync(`/proc/${entry}/environ`, 'latin1')
          return text.includes(`${marker}=`) && text.includes(base) ? [Number(entry)] : []
        } catch {
          return []
        }
      }),
  }
  onTestFinished(() => {
    node.misbehave('go')
    for (const pid of [...node.processes('HOLDFAST_FREEZE'), ...node.processes('HOLDFAST_THAW')]) kill(pid)
    rmSync(base, { recursive: true, force: true })
  })
  return node
}

/** Ends a process that may have ended. */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The number of the mount that a directory is really on: the agent looks it up. */
function mountId(path: string): string {
  const fd = openSync(path, 'r')
  try {
    return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? ''
  } finally {
    closeSync(fd)
  }
}

/** A cluster with an agent on `node-1`, and how to freeze there. */
export interface Setup {
  readonly node: FakeNode
  readonly server: FakeKubernetes
  readonly test: TestRun
  /** Looks for the claim, and freezes it if a body is given. Resolves to the run's error, or what the body returns. */
  freezing<T>(body: (freezable: Freezable, ctx: RunContext<unknown>) => Promise<T>): Promise<T>
}

/** Options of {@link setUp}. */
export interface SetUpOptions {
  readonly claim?: Partial<Claim>
  readonly options?: FreezeOptions
  readonly pods?: readonly FakePod[]
  /** Default: one on `node-1`. */
  readonly agents?: readonly Partial<FakePod>[]
  /** Default: the image is mapped and mounted where a CSI driver stages it, and in a pod. */
  readonly prepare?: (node: FakeNode) => void
}

/** The pod that uses the claim. */
export const database: FakePod = podWith('database-0')

/** A pod that uses the claim. */
export function podWith(name: string, more: Partial<FakePod> = {}): FakePod {
  return {
    name,
    namespace: 'shop',
    containers: [{ name: 'main' }],
    spec: { volumes: [{ name: 'token' }, { name: 'data', persistentVolumeClaim: { claimName: 'data' } }] },
    ...more,
  }
}

/** An agent. */
export function agentPod(node: FakeNode, more: Partial<FakePod> = {}): FakePod {
  return {
    name: 'freeze-agent-1',
    labels: { 'app.kubernetes.io/component': 'freeze-agent' },
    containers: [{ name: 'freeze-agent', env: node.env }],
    ...more,
  }
}

/** Starts a cluster with the claim's pod and an agent, on a fake node; and a run whose only hook does what a test says. */
export async function setUp(given: SetUpOptions = {}): Promise<Setup> {
  const { pods = [database], agents = [{}], prepare } = given
  const node = fakeNode()
  if (prepare) prepare(node)
  else {
    node.map({})
    node.mount({ path: staged }, { path: 'pods/1234/volumes/kubernetes.io~csi/pvc-1/mount' })
  }
  const server = await startFakeKubernetes({ namespace: 'backup' })
  onTestFinished(() => server[Symbol.asyncDispose]())
  for (const pod of pods) server.addPod(pod)
  for (const agent of agents) server.addPod(agentPod(node, agent))
  const setup = { claim: { ...dataClaim, ...given.claim }, options: optionsOf(node, given.options) }
  let work: (ctx: RunContext<unknown>) => Promise<void> = () => Promise.resolve()
  const hook = defineHook('maintain', (ctx) => work(ctx), { name: 'freezing', undos: [thawUndo] })
  const test = await createTestRun({ use: [hook], cluster: server })
  onTestFinished(() => test.close())
  return {
    node,
    server,
    test,
    async freezing(body) {
      let result: { readonly value: Awaited<ReturnType<typeof body>> } | undefined
      work = async (ctx) => {
        const freezable = await findFreezable(ctx, { claim: setup.claim, image }, setup.options)
        result = { value: await body(freezable, ctx) }
      }
      const { outcome } = await test.run()
      if (outcome.error) throw outcome.error as unknown as Error
      if (!result) throw new Error(`the hook did not run: ${outcome.status}`)
      return result.value
    },
  }
}

function optionsOf({ kubeletRoot, sysRoot }: FakeNode, more: FreezeOptions = {}): FreezeOptions {
  return { kubeletRoot, sysRoot, ...more }
}

/** What a promise was rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> {
  try {
    await promise
  } catch (error) {
    return error as { code: string; message: string; hint: string }
  }
  throw new Error('it did not fail')
}

/** Waits for something that real processes bring about. */
export async function until(met: () => boolean, ms = 15_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!met()) {
    if (performance.now() > deadline) throw new Error('it did not come about')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
