import type { CheckContext, PlannedStep, Target } from '@holdfast/sdk'
import { sourceUrl } from '../benji/source-url.ts'
import { formatImage } from '../rbd/image.ts'
import type { Volume } from '../target.ts'
import type { BackupConfig } from './options.ts'

/** What a backup of a volume does, for `holdfast plan`. Without asking Ceph: full or differential is seen only there. */
export function describeBackup({
  config,
  target,
}: CheckContext<BackupConfig> & { readonly target: Target<Volume> }): readonly PlannedStep[] {
  const { volume, image, claim, refused } = target.data
  if (refused?.as === 'skipped') return [{ kind: 'api', what: `skips it: ${refused.reason}` }]
  if (refused || !image) return [{ kind: 'api', what: `fails: ${refused?.reason ?? 'it has no image'}` }]
  const where = formatImage(image)
  const { freeze, compare = false, differential = true, engine } = config
  const freezes = claim?.freeze === true && freeze?.mode !== 'never'
  return [
    ...(freezes
      ? [{ kind: 'undo' as const, what: 'freezes the filesystem until the snapshot is made', where: volume }]
      : []),
    { kind: 'exec', what: 'rbd snap create, removed again unless a version comes of it', where },
    { kind: 'exec', what: 'rbd diff', where },
    { kind: 'exec', what: `benji backup of ${sourceUrl(engine, image)}`, where: volume },
    ...(compare === false
      ? []
      : [{ kind: 'exec' as const, what: 'benji deep-scrub against the snapshot', where: volume }]),
    {
      kind: 'delete',
      what: differential ? 'snapshots of earlier backups, once the new version is good' : 'its snapshot',
      where,
    },
  ]
}
