import { readBenjiConfig } from './benji-config.ts'
import type { BenjiEngine } from '../engine.ts'

/** Where new versions go, and how they are cut: what a base must agree with. */
export interface Place {
  readonly storage: string
  readonly blockSize: number
}

/**
 * Reads what the options leave to Benji's own configuration.
 *
 * @throws HoldfastError `BENJI_CONFIG`
 */
export async function placeOf(engine: BenjiEngine | undefined, blockSize: number | undefined): Promise<Place> {
  if (engine?.storage !== undefined && blockSize !== undefined) return { storage: engine.storage, blockSize }
  const config = await readBenjiConfig(engine)
  return { storage: engine?.storage ?? config.defaultStorage, blockSize: blockSize ?? config.blockSize }
}

/**
 * Where new versions go.
 *
 * @throws HoldfastError `BENJI_CONFIG`
 */
export async function storageOf(engine: BenjiEngine | undefined): Promise<string> {
  return engine?.storage ?? (await readBenjiConfig(engine)).defaultStorage
}
