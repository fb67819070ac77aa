// Whether the state directory outlives the container (DESIGN §4c): on the container's own layer it does not, and
// neither do the undos that are armed in it.
import { readFileSync, realpathSync } from 'node:fs'
import type { Meter } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { RuntimeLogger } from '../telemetry/log.ts'

/** One line of /proc/self/mountinfo, as far as it matters here. */
interface Mount {
  readonly point: string
  readonly type: string
}

/** Filesystems that a container's own layer is made of. */
const layerTypes: ReadonlySet<string> = new Set(['overlay', 'aufs', 'fuse.fuse-overlayfs', 'btrfs-overlay', 'vfs'])

/**
 * Whether a path is on the container's own writable layer, which is thrown away when the container restarts.
 *
 * @param path - an absolute path that exists
 * @param mountinfo - the content of /proc/self/mountinfo
 */
export function isOnContainerLayer(path: string, mountinfo: string): boolean {
  const mounts = mountinfo.split('\n').flatMap(parseMount)
  const within = ({ point }: Mount): boolean => point === '/' || path === point || path.startsWith(`${point}/`)
  // Of mounts at one place the last one is seen.
  const mount = mounts
    .filter(within)
    .toSorted((a, b) => a.point.length - b.point.length)
    .at(-1)
  return mount !== undefined && mount.point === '/' && layerTypes.has(mount.type)
}

/** Whether what is armed in this directory survives a restart of the container; true where that can't be told. */
export function isStateDurable(stateDirectory: string): boolean {
  try {
    return !isOnContainerLayer(realpathSync(stateDirectory), readFileSync('/proc/self/mountinfo', 'utf8'))
  } catch {
    return true
  }
}

/** Sets the metric of it. @param isDurable - of the state directory, or of what mirrors its undos */
export function reportDurability(meter: Meter, isDurable: boolean): void {
  const gauge = meter.gauge('holdfast_state_durable', 'Whether armed undos survive a restart of the container')
  gauge.set(isDurable ? 1 : 0)
}

/** Says that undos in this state directory die with the container. */
export function warnNotDurable(log: RuntimeLogger, stateDirectory: string): void {
  const error = errors.STATE_NOT_DURABLE({ path: stateDirectory })
  log.warn(error.message, { error })
}

function parseMount(line: string): Mount[] {
  // 36 35 98:0 /root /mount/point options shared:1 - type source super-options
  const [before, after] = line.split(' - ')
  const point = before?.split(' ')[4]
  const type = after?.split(' ')[0]
  if (point === undefined || type === undefined) return []
  return [
    { point: point.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))), type },
  ]
}
