import type { RunContext } from '@holdfast/sdk'
import type { Benji } from './benji.ts'

/** By run: what the storage had when the run first asked. */
const asked = new WeakMap<object, Promise<ReadonlySet<string>>>()

/**
 * Uids whose metadata is in the storage. Benji lists the whole storage for that, so a run asks once, however many volumes
 * it has; and it asks when all its backups are through.
 */
export async function metadataInStorage(
  { run }: Pick<RunContext<unknown>, 'run'>,
  benji: Pick<Benji, 'metadataLs'>,
): Promise<ReadonlySet<string>> {
  const known = asked.get(run)
  if (known) return known
  const answer = benji.metadataLs()
  asked.set(run, answer)
  // A failure is nothing to remember.
  answer.catch(() => asked.delete(run))
  return answer
}
