import type { RestoreCheckContext, RestoreDefinition } from '@holdfast/sdk'
import { createBenji } from '../benji/create-benji.ts'
import { parseImage } from '../rbd/image.ts'
import { createRbd } from '../rbd/create-rbd.ts'
import { claimDestination } from './claim.ts'
import type { Restore, RestoreConfig } from './context.ts'
import type { Destination } from './destination.ts'
import { fileDestination } from './file.ts'
import { fitVersion } from './fit-version.ts'
import { imageDestination } from './image.ts'
import { restoreOptions, type RestoreOptions } from './options.ts'
import { listPoints } from './points.ts'
import { writeVersion } from './write-version.ts'

/**
 * How volumes are restored: a version of Benji into a claim, an image or a file. A plugin that has it lists
 * `restoreUndos`. Everything that can be known is looked at before anything is done, once more after the check.
 */
export const restoreVolume: RestoreDefinition<RestoreConfig, typeof restoreOptions> = {
  options: restoreOptions,
  points: listPoints,
  async check(ctx) {
    const { steps } = await planRestore(ctx)
    return steps.map((what) => ({ kind: 'exec', what }))
  },
  async run(ctx) {
    const { restore, destination, steps } = await planRestore(ctx)
    if (ctx.options['dry-run'] === 'true' || ctx.run.dryRun) return { where: { dryRun: steps } }
    return { where: await writeVersion(restore, destination, ctx.undo) }
  },
}

/** What a restore would do. Throws what is in its way. */
async function planRestore(ctx: RestoreCheckContext<RestoreConfig, RestoreOptions>): Promise<{
  readonly restore: Restore
  readonly destination: Destination
  readonly steps: readonly string[]
}> {
  const { point, options, force } = ctx
  const { engine } = ctx.config
  const benji = createBenji(ctx, engine)
  const version = await fitVersion(benji, point.id, force)
  const restore: Restore = { ctx, benji, rbd: createRbd(ctx, engine), version, options, force }
  const destination = await destinationOf(restore)
  return { restore, destination, steps: stepsOf(restore, destination) }
}

function destinationOf(restore: Restore): Promise<Destination> {
  const { pvc, image, file } = restore.options
  const target = image === undefined ? undefined : parseImage(image)
  if (target) return imageDestination(restore, target)
  return pvc === undefined ? fileDestination(restore, file ?? '') : claimDestination(restore, pvc)
}

function stepsOf({ version }: Restore, destination: Destination): readonly string[] {
  const { uid } = version
  return [
    ...(version.protected ? [] : [`protect version ${uid} as long as it is read`]),
    ...destination.steps,
    `check that no block of ${uid} was damaged`,
  ]
}
