import type { RunContext } from '@holdfast/sdk'
import type { BenjiEngine } from '../engine.ts'
import type { Benji } from './benji.ts'

/** By run and storage: what it had when the run first asked. */
const asked = new WeakMap<object, Map<string, Promise<ReadonlySet<string>>>>()

/**
 * Uids whose metadata is in the storage. Benji lists the whole storage for that, so a run asks once, however many volumes
 * it has; and it asks when all its backups are through.
 */
export async function metadataInStorage(
  { run }: Pick<RunContext<unknown>, 'run'>,
  benji: Pick<Benji, 'metadataLs'>,
  engine: BenjiEngine | undefined,
): Promise<ReadonlySet<string>> {
  const ofRun = asked.get(run) ?? new Map<string, Promise<ReadonlySet<string>>>()
  asked.set(run, ofRun)
  const { command, configFile, storage, env } = engine ?? {}
  // A plan may have several plugins, and each its own storage.
  const place = JSON.stringify([command, configFile, storage, env])
  const known = ofRun.get(place)
  if (known) return known
  const answer = benji.metadataLs()
  ofRun.set(place, answer)
  // A failure is nothing to remember.
  answer.catch(() => ofRun.delete(place))
  return answer
}
