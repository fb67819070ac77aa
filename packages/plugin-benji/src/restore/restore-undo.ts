import { defineUndo, type UndoContext } from '@holdfast/sdk'
import * as z from 'zod'
import { stopLeftBehind } from '../benji/left-behind.ts'
import type { PersistentVolumeClaim } from '../discovery/objects.ts'
import type { NewClaimMark } from './destination.ts'
import { markAnnotation } from './new-claim.ts'

/**
 * Ends a restore that didn't come to its end: a Benji that outlived its parent must not go on writing into what is told
 * to be free, and a claim that was made for it is removed, with half a volume in it. Another claim of its name stays.
 */
export const restoreUndo = defineUndo({
  name: 'benji-restore-claim',
  input: z.strictObject({
    uid: z.string(),
    /** A claim that the restore makes. */
    claim: z.strictObject({ namespace: z.string(), name: z.string(), mark: z.string() }).optional(),
  }),
  deadline: '5m',
  async run({ uid, claim }, ctx) {
    if (ctx.recovered) await stopLeftBehind(uid, ctx)
    if (claim) await removeClaim(claim, ctx)
  },
})

async function removeClaim({ namespace, name, mark }: NewClaimMark, { kubernetes, log }: UndoContext): Promise<void> {
  if (!kubernetes) throw new Error(`the claim ${namespace}/${name} can't be removed: there is no Kubernetes here`)
  const found = await kubernetes.get<PersistentVolumeClaim>('persistentvolumeclaims', name, { namespace })
  if (found?.metadata.annotations?.[markAnnotation] !== mark) return
  await kubernetes.delete('persistentvolumeclaims', name, { namespace })
  log.warn(`the claim ${namespace}/${name} is removed: what was restored into it is not complete`)
}
