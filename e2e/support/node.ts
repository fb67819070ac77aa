// The node as its root sees it: processes of containers, to kill and to stop them.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { getObject, succeed } from './kubectl.ts'
import type { Pod } from './pods.ts'

/** The processes of a container, the first one first: what it has started, and what was started in it by exec. */
export async function processesOf(namespace: string, pod: string, container: string): Promise<readonly number[]> {
  const found = await getObject<Pod>('pod', pod, namespace)
  const status = [...(found?.status.containerStatuses ?? []), ...(found?.status.initContainerStatuses ?? [])]
  const id = status.find(({ name }) => name === container)?.containerID?.replace('containerd://', '')
  if (id === undefined) throw new Error(`pod ${pod} has no running container ${container}`)
  const directory = process.env['HOLDFAST_E2E_DIR'] ?? `${process.env['HOME']}/.cache/holdfast-e2e`
  const tasks = await succeed('ctr', ['-a', `${directory}/cluster/containerd.sock`, '-n', 'k8s.io', 'tasks', 'ls'])
  const line = tasks.split('\n').find((each) => each.startsWith(id))
  const first = Number(line?.trim().split(/\s+/)[1])
  if (!Number.isInteger(first)) throw new Error(`no task for container ${id}`)
  const inside = namespaceOf(first)
  if (inside === namespaceOf('self')) return [first, ...descendantsOf(first)]
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger)
  return [first, ...all.filter((pid) => pid !== first && namespaceOf(pid) === inside)]
}

/** Whose processes see each other; `undefined` for one that has ended. */
function namespaceOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined
  }
}

/** Kills a process and all that it has started: as the end of a container does. */
export function killTree(pid: number): void {
  signalAll([pid, ...descendantsOf(pid)], 'SIGKILL')
}

/** Ends a process that leads a group of its own, with its group. */
export function endGroup(pid: number): void {
  signalAll([-pid], 'SIGTERM')
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      // It has ended meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** The processes that a process has started, and theirs. */
function descendantsOf(pid: number): readonly number[] {
  const children = childrenOf(pid).trim().split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...descendantsOf(child)])
}

/** As the kernel writes them; none of a process that has ended. */
function childrenOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  } catch {
    return ''
  }
}

/** Sends a signal to every process of a container: as the kernel does when the node runs out of memory, say. */
export async function signalContainer(
  namespace: string,
  pod: string,
  container: string,
  signal: NodeJS.Signals,
): Promise<void> {
  signalAll(await processesOf(namespace, pod, container), signal)
}
