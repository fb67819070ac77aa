import type { Meter, RunContext } from '@holdfast/sdk'
import * as z from 'zod'
import { count } from '../count.ts'
import { createBenji } from '../benji/create-benji.ts'
import { engineSchema, instanceOf, type BenjiEngineOptions } from '../engine.ts'
import { ownLabelNames } from '../labels.ts'
import { pushCompatMetrics, removeCompatMetrics } from '../metrics/push.ts'

/** Options of {@link benjiVersionsStatus}. */
export interface BenjiVersionsStatusOptions {
  readonly engine?: BenjiEngineOptions | undefined
}

/** Validates {@link BenjiVersionsStatusOptions}. */
export const versionsStatusSchema = z.strictObject({ engine: engineSchema.optional() })

/** What is made longer than this is not being made any more, in ms. */
const dayMs = 24 * 60 * 60 * 1000

/** How many versions there are in each state. */
export interface VersionCounts {
  readonly valid: number
  readonly invalid: number
  readonly incomplete: number
  /** Those of the incomplete ones that are older than a day: nobody makes them any more. */
  readonly olderIncomplete: number
}

/** The metric of it. */
export function versionsGauge(meter: Meter): ReturnType<Meter['gauge']> {
  return meter.gauge('holdfast_versions', "Versions in Benji's database, by state", ['state', 'instance'])
}

/** Counts versions by state, for metrics and alerts. A version that differs from its source counts as invalid. */
export async function versionsStatus(ctx: RunContext<z.output<typeof versionsStatusSchema>>): Promise<VersionCounts> {
  const { engine } = ctx.config
  const versions = await createBenji(ctx, engine).ls()
  const now = ctx.clock.now().getTime()
  const isInvalid = (version: (typeof versions)[number]): boolean =>
    version.status === 'invalid' ||
    (version.status === 'valid' && version.labels[ownLabelNames.sourceMismatch] !== undefined)
  const invalid = versions.filter(isInvalid)
  const incomplete = versions.filter(({ status }) => status === 'incomplete')
  const older = incomplete.filter(({ date }) => now - date.getTime() > dayMs)
  const counts: VersionCounts = {
    valid: versions.length - invalid.length - incomplete.length,
    invalid: invalid.length,
    incomplete: incomplete.length,
    olderIncomplete: older.length,
  }
  const gauge = versionsGauge(ctx.meter)
  const instance = instanceOf(engine)
  for (const state of ['valid', 'invalid', 'incomplete'] as const) gauge.set(counts[state], { state, instance })
  const named = (list: readonly { readonly uid: string }[]): string =>
    list
      .slice(0, 10)
      .map(({ uid }) => uid)
      .join(', ')
  if (invalid.length > 0) ctx.log.error(`invalid: ${count(invalid.length, 'version')}: ${named(invalid)}`)
  if (older.length > 0)
    ctx.log.warn(`incomplete for more than a day: ${count(older.length, 'version')}: ${named(older)}`)
  ctx.log.info(`versions: ${counts.valid} valid, ${counts.invalid} invalid, ${counts.incomplete} incomplete`)
  return counts
}

/** The hook: counts, and pushes what Benji's tools did. A count that failed leaves no old values behind (K30). */
export async function pushVersionsStatus(ctx: RunContext<z.output<typeof versionsStatusSchema>>): Promise<void> {
  try {
    const { invalid, olderIncomplete } = await versionsStatus(ctx)
    await pushCompatMetrics(ctx, { kind: 'versions', invalid, olderIncomplete })
  } catch (error) {
    await removeCompatMetrics(ctx, { kind: 'versions' })
    throw error
  }
}
