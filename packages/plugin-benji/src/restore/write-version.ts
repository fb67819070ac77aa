import { isHoldfastError, type Json, type Undos } from '@holdfast/sdk'
import { postEvent, type BenjiEvent } from '../event.ts'
import { errors } from '../errors.ts'
import { imageLock } from '../rbd/image-lock.ts'
import { storeEngine } from '../undo/engine.ts'
import { unprotect } from '../undo/unprotect.ts'
import type { Restore } from './context.ts'
import type { Destination, OpenDestination } from './destination.ts'
import { restoreUndo } from './restore-undo.ts'

/** The longest to wait for a backup, or another restore, of the image that is written to. */
const lockWait = '1m'

/** What is seen before the first byte is written. */
const untouched: ReadonlySet<string> = new Set([
  errors.VOLUME_IN_USE.code,
  'LOCK_BUSY',
  'BENJI_LOCKED',
  'BENJI_NOT_FOUND',
])

/**
 * Writes a version to its destination.
 *
 * @returns where it is
 * @throws HoldfastError `VOLUME_RESTORE_FAILED`, `VOLUME_RESTORE_DAMAGED`, or what kept it from beginning
 */
export async function writeVersion(restore: Restore, destination: Destination, undo: Undos): Promise<Json> {
  const { ctx, benji, version } = restore
  const { uid } = version
  const began = ctx.clock.now().getTime()
  // Against a retention that runs meanwhile (K35). What somebody protected stays so.
  const held = version.protected
    ? undefined
    : await undo.arm(unprotect, { uids: [uid], engine: storeEngine(ctx.config.engine) })
  if (held) await benji.protect([uid])
  const unfinished = await undo.arm(restoreUndo, { uid, claim: destination.creates })
  let open: OpenDestination | undefined
  try {
    open = await destination.open()
    const problems = await writeLocked(restore, open)
    // What is damaged may still be the best that there is: it stays, and the error says so.
    await unfinished.disarm()
    const [problem] = problems
    if (problem !== undefined) {
      const { name: place } = destination
      throw errors.VOLUME_RESTORE_DAMAGED({ uid, place, count: problems.length, problem })
    }
  } catch (error) {
    const failure = open ? describe(restore, destination, open, error) : error
    const message = `Restore of ${uid} failed: ${messageOf(failure)}`
    await tell(restore, open, { type: 'Warning', reason: 'FailedRestore', message })
    throw failure
  }
  await held?.fire()
  const seconds = Math.round((ctx.clock.now().getTime() - began) / 1000)
  const message = `Restore of ${uid} completed successfully (took ${seconds} seconds).`
  await tell(restore, open, { type: 'Normal', reason: 'SuccessfulRestore', message })
  return open.where
}

/** A backup of an image that is being overwritten would be neither the old nor the new. */
function writeLocked(restore: Restore, open: OpenDestination): Promise<readonly string[]> {
  const write = (): Promise<readonly string[]> => writeTo(restore, open)
  if (!open.image) return write()
  return restore.ctx.lock(imageLock(open.image), write, { wait: lockWait })
}

/** @returns what Benji found wrong: it calls every restore a success (C2) */
async function writeTo({ ctx, benji, version }: Restore, open: OpenDestination): Promise<readonly string[]> {
  await open.check?.()
  const { uid, status } = version
  const { problems } = await benji.restore(
    { uid, to: open.url, sparse: open.isEmpty, force: open.exists },
    (done, total, task) => ctx.progress(done, total, task),
  )
  if (problems.length > 0) return problems
  const after = await benji.find(uid)
  if (after?.status === status) return []
  return [after ? `the version was ${status}, and is ${after.status} now` : 'the version was removed while it was read']
}

/** A failure after the destination was opened, with what it leaves behind. */
function describe({ ctx, version }: Restore, destination: Destination, open: OpenDestination, error: unknown): unknown {
  if (ctx.signal.aborted || !isHoldfastError(error)) return error
  if (untouched.has(error.code) || error.code === errors.VOLUME_RESTORE_DAMAGED.code) return error
  const { name: place, creates } = destination
  const left = creates
    ? `${place}, which was made for it, is removed`
    : `${place} may hold ${open.exists ? 'old and new data mixed' : 'a part of it'}`
  return errors.VOLUME_RESTORE_FAILED({ uid: version.uid, place, reason: error.message, left }, { cause: error })
}

async function tell({ ctx }: Restore, open: OpenDestination | undefined, event: BenjiEvent): Promise<void> {
  await postEvent(ctx, open?.claim, event, ctx.config.engine)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
