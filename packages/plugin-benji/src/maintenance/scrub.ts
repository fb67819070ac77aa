import type { RunContext } from '@holdfast/sdk'
import * as z from 'zod'
import { count } from '../count.ts'
import { createBenji } from '../benji/create-benji.ts'
import { engineSchema, type BenjiEngineOptions } from '../engine.ts'
import { errors } from '../errors.ts'

/** Options of {@link benjiScrub}. */
export interface BenjiScrubOptions {
  /** `true`: blocks are read and their checksums compared; `false`: only whether they are there. */
  readonly deep: boolean
  /** How many of the versions, chosen at random: 1 to 100. Default 100. */
  readonly versionPercentage?: number | undefined
  /** How many of their blocks: 1 to 100. Default 100. */
  readonly blockPercentage?: number | undefined
  /** Which versions it is about, as Benji's `ls` has it. Default: all. */
  readonly filter?: string | undefined
  readonly engine?: BenjiEngineOptions | undefined
}

const percentage = z.int().min(1).max(100)

/** Validates {@link BenjiScrubOptions}. */
export const scrubSchema = z.strictObject({
  deep: z.boolean(),
  versionPercentage: percentage.optional(),
  blockPercentage: percentage.optional(),
  filter: z.string().optional(),
  engine: engineSchema.optional(),
})

/**
 * Reads versions back. What was damaged is marked invalid by Benji, so that no backup counts from it.
 *
 * @throws HoldfastError `BENJI_DAMAGED`
 */
export async function scrub(ctx: RunContext<z.output<typeof scrubSchema>>): Promise<void> {
  const { engine, ...request } = ctx.config
  const {
    versions,
    errors: failed,
    problems,
    skipped,
  } = await createBenji(ctx, engine).batchScrub(request, (done, total, task) => ctx.progress(done, total, task))
  if (skipped.length > 0)
    ctx.log.warn(`passed over because something else had locked them: ${count(skipped.length, 'version')}`, { skipped })
  if (failed.length === 0 && problems.length === 0) {
    ctx.log.info(`read back without an error: ${count(versions.length - skipped.length, 'version')}`)
    return
  }
  const uids = failed.map(({ uid }) => uid)
  throw errors.BENJI_DAMAGED({
    uids: uids.join(', ') || 'some',
    volumes: [...new Set(failed.map(({ volume }) => volume))].join(', '),
    problem: problems[0] ?? '',
  })
}
