import { defineUndo } from '@holdfast/sdk'
import * as z from 'zod'
import { createBenji } from '../benji/create-benji.ts'
import { engineOf, storedEngine } from './engine.ts'

/**
 * Lets versions go again that were protected for a while. Those that somebody removed or unprotected meanwhile are left
 * alone.
 */
export const unprotect = defineUndo({
  name: 'benji-unprotect',
  input: z.strictObject({ uids: z.array(z.string()), engine: storedEngine }),
  deadline: '10m',
  async run({ uids, engine: stored }, ctx) {
    const engine = engineOf(stored, ctx)
    const benji = createBenji(ctx, engine)
    // A bare `protected` means something else to Benji (C7).
    const stillProtected = new Set((await benji.ls('protected == True')).map(({ uid }) => uid))
    const left = uids.filter((uid) => stillProtected.has(uid))
    if (left.length > 0) await benji.unprotect(left)
  },
})
