import { isHoldfastError, type Duration, type ServiceContext } from '@holdfast/sdk'
import type { BenjiEngine } from '../engine.ts'
import { diff } from './diff.ts'
import { formatImage, type RbdImage } from './image.ts'
import { infoSchema, parseOutput, snapshotsSchema, statusSchema, usageSchema } from './parse.ts'
import type { Rbd } from './rbd.ts'
import { runRbd, type RbdCall } from './run-rbd.ts'

/** Looks at one object. */
const lookTimeout: Duration = '1m'
/** Looks at all of its objects. */
const usageTimeout: Duration = '10m'
/** The image's exclusive lock may have to be asked for from a client that is far away. */
const createTimeout: Duration = '1m'
/** The object map of a large image is written anew. */
const removeTimeout: Duration = '5m'

/** Creates an {@link Rbd} that runs the `rbd` command. */
export function createRbd(
  ctx: Pick<ServiceContext<unknown>, 'exec' | 'signal' | 'log' | 'clock'>,
  engine: BenjiEngine | undefined,
): Rbd {
  const run = async (call: RbdCall): Promise<string> => (await runRbd(ctx, engine, call)).stdout
  const look = (command: readonly [string, ...string[]], image: RbdImage): Promise<string> =>
    run({ command, options: ['--format=json'], spec: formatImage(image), timeout: lookTimeout })

  return {
    async snapshots(image) {
      const snapshots = parseOutput(
        snapshotsSchema,
        await look(['snap', 'ls'], image),
        `rbd snap ls ${formatImage(image)}`,
      )
      return snapshots.toSorted((a, b) => a.id - b.id)
    },
    async createSnapshot(image, snapshot, { timeout = createTimeout } = {}) {
      await run({
        command: ['snap', 'create'],
        options: ['--no-progress'],
        spec: `${formatImage(image)}@${snapshot}`,
        timeout,
      })
    },
    async removeSnapshot(image, snapshot) {
      const spec = `${formatImage(image)}@${snapshot}`
      await unlessMissing(run({ command: ['snap', 'rm'], options: ['--no-progress'], spec, timeout: removeTimeout }))
    },
    diff: (request) => diff(ctx, engine, request),
    async info(image) {
      const text = await unlessMissing(look(['info'], image))
      return text === undefined ? undefined : parseOutput(infoSchema, text, `rbd info ${formatImage(image)}`)
    },
    async usedBytes(image) {
      const text = await run({
        command: ['du'],
        options: ['--format=json'],
        spec: formatImage(image),
        // Without an object map it looks at every object.
        timeout: usageTimeout,
      })
      const { images } = parseOutput(usageSchema, text, `rbd du ${formatImage(image)}`)
      return images.reduce((sum, { used_size: used }) => sum + used, 0)
    },
    async watchers(image) {
      const { watchers } = parseOutput(statusSchema, await look(['status'], image), `rbd status ${formatImage(image)}`)
      return watchers.map(({ address }) => address)
    },
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'RBD_NOT_FOUND') return undefined
    throw error
  }
}
