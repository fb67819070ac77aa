import { defaultKubeletRoot } from './options.ts'

/** A mount to freeze at. */
export interface FoundMount {
  /** `MAJOR:MINOR`. */
  readonly device: string
  readonly path: string
}

/** Why there is none, and what may help. */
export interface NoMount {
  readonly reason: string
  readonly advice: string
}

/** Options of {@link chooseMount}. */
export interface ChooseMountOptions {
  /** What the agent has printed, see `lookScript`. */
  readonly found: string
  /** `pool/[namespace/]image`. */
  readonly image: string
  /** Name of the PersistentVolume: the kubelet has it in the paths of pods' mounts. */
  readonly volume: string | undefined
  readonly kubeletRoot: string
}

interface Device {
  readonly number: string
  readonly name: string
  readonly snapshot: string
}

interface Mount {
  readonly number: string
  /** What of the filesystem is mounted. */
  readonly root: string
  readonly path: string
  readonly readOnly: boolean
  readonly type: string
  readonly source: string
}

/** Nothing of these can be frozen for the sake of an image, whatever number they claim. */
const refusedTypes =
  /^(overlay|aufs|nfs\d?|cifs|smb3?|ceph|9p|virtiofs|tmpfs|ramfs|fuse.*|glusterfs|lustre|gfs2|ocfs2)$/

/**
 * Chooses where to freeze: a mount of exactly the device that the image is, below the kubelet's directory, that can be
 * written to. The one that all pods share, if it is there.
 */
export function chooseMount({ found, image, volume, kubeletRoot }: ChooseMountOptions): FoundMount | NoMount {
  const lines = found.split('\n')
  if (lines.includes('no-root')) {
    return {
      reason: `its agent does not see the kubelet's directory ${kubeletRoot}`,
      advice: `Mount it there in the agent, with HostToContainer; if the kubelet's directory is not ${defaultKubeletRoot}, say freeze.kubeletRoot.`,
    }
  }
  const all = rest(lines, 'device').map(readDevice)
  const devices = all.filter(({ snapshot }) => snapshot === '-')
  const [first] = devices
  if (!first) {
    return all.length > 0
      ? {
          reason: `only a snapshot of ${image} is mapped on its node`,
          advice: 'A snapshot stands still by itself: look at what the claim really is.',
        }
      : {
          reason: `${image} is not mapped on its node: the kernel does not name it, and no rbd-nbd that its agent can see`,
          advice: 'Where images are mapped by rbd-nbd, the agent needs hostPID.',
        }
  }
  const mounts = rest(lines, 'mount').flatMap(readMount)
  const usable = devices.map((device) => ({
    device,
    mounts: mounts.filter((mount) => mount.number === device.number && isBelow(mount.path, kubeletRoot)),
  }))
  const mounted = usable.filter((each) => each.mounts.length > 0)
  const [only = usable[0], ...others] = narrow(mounted, volume)
  if (!only || only.mounts.length === 0) return notMounted(devices, mounts, lines, kubeletRoot)
  if (others.length > 0) {
    const names = [only, ...others].map(({ device }) => `/dev/${device.name}`).join(', ')
    return {
      reason: `${image} is mounted from several devices of its node (${names}), of which one may be another cluster's`,
      advice: 'Which of them is meant cannot be known.',
    }
  }
  return choose(only)
}

/** The one whose mounts the kubelet has named after the volume, if that is one. */
function narrow<Each extends { readonly mounts: readonly Mount[] }>(
  mounted: readonly Each[],
  volume: string | undefined,
): readonly Each[] {
  if (mounted.length < 2 || volume === undefined) return mounted
  const named = mounted.filter(({ mounts }) => mounts.some(({ path }) => path.split('/').includes(volume)))
  return named.length === 1 ? named : mounted
}

function choose({
  device,
  mounts,
}: {
  readonly device: Device
  readonly mounts: readonly Mount[]
}): FoundMount | NoMount {
  const refused = mounts.find(({ type }) => refusedTypes.test(type))
  if (refused) {
    return {
      reason: `${refused.path} is ${refused.type}, which is no filesystem on a block device`,
      advice: 'Only filesystems on the image itself, such as ext4 and xfs, can be frozen.',
    }
  }
  const writable = mounts.filter(({ readOnly }) => !readOnly)
  const [best] = writable.toSorted(
    (a, b) =>
      Number(isShared(b)) - Number(isShared(a)) ||
      Number(b.root === '/') - Number(a.root === '/') ||
      a.path.length - b.path.length,
  )
  if (!best) {
    return {
      reason: `it is mounted read-only on its node (/dev/${device.name})`,
      advice: 'Nothing can be written to it there, so it needs no freeze.',
    }
  }
  // The shell reads these line by line.
  if (/[\n\r]/.test(best.path)) {
    return { reason: `its mount ${JSON.stringify(best.path)} has a line break in its name`, advice: '' }
  }
  return { device: device.number, path: best.path }
}

function notMounted(
  devices: readonly Device[],
  mounts: readonly Mount[],
  lines: readonly string[],
  kubeletRoot: string,
): NoMount {
  const named = devices.map(({ name, number }) => `/dev/${name} (${number})`).join(', ')
  const holders = [...new Set(rest(lines, 'holder').map((line) => line.split(' ')[1] ?? ''))]
  if (holders.length > 0) {
    return {
      reason: `its filesystem is not on ${named} but on ${holders.join(', ')}, which lies between`,
      advice: 'Encrypted volumes and other layers of the device mapper cannot be frozen.',
    }
  }
  const bySource = mounts.find(({ source }) => devices.some(({ name }) => source === `/dev/${name}`))
  if (bySource && isBelow(bySource.path, kubeletRoot)) {
    return {
      reason: `its filesystem (${bySource.type}) does not carry the number of its device ${named}, so that it cannot be told from others`,
      advice: 'Use ext4 or xfs for volumes that are to be frozen.',
    }
  }
  return {
    reason: `it is mapped as ${named} on its node, but not mounted below ${kubeletRoot}, as far as its agent sees`,
    advice: `The agent needs ${kubeletRoot} with mountPropagation: HostToContainer. Another directory of the kubelet is freeze.kubeletRoot.`,
  }
}

function rest(lines: readonly string[], word: string): readonly string[] {
  return lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))
}

function readDevice(text: string): Device {
  const [number = '', name = '', snapshot = ''] = text.split(' ')
  return { number, name, snapshot }
}

/** `36 35 252:0 / /where rw,relatime shared:1 - ext4 /dev/rbd0 rw` */
function readMount(line: string): readonly Mount[] {
  const [left = '', right = ''] = line.split(' - ', 2)
  const [, , number, root, point, options] = left.split(' ')
  const [type, source, superOptions] = right.split(' ')
  if (number === undefined || root === undefined || point === undefined || type === undefined) return []
  const readOnly = [options, superOptions].some((list) => list?.split(',').includes('ro'))
  return [{ number, root: unescape(root), path: unescape(point), readOnly, type, source: unescape(source ?? '') }]
}

/** The kernel writes blanks, tabs, line breaks and backslashes as three octal digits. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/** A path as mountinfo writes it. */
export function escapeMountPoint(path: string): string {
  return path.replaceAll(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

function isBelow(path: string, root: string): boolean {
  return path.startsWith(root.endsWith('/') ? root : `${root}/`)
}

/** Where a CSI driver stages a volume, once for all pods of the node. */
function isShared({ path }: Mount): boolean {
  return path.split('/').includes('globalmount')
}
