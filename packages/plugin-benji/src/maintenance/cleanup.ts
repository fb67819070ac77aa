import type { RunContext } from '@holdfast/sdk'
import * as z from 'zod'
import { createBenji } from '../benji/create-benji.ts'
import { engineSchema, type BenjiEngineOptions } from '../engine.ts'

/** Options of {@link benjiCleanup}. */
export interface BenjiCleanupOptions {
  readonly engine?: BenjiEngineOptions | undefined
}

/** Validates {@link BenjiCleanupOptions}. */
export const cleanupSchema = z.strictObject({ engine: engineSchema.optional() })

/** Frees what removed versions alone used, an hour after they went. */
export async function cleanUp(ctx: RunContext<z.output<typeof cleanupSchema>>): Promise<void> {
  const { report } = await createBenji(ctx, ctx.config.engine).cleanup()
  ctx.log.info(report ?? 'there was nothing to free')
}
