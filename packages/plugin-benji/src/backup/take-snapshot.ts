import { isHoldfastError, parseDuration, type TargetContext } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { findFreezable } from '../freeze/find-freezable.ts'
import type { Freezable, FrozenFilesystem } from '../freeze/frozen.ts'
import { defaultLimit } from '../freeze/options.ts'
import type { RbdImage } from '../rbd/image.ts'
import type { Rbd } from '../rbd/rbd.ts'
import type { Volume } from '../target.ts'
import type { BackupConfig } from './options.ts'

const createTimeoutMs = 60_000
/** Of what a filesystem may be held frozen: the rest is for the thaw. */
const frozenShare = 0.8
/** What was asked of Ceph before a call was given up is done by then, or never. */
const settleMs = 2000
/** `EEXIST`, as `rbd` exits with. */
const fileExists = 17

type Context = TargetContext<BackupConfig, Volume>

/** A snapshot that can be trusted. */
export interface TakenSnapshot {
  /** How long the filesystem stood still, in milliseconds; `undefined` when nothing was frozen. */
  readonly frozenMs: number | undefined
}

/** Looks up what is to be frozen, before anything is done. `undefined`: nothing is. */
export async function prepareFreeze(ctx: Context, image: RbdImage): Promise<Freezable | undefined> {
  const { claim } = ctx.target.data
  const { mode = 'required' } = ctx.config.freeze ?? {}
  if (!claim?.freeze || mode === 'never') return undefined
  try {
    return await findFreezable(ctx, { claim, image }, ctx.config.freeze ?? {})
  } catch (error) {
    if (mode === 'required' || !isHoldfastError(error) || error.code !== 'FREEZE_IMPOSSIBLE') throw error
    ctx.log.warn(`${error.message}: it is backed up without being frozen, as best-effort says`)
    return undefined
  }
}

/**
 * Makes a snapshot, of a filesystem that stands still where there is something to freeze. Its undo is armed already.
 *
 * @throws HoldfastError `FREEZE_…`, `RBD_…`, after the thaw
 */
export async function takeSnapshot(
  ctx: Context,
  rbd: Rbd,
  image: RbdImage,
  snapshot: string,
  freezable: Freezable | undefined,
): Promise<TakenSnapshot> {
  const frozen = await freezable?.freeze()
  let failure: Error | undefined
  try {
    await rbd.createSnapshot(image, snapshot, { timeout: frozen ? frozenTimeoutMs(ctx) : createTimeoutMs })
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
  }
  const thawed = frozen && (await thaw(frozen, failure))
  if (failure !== undefined) {
    if (isTaken(failure)) throw failure
    // It may still come into being: the undo must find it (F34).
    await ctx.clock.sleep(settleMs, ctx.signal)
    throw failure
  }
  return { frozenMs: thawed?.frozenMs }
}

/** Whether a snapshot could not be made because somebody else has made one of its name meanwhile. */
export function isTaken(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isHoldfastError(cause) && cause.code === 'RBD_FAILED' && cause.details['exitCode'] === fileExists) return true
  }
  return false
}

function frozenTimeoutMs({ config }: Context): number {
  return Math.floor(parseDuration(config.freeze?.limit ?? defaultLimit) * frozenShare)
}

/** The first failure is told; that of the thaw is beside it, for its undo is pending and says so. */
async function thaw(
  frozen: FrozenFilesystem,
  failure: Error | undefined,
): Promise<{ readonly frozenMs: number } | undefined> {
  try {
    return await frozen.thaw()
  } catch (error) {
    if (failure === undefined) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw errors.SNAPSHOT_AND_THAW_FAILED({ snapshot: failure.message, thaw: reason }, { cause: failure })
  }
}
