import { defineUndo } from '@holdfast/sdk'
import * as z from 'zod'
import { createBenji } from '../benji/create-benji.ts'
import { and, equals } from '../benji/filter.ts'
import { rbdImageSchema } from '../rbd/image.ts'
import { createRbd } from '../rbd/create-rbd.ts'
import { isOfImage } from './of-image.ts'
import { engineOf, storedEngine } from '../undo/engine.ts'

/**
 * Removes a snapshot that no good backup came of. A valid version makes it the base of the next backup, so then it stays:
 * the process may have been killed after the backup was through.
 */
export const snapshotUndo = defineUndo({
  name: 'benji-snapshot',
  input: z.strictObject({
    engine: storedEngine,
    image: rbdImageSchema,
    snapshot: z.string(),
    volume: z.string(),
  }),
  deadline: '2m',
  async run({ engine: stored, image, snapshot, volume }, ctx) {
    const engine = engineOf(stored, ctx)
    const rbd = createRbd(ctx, engine)
    const found = await rbd.info(image)
    if (found === undefined) return
    const snapshots = await rbd.snapshots(image)
    if (!snapshots.some(({ name }) => name === snapshot)) return
    const versions = await createBenji(ctx, engine).ls(and(equals('volume', volume), equals('snapshot', snapshot)))
    if (versions.some((version) => version.status === 'valid' && isOfImage(version, image))) return
    await rbd.removeSnapshot(image, snapshot)
  },
})
