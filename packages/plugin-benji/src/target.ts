import * as z from 'zod'
import { rbdImageSchema } from './rbd/image.ts'

/** The claim behind a volume. */
export const claimSchema = z.strictObject({
  namespace: z.string(),
  name: z.string(),
  uid: z.string().optional(),
  /** Name of its PersistentVolume; none while it is not bound. */
  pv: z.string().optional(),
  storageClass: z.string().optional(),
  accessModes: z.array(z.string()),
  volumeMode: z.string(),
  /** The annotation `benji-backup.me/fsfreeze` is `yes`. */
  freeze: z.boolean(),
  /** Bytes that the claim has, as far as it says so. */
  capacity: z.number().optional(),
})

/** The claim behind a volume. */
export type Claim = z.output<typeof claimSchema>

/** What a target of `benjiBackup` is: an image, mostly that of a claim; or a claim that can't be backed up, with the reason. */
export const volumeSchema = z.strictObject({
  /** Benji's name of the volume: `<namespace>/<claim>`, or `pool/[ns/]image`. */
  volume: z.string(),
  claim: claimSchema.optional(),
  image: rbdImageSchema.optional(),
  /** Why there is no image: `skipped` isn't ours, `failed` should be backed up and can't be. */
  refused: z.strictObject({ as: z.enum(['skipped', 'failed']), reason: z.string() }).optional(),
})

/** What a target of `benjiBackup` is. */
export type Volume = z.output<typeof volumeSchema>
