import type { RestorePoint, RunContext } from '@holdfast/sdk'
import { createBenji } from '../benji/create-benji.ts'
import { and, equals, equalsLabel } from '../benji/filter.ts'
import { metadataInStorage } from '../benji/metadata-in-storage.ts'
import { versionsForRetention } from '../benji/run-versions.ts'
import type { BenjiVersion } from '../benji/version.ts'
import { instanceOf } from '../engine.ts'
import { storageOf } from '../benji/place.ts'
import { labelNames, ownLabelNames, planLabel } from '../labels.ts'
import type { RestoreConfig } from './context.ts'

/**
 * What can be restored: the versions of our instance. For retention only those that this plan has made, or nobody says who,
 * in the storage that it writes to: another plan's are that plan's to let go, however many there are.
 */
export async function* listPoints(
  ctx: Pick<RunContext<RestoreConfig>, 'config' | 'run' | 'exec' | 'signal' | 'log' | 'clock'>,
  { target, forRetention = false }: { readonly target?: string; readonly forRetention?: boolean },
): AsyncGenerator<RestorePoint> {
  const { engine } = ctx.config
  const benji = createBenji(ctx, engine)
  const ours = equalsLabel(labelNames.instance, instanceOf(engine))
  const all =
    target === undefined
      ? await benji.ls(ours)
      : forRetention
        ? await versionsForRetention(ctx, benji, target)
        : await benji.ls(and(ours, equals('volume', target)))
  const storage = forRetention ? await storageOf(engine) : undefined
  const versions = all.filter((version) => storage === undefined || isOfPlan(version, ctx.run.plan, storage))
  if (versions.length === 0) return
  const inStorage = await metadataInStorage(ctx, benji, engine).catch((error: unknown): ReadonlySet<string> => {
    if (ctx.signal.aborted) throw error
    const reason = error instanceof Error ? error.message : String(error)
    ctx.log.warn(`which versions could be recovered without Benji's database is not known: ${reason}`)
    return new Set()
  })
  for (const version of versions) yield pointOf(version, inStorage)
}

function isOfPlan({ labels, storage }: BenjiVersion, plan: string, own: string): boolean {
  const { [ownLabelNames.plan]: maker = planLabel(plan) } = labels
  return storage === own && maker === planLabel(plan)
}

/**
 * A version as a restore point.
 *
 * @param inStorage - uids whose metadata is in the storage: the others would be lost with Benji's database
 */
export function pointOf(version: BenjiVersion, inStorage: ReadonlySet<string>): RestorePoint {
  const { uid, volume, snapshot, storage, date, size } = version
  const state = stateOf(version)
  const isVerified = state === 'valid' && isLabelled(version) && inStorage.has(uid)
  return {
    id: uid,
    target: volume,
    createdAt: date,
    size,
    mode: modeOf(version),
    state,
    verifiedAt: isVerified ? new Date(date.getTime() + (version.durationSeconds ?? 0) * 1000) : undefined,
    ref: { uid, volume, snapshot, storage },
  }
}

/** How far a version can be trusted. */
export function stateOf({ status, labels }: Pick<BenjiVersion, 'status' | 'labels'>): RestorePoint['state'] {
  return status === 'valid' && labels[ownLabelNames.sourceMismatch] !== undefined ? 'suspect' : status
}

/** As its backup labelled it; of what others have made nobody knows. */
function modeOf({ labels }: BenjiVersion): RestorePoint['mode'] {
  const mode = labels[ownLabelNames.mode]
  return mode === 'full' || mode === 'differential' ? mode : undefined
}

function isLabelled({ labels }: BenjiVersion): boolean {
  return [labelNames.instance, labelNames.pool, labelNames.image].every((name) => labels[name])
}
