import type { RunContext } from '@holdfast/sdk'
import type { BackupConfig } from '../backup/options.ts'
import type { BenjiVersion } from '../benji/version.ts'
import { volumeOf } from '../discovery/claim-volume.ts'
import { findClaims, findVolumes } from '../discovery/find-claims.ts'
import { labelNames } from '../labels.ts'
import { formatImage } from '../rbd/image.ts'
import { imageOf } from './image-of.ts'

/**
 * Whose an image is: `current`, a volume of this plan; `there`, a claim that is there, perhaps another plan's; `gone`, a
 * claim that is gone or has another image now; `unknown`, it can't be told.
 */
export type Owner = 'current' | 'there' | 'gone' | 'unknown'

/** Who needs which image. */
export interface Owners {
  /** @param path - of the image */
  of(volume: string, path: string): Owner
  /** Volumes of the plan with this image. */
  volumesOf(path: string): readonly string[]
}

/**
 * Looks up the claims that versions were made of. Another plan backs up other claims: that a claim isn't among ours
 * doesn't make its snapshots superfluous.
 *
 * @param current - of the plan: volumes by the path of their image
 */
export async function findOwners(
  ctx: RunContext<BackupConfig>,
  versions: readonly BenjiVersion[],
  current: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Owners> {
  const claims = new Map<string, Set<string>>()
  for (const version of versions) {
    const { [labelNames.pvcNamespace]: namespace, [labelNames.pvc]: name } = version.labels
    const image = imageOf(version)
    if (!namespace || !name || !image || current.get(formatImage(image))?.has(version.volume)) continue
    claims.set(namespace, (claims.get(namespace) ?? new Set()).add(name))
  }
  /** By claim: the path of its image; `''` where it is gone. Missing: not known. */
  const paths = new Map<string, string>()
  for (const [namespace, names] of claims) await lookUp(ctx, namespace, names, paths)
  return {
    volumesOf: (path) => [...(current.get(path) ?? [])],
    of(volume, path) {
      if (current.get(path)?.has(volume)) return 'current'
      const found = paths.get(volume)
      if (found === undefined) return 'unknown'
      return found === path ? 'there' : 'gone'
    },
  }
}

async function lookUp(
  { kubernetes, log, signal }: RunContext<BackupConfig>,
  namespace: string,
  names: ReadonlySet<string>,
  paths: Map<string, string>,
): Promise<void> {
  if (!kubernetes) return
  try {
    const claims = await findClaims(kubernetes, { pvcs: [...names].map((name) => `${namespace}/${name}`) })
    const volumes = await findVolumes(kubernetes, claims)
    for (const { name, object } of claims) {
      const { image } = object ? volumeOf(object, volumes.get(object.spec?.volumeName ?? '')) : {}
      // A claim without an image, or without a volume yet, says nothing.
      if (!object || image) paths.set(`${namespace}/${name}`, image ? formatImage(image) : '')
    }
  } catch (error) {
    if (signal.aborted) throw error
    const reason = error instanceof Error ? error.message : String(error)
    log.warn(`whether claims of the namespace ${namespace} are still there is not known: ${reason}`)
  }
}
