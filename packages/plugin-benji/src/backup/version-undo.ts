import { defineUndo } from '@holdfast/sdk'
import * as z from 'zod'
import { createBenji } from '../benji/create-benji.ts'
import { equals } from '../benji/filter.ts'
import { stopLeftBehind } from '../benji/left-behind.ts'
import { engineOf, storedEngine } from '../undo/engine.ts'

/**
 * Ends a backup that didn't come to its end: an incomplete version is removed with the lock that a killed Benji leaves
 * for ever (C6, K30); a valid one gets its labels, which Benji adds last, so that it is found and pruned like any other.
 */
export const versionUndo = defineUndo({
  name: 'benji-version',
  input: z.strictObject({
    engine: storedEngine,
    uid: z.string(),
    labels: z.record(z.string(), z.string()),
  }),
  deadline: '2m',
  async run({ engine: stored, uid, labels }, ctx) {
    const engine = engineOf(stored, ctx)
    // A Benji whose parent was killed goes on; a version that is being written must not be removed under it.
    await stopLeftBehind(uid, ctx)
    const benji = createBenji(ctx, engine)
    const version = await benji.find(uid)
    if (version === undefined) return
    if (version.status !== 'valid') return benji.rm([uid], { force: true, overrideLock: true })
    await benji.label(uid, labels)
    await benji.metadataBackup(equals('uid', uid))
  },
})
