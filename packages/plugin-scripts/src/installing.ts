import { readFileSync } from 'node:fs'

/** What {@link missingForInstalling} looks at. */
export interface Installing {
  /** Of this process. `undefined` where users have no numbers. */
  readonly user: number | undefined
  /** As in /proc/self/mounts; empty where that is not there. */
  readonly mounts: string
}

/**
 * The settings of a container's security context without which nobody installs packages in it: for whoever reads that a
 * script of `install_dependencies` failed.
 *
 * @returns `undefined` when nothing is in the way
 */
export function missingForInstalling({ user, mounts }: Installing = current()): string | undefined {
  const settings: string[] = []
  if (user !== undefined && user !== 0) settings.push('runAsUser: 0')
  if (isReadOnly(mounts)) settings.push('readOnlyRootFilesystem: false')
  return settings.length === 0 ? undefined : settings.join(' and ')
}

// Not by trying to write: that fails for a user without rights, whatever the file system is.
function isReadOnly(mounts: string): boolean {
  const root = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .findLast(([, place]) => place === '/')
  return root?.[3]?.split(',').includes('ro') ?? false
}

function current(): Installing {
  let mounts = ''
  try {
    mounts = readFileSync('/proc/self/mounts', 'utf8')
  } catch {
    // Not Linux.
  }
  return { user: process.getuid?.(), mounts }
}
