import { errors } from '../errors.ts'
import type { PodParts } from './blueprint.ts'

/** Options of {@link storageParts}. */
export interface StoragePartsOptions {
  readonly name: string
  /** The directory of a store that is one. */
  readonly local: string | undefined
  readonly claim: string | undefined
  readonly stateDirectory: string
}

/**
 * The volume that holds a store which is a directory.
 *
 * @throws HoldfastError `OPTION_INVALID` when a claim was named and the store needs none
 */
export function storageParts({ name, local, claim, stateDirectory }: StoragePartsOptions): PodParts {
  if (local === undefined || isWithin(local, stateDirectory)) {
    if (claim === undefined) return {}
    const allowed = 'a claim for a store that is a directory, such as --storage file:///backups'
    throw errors.OPTION_INVALID({ option: '--storage-claim', value: claim, allowed })
  }
  const claimName = claim ?? `${name}-backups`
  return {
    volumes: [
      {
        value: { name: `${name}-backups`, persistentVolumeClaim: { claimName } },
        comment: 'The backups. The claim must be there; user 1000 must be able to write to it.',
      },
    ],
    mounts: [{ name: `${name}-backups`, mountPath: local }],
  }
}

/**
 * The volumes that hold copies which are directories, each its own: on one disk with the store they would be lost with it.
 *
 * @param directories - of the copies, in the order of the configuration
 * @param other - what has volumes already: the state, the store
 */
export function copyParts(
  name: string,
  directories: readonly string[],
  other: readonly (string | undefined)[],
): readonly PodParts[] {
  const taken = other.filter((directory) => directory !== undefined)
  const own = directories.filter((directory) => !taken.some((parent) => isWithin(directory, parent)))
  return [...new Set(own)].map((mountPath, index) => {
    const volume = index === 0 ? `${name}-copy` : `${name}-copy-${index + 1}`
    return {
      volumes: [
        {
          value: { name: volume, persistentVolumeClaim: { claimName: volume } },
          comment: 'A copy of the backups. The claim must be there; user 1000 must be able to write to it.',
        },
      ],
      mounts: [{ name: volume, mountPath }],
    }
  })
}

function isWithin(directory: string, parent: string): boolean {
  return directory === parent || directory.startsWith(`${parent}/`)
}

/**
 * Makes sure that an address can be written into a manifest, which many may read.
 *
 * @throws HoldfastError `OPTION_INVALID`, without the address
 */
export function checkStorageAddress(option: string, address: string | undefined): void {
  if (address === undefined) return
  const hasUser = /^[a-z][a-z0-9+.-]*:\/\/[^/@]*@/i.test(address)
  if (!hasUser && !/(secret|password|token|access_?key|"key")[^&]*[=:]/i.test(address)) return
  const allowed = 'an address without secrets: name them in variables that come from a Secret, with --secret-env'
  throw errors.OPTION_INVALID({ option, value: `${address.slice(0, address.indexOf(':') + 1)}…`, allowed })
}
