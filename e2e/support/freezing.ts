// Real filesystems that stand still, on this machine, which must stay alive: whoever writes to one can't be killed.
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { freezeAgentPod, freezeAgent } from '../../packages/plugin-benji/src/freeze/agent-pod.ts'
import { logsOf } from './pods.ts'
import { images } from './namespace.ts'
import { run, waitFor } from './kubectl.ts'
import { endGroup } from './node.ts'
import type { VolumeOfClaim } from './volumes.ts'

const kit = process.env['HOLDFAST_E2E_DIR'] ?? `${process.env['HOME']}/.cache/holdfast-e2e`

/** Where the kit has what a node has elsewhere: options of `freeze`. */
export const kitsNode = { kubeletRoot: join(kit, 'cluster/kubelet'), sysRoot: '/sys-of-the-kit' } as const

/** The agents, as the chart runs them, but for the place of the kit's devices. */
export function agentsOf(namespace: string): object {
  const { kubeletRoot, sysRoot } = kitsNode
  const { containers, volumes, ...spec } = freezeAgentPod({ image: images.holdfast, kubeletRoot })
  const [agent] = containers
  const sys = { name: 'sys-of-the-kit', hostPath: { path: process.env['HOLDFAST_E2E_SYS'], type: 'Directory' } }
  const volumeMounts = [...agent.volumeMounts, { name: sys.name, mountPath: sysRoot, readOnly: true }]
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'freeze-agent', namespace },
    spec: {
      selector: { matchLabels: freezeAgent.labels },
      template: {
        metadata: { labels: freezeAgent.labels },
        spec: {
          ...spec,
          containers: [{ ...agent, imagePullPolicy: 'Never', volumeMounts }],
          volumes: [...volumes, sys],
        },
      },
    },
  }
}

/** Where a claim's filesystem is mounted on the node. */
export function mountOf({ pv }: VolumeOfClaim): string {
  const directory = createHash('sha256').update(pv).digest('hex')
  return join(kitsNode.kubeletRoot, 'plugins/kubernetes.io/csi/rbd.csi.ceph.com', directory, 'globalmount', pv)
}

/**
 * Thaws filesystems after a while, whatever becomes of the tests; and of what they freeze at their end. A later time takes
 * the place of an earlier one: that would thaw what the next test has frozen.
 */
export function useThaws(): (volume: VolumeOfClaim, seconds: number) => void {
  const waiting = new Map<string, ChildProcess>()
  afterAll(async () => {
    for (const mount of waiting.keys()) await run('fsfreeze', ['--unfreeze', mount])
  })
  return (volume, seconds) => {
    const mount = mountOf(volume)
    const { pid } = waiting.get(mount) ?? {}
    const script = 'sleep "$1" && fsfreeze --unfreeze "$2"'
    const next = spawn('/bin/sh', ['-c', script, 'sh', `${seconds}`, mount], { detached: true, stdio: 'ignore' })
    next.unref()
    waiting.set(mount, next)
    if (pid !== undefined) endGroup(pid)
  }
}

/** What a writer runs: numbers lines of a file, and prints each number once the filesystem has it for certain. */
export function writing(file: string): readonly string[] {
  const script = 'i=0; while :; do i=$((i + 1)); echo "$i" >>"$1" && sync "$1" && echo "$i"; sleep 0.05; done'
  return ['/bin/sh', '-c', script, 'sh', file]
}

/** How many lines a writer has written. */
export async function written(namespace: string, pod: string): Promise<number> {
  return Number((await logsOf(namespace, pod, 'main', ['--tail=1'])).trim())
}

/** Waits until nothing is written to a file of a volume any more. @returns how long it is */
export function stands(volume: VolumeOfClaim, file: string): Promise<number> {
  return waitFor(`the writer of ${file} to stand still`, async () => {
    const before = sizeOf(volume, file)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    return sizeOf(volume, file) === before && before
  })
}

/** Waits until a file of a volume is longer than this. @returns how long it is */
export function goesOn(volume: VolumeOfClaim, file: string, than: number, seconds = 60): Promise<number> {
  const longer = async (): Promise<number | false> => {
    const size = sizeOf(volume, file)
    return size > than && size
  }
  return waitFor(`the writer of ${file} to go on`, longer, seconds)
}

/** Nothing is read from a filesystem that may be frozen. */
function sizeOf(volume: VolumeOfClaim, file: string): number {
  return statSync(join(mountOf(volume), file)).size
}
