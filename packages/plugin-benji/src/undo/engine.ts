import type { UndoContext } from '@holdfast/sdk'
import { engineSchema, type BenjiEngine } from '../engine.ts'

/**
 * The engine as an undo keeps it: without its environment, which may hold what nobody should read in a journal or in a
 * ConfigMap.
 */
export const storedEngine = engineSchema.omit({ env: true }).optional()

/** What of an engine an undo keeps. It pushes no metrics, and the address of a Pushgateway may have a password in it. */
export function storeEngine(engine: BenjiEngine | undefined): Omit<BenjiEngine, 'env'> | undefined {
  if (!engine) return undefined
  const stored = { ...engine }
  delete stored.env
  delete stored.compatMetrics
  return stored
}

/** The engine that an undo was armed with, in the environment that the configuration has today. */
export function engineOf(
  stored: Omit<BenjiEngine, 'env'> | undefined,
  { config }: Pick<UndoContext, 'config'>,
): BenjiEngine | undefined {
  const env = (config as { readonly engine?: BenjiEngine | undefined } | undefined)?.engine?.env
  return env === undefined ? stored : { ...stored, env }
}
