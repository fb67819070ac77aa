import type { Duration } from '@holdfast/sdk'
import * as z from 'zod'
import { parseQuantity } from '../discovery/quantity.ts'
import { duration } from '../engine.ts'
import { parseImage } from '../rbd/image.ts'

const name = z.string().regex(/^[^/\s]+(\/[^/\s]+)?$/, { error: 'use [namespace/]name' })

/** Validates `--to key=value …`: one of `pvc`, `image` and `file`, and how. */
export const restoreOptions = z
  .strictObject({
    /** A claim, `[namespace/]name`, that is there or is made. Without a namespace: that of the claim that was backed up, else ours. */
    pvc: name.optional(),
    /** Of a claim that is made. Default: that of the claim that was backed up, else the cluster's default. */
    storageClass: z.string().min(1).optional(),
    /** Of a claim that is made, such as `20Gi`. Default: the version's. Rounded up to whole MiB. */
    size: z
      .string()
      .refine((text) => (parseQuantity(text) ?? 0) > 0, { error: 'use a size such as 20Gi' })
      .optional(),
    /** The longest to wait until a claim is bound. Default `5m`. */
    wait: z
      .string()
      .refine((text) => duration.safeParse(text).success, { error: 'use a duration such as 10m' })
      .transform((text) => text as Duration)
      .optional(),
    /** `pool/[namespace/]image`; made, if it isn't there. */
    image: z
      .string()
      .refine((text) => parseImage(text) !== undefined, { error: 'use pool/image or pool/namespace/image' })
      .optional(),
    /** A file or a block device of this machine. Benji's configuration needs an io called `file`, with module file. */
    file: z
      .string()
      .min(1)
      .refine((text) => !/[?\p{Cc}]/u.test(text), {
        error: 'Benji takes no path with a question mark, and leaves out control characters: it would write elsewhere',
      })
      .optional(),
    /** `true`: says what would be done, and does nothing. */
    'dry-run': z.enum(['true', 'false']).optional(),
  })
  .refine(({ pvc, image, file }) => [pvc, image, file].filter((each) => each !== undefined).length === 1, {
    error: 'say where to: pvc=[namespace/]name, image=pool/image or file=/path, one of them',
  })
  .refine(({ pvc, storageClass, size, wait }) => pvc !== undefined || (storageClass ?? size ?? wait) === undefined, {
    error: 'storageClass, size and wait are for claims: say pvc=[namespace/]name',
  })

/** How somebody wants a version restored. */
export type RestoreOptions = z.output<typeof restoreOptions>
