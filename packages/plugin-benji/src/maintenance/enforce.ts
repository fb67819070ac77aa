import type { RunContext } from '@holdfast/sdk'
import * as z from 'zod'
import { count } from '../count.ts'
import type { Benji } from '../benji/benji.ts'
import { createBenji } from '../benji/create-benji.ts'
import type { BenjiVersion } from '../benji/version.ts'
import { equalsLabel } from '../benji/filter.ts'
import { engineSchema, instanceOf, type BenjiEngineOptions } from '../engine.ts'
import { labelNames, ownLabelNames } from '../labels.ts'
import { storeEngine } from '../undo/engine.ts'
import { unprotect } from '../undo/unprotect.ts'

/** Options of {@link benjiEnforce}. */
export interface BenjiEnforceOptions {
  /** As Benji has them: `'latest3,hours24,days30,months3'`. */
  readonly rules: string
  /** Which versions it is about, as Benji's `ls` has it. Default: those of our instance; `''` is all. */
  readonly filter?: string | undefined
  /**
   * `false`: exactly what Benji does, which treats valid and invalid versions alike and so may remove the last good one.
   * Default `true`.
   */
  readonly protectNewestValid?: boolean | undefined
  readonly engine?: BenjiEngineOptions | undefined
}

/** Validates {@link BenjiEnforceOptions}. */
export const enforceSchema = z.strictObject({
  rules: z
    .string()
    .regex(/^(latest|hours|days|weeks|months|years)[1-9]\d*(,(latest|hours|days|weeks|months|years)[1-9]\d*)*$/, {
      error: "use Benji's rules, such as 'latest3,hours24,days30,months3'",
    })
    .refine((rules) => new Set(rules.match(/[a-z]+/g)).size === rules.split(',').length, {
      error: 'each of latest, hours, days, weeks, months and years at most once',
    }),
  filter: z.string().optional(),
  protectNewestValid: z.boolean().optional(),
  engine: engineSchema.optional(),
})

type Config = z.output<typeof enforceSchema>

/**
 * Removes the versions that the rules let go. Reads Benji's plan first (C3): where it holds a volume's newest valid
 * version, that one is protected until Benji is through.
 */
export async function enforce(ctx: RunContext<Config>): Promise<void> {
  const { rules, protectNewestValid = true, engine } = ctx.config
  const filter = ctx.config.filter ?? equalsLabel(labelNames.instance, instanceOf(engine))
  const benji = createBenji(ctx, engine)
  if (protectNewestValid) {
    const { removed: planned } = await benji.enforce({ rules, filter, dryRun: true })
    if (planned.length === 0) return
    const saved = newestValid(await benji.ls(filter)).filter(
      ({ uid, protected: safe }) => planned.includes(uid) && !safe,
    )
    if (saved.length > 0) await protect(ctx, benji, saved, engine)
  }
  const { removed } = await benji.enforce({ rules, filter })
  ctx.log.info(
    removed.length === 0 ? 'every version conforms to the rules' : `removed ${count(removed.length, 'version')}`,
    {
      removed,
    },
  )
}

async function protect(
  ctx: RunContext<Config>,
  benji: Benji,
  versions: readonly BenjiVersion[],
  engine: Config['engine'],
): Promise<void> {
  for (const { uid, volume } of versions) {
    ctx.log.warn(`the rules would remove the newest valid version of ${volume}, ${uid}; it is kept`)
  }
  const uids = versions.map(({ uid }) => uid)
  await ctx.undo.arm(unprotect, { engine: storeEngine(engine), uids })
  await benji.protect(uids)
}

/** The newest version of each volume that can be trusted. */
function newestValid(versions: readonly BenjiVersion[]): readonly BenjiVersion[] {
  const good = versions.filter(
    ({ status, labels }) => status === 'valid' && labels[ownLabelNames.sourceMismatch] === undefined,
  )
  return [...Map.groupBy(good, ({ volume }) => volume).values()].flatMap((ofVolume) =>
    ofVolume.toSorted((a, b) => b.date.getTime() - a.date.getTime()).slice(0, 1),
  )
}
