import { parseDuration } from '@holdfast/sdk'
import * as z from 'zod'
import { duration } from '../engine.ts'

/** Where kubelets keep their directories. */
export const defaultKubeletRoot = '/var/lib/kubelet'
/** How long a filesystem may be frozen. */
export const defaultLimit = '30s'

const directory = z
  .string()
  // It is compared with what the kernel prints, which writes blanks and backslashes otherwise.
  .regex(/^(\/[^\s\\/]+)+$/, { error: 'use an absolute path without blanks, backslashes or a slash at its end' })

/** Validates `FreezeOptions`. */
export const freezeSchema = z.strictObject({
  mode: z.enum(['required', 'best-effort', 'never']).optional(),
  limit: duration
    .refine((limit) => parseDuration(limit) > 0, { error: 'what is frozen needs some time for its snapshot' })
    .optional(),
  agentSelector: z.string().min(1).optional(),
  kubeletRoot: directory.optional(),
  sysRoot: directory.optional(),
})
