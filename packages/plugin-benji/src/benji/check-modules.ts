import type { ServiceContext } from '@holdfast/sdk'
import type { BenjiEngine } from '../engine.ts'
import { runBenji, type BenjiContext } from './run-benji.ts'

/** By the engine that asks, and where its Benji is: what that said. */
const asked = new WeakMap<object, Map<string, Promise<unknown>>>()

/**
 * Lets Benji read its configuration as a whole and load the modules of its storages, which may need Python packages that
 * are not there. It needs neither its database nor its storages for that, and nearly a second of a processor, so plans with
 * the same Benji ask once.
 *
 * @throws HoldfastError `BENJI_CONFIG`, `BENJI_MISSING`
 */
export async function checkModules(
  ctx: BenjiContext & Pick<ServiceContext<unknown>, 'clock'>,
  engine: BenjiEngine | undefined,
): Promise<void> {
  const { command, configFile, env } = engine ?? {}
  const place = JSON.stringify([command, configFile, env])
  const known = asked.get(ctx.clock) ?? new Map<string, Promise<unknown>>()
  asked.set(ctx.clock, known)
  const answer = known.get(place) ?? runBenji(ctx, engine, { command: { name: 'version-info' } })
  known.set(place, answer)
  await answer
}
