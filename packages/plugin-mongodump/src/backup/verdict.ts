import type { Vars } from '@holdfast/sdk'
import type { Difference } from './counts.ts'

/** What was found out while dumping, for `verifyBackups` to judge. */
export interface Verdict {
  readonly differences: readonly Difference[]
}

const keyOf = (artifact: string): string => `mongodump ${artifact}`

/** Keeps a verdict for the rest of the run. */
export function saveVerdict(vars: Vars, artifact: string, verdict: Verdict): Promise<void> {
  return vars.set(keyOf(artifact), JSON.stringify(verdict))
}

/** @returns `undefined` for what this run did not dump */
export async function loadVerdict(vars: Vars, artifact: string): Promise<Verdict | undefined> {
  const text = await vars.get(keyOf(artifact))
  return text === undefined ? undefined : (JSON.parse(text) as Verdict)
}
