import { open, rm } from 'node:fs/promises'
import type { Sink } from '@holdfast/sdk'
import type { BenjiEngine } from '../engine.ts'
import { errors } from '../errors.ts'
import { createExtentReader, ExtentsBroken } from './extents.ts'
import { formatImage } from './image.ts'
import type { Rbd } from './rbd.ts'
import { runRbd, type RbdContext } from './run-rbd.ts'

/** Without an object map every object of the image is looked at. */
const timeout = '2h'

/**
 * Writes `rbd diff` to a file, and reads it on its way: whatever ends early leaves an error and no file.
 *
 * @throws HoldfastError `RBD_OUTPUT` and the others
 */
export async function diff(
  ctx: RbdContext,
  engine: BenjiEngine | undefined,
  request: Parameters<Rbd['diff']>[0],
): Promise<{ readonly extents: number }> {
  const { image, snapshot, from, wholeObject, file } = request
  const spec = `${formatImage(image)}@${snapshot}`
  const options = [
    '--format=json',
    ...(wholeObject ? ['--whole-object'] : []),
    ...(from === undefined ? [] : [`--from-snap=${from}`]),
  ]
  const reader = createExtentReader()
  const handle = await open(file, 'w', 0o600)
  const stdout: Sink = {
    async write(chunk) {
      reader.push(chunk)
      await handle.writeFile(chunk)
    },
  }
  let whole = false
  try {
    await runRbd(ctx, engine, { command: ['diff'], options, spec, timeout, stdout })
    const extents = reader.end()
    await handle.close()
    whole = true
    return { extents }
  } catch (error) {
    const broken = brokenOf(error)
    if (!broken) throw error
    throw errors.RBD_OUTPUT({ what: `rbd diff ${spec}`, problem: broken.message }, { cause: error })
  } finally {
    if (!whole) {
      await handle.close()
      await rm(file, { force: true })
    }
  }
}

/** What a sink throws comes back as the cause of what the command failed with. */
function brokenOf(error: unknown): ExtentsBroken | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof ExtentsBroken) return cause
  return undefined
}
