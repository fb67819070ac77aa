import type { Duration } from '@holdfast/sdk'
import * as z from 'zod'
import { duration, engineSchema, type BenjiEngineOptions } from '../engine.ts'
import type { FreezeOptions } from '../freeze/frozen.ts'
import { freezeSchema } from '../freeze/options.ts'
import { parseImage } from '../rbd/image.ts'

/** Options of {@link benjiBackup}. One of `all`, `namespaces`, `pvcs` and `images` says what is backed up. */
export interface BenjiBackupOptions {
  /** Claims of every namespace. */
  readonly all?: boolean | undefined
  /** Claims of these namespaces. */
  readonly namespaces?: readonly string[] | undefined
  /** Label selector of claims, as kubectl has it. */
  readonly selector?: string | undefined
  /** Field selector of claims. */
  readonly fieldSelector?: string | undefined
  /** These claims: `[namespace/]name`; without a namespace, our own. */
  readonly pvcs?: readonly string[] | undefined
  /** These images, without Kubernetes: `pool/[namespace/]image`. */
  readonly images?: readonly string[] | undefined
  /** How filesystems are frozen whose claims ask for it. */
  readonly freeze?: FreezeOptions | undefined
  /**
   * `true`: what was stored is compared with the snapshot, all of it or `percentage` of its blocks. Reads the source a
   * second time. Default `false`.
   */
  readonly compare?: boolean | { readonly percentage: number } | undefined
  /** `rbd diff --whole-object`: faster; some releases of Ceph get it wrong (Ceph trackers 42248, 50787, 54970). Default `true`. */
  readonly wholeObject?: boolean | undefined
  /**
   * `false`: every backup is full, and no snapshot stays on the image, which can then be deleted at any time. Default
   * `true`.
   */
  readonly differential?: boolean | undefined
  /** Bytes of a block of new versions. Default: `blockSize` of Benji's configuration. */
  readonly blockSize?: number | undefined
  /** The longest that one volume may take. Default `'6h'`. */
  readonly volumeTimeout?: Duration | undefined
  readonly engine?: BenjiEngineOptions | undefined
}

const percentage = z.int().min(1).max(100)

/** Validates {@link BenjiBackupOptions}. */
export const backupSchema = z
  .strictObject({
    all: z.boolean().optional(),
    namespaces: z.array(z.string().min(1)).min(1).readonly().optional(),
    selector: z.string().min(1).optional(),
    fieldSelector: z.string().min(1).optional(),
    pvcs: z
      .array(z.string().regex(/^[^/\s]+(\/[^/\s]+)?$/, { error: 'use [namespace/]name' }))
      .min(1)
      .readonly()
      .optional(),
    images: z
      .array(
        z
          .string()
          .refine((text) => parseImage(text) !== undefined, { error: 'use pool/image or pool/namespace/image' }),
      )
      .min(1)
      .readonly()
      .optional(),
    freeze: freezeSchema.optional(),
    compare: z.union([z.boolean(), z.strictObject({ percentage })]).optional(),
    wholeObject: z.boolean().optional(),
    differential: z.boolean().optional(),
    blockSize: z.int().min(512).max(33_554_432).optional(),
    volumeTimeout: duration.optional(),
    engine: engineSchema.optional(),
  })
  .refine(({ all, namespaces, pvcs, images }) => all === true || namespaces || pvcs || images, {
    error: 'nothing is selected: say all: true, or name namespaces, pvcs or images',
  })
  .refine(({ all, namespaces }) => !(all === true && namespaces), {
    error: 'all and namespaces contradict each other',
    path: ['all'],
  })
  .refine(({ all, namespaces, pvcs }) => !(pvcs && (all === true || namespaces)), {
    error: 'pvcs and all or namespaces contradict each other',
    path: ['pvcs'],
  })
  .refine(({ pvcs, selector, fieldSelector }) => !(pvcs && (selector !== undefined || fieldSelector !== undefined)), {
    error: 'claims are named or selected, not both',
    path: ['pvcs'],
  })

/** The options after validation. */
export type BackupConfig = z.output<typeof backupSchema>

/** Whether a version is compared with its snapshot, after the backup. */
export function isCompared({ compare = false }: Pick<BackupConfig, 'compare'>): boolean {
  return compare !== false
}
