import type { Json, UndoDefinition } from '@holdfast/sdk'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import { unfinishedRestore } from '../restore/unfinished.ts'

/** The engine itself, as a participant like any other: its part of a run, and the undos that it arms. */
export const ownParticipant: Participant = {
  kind: 'plugin',
  id: 'holdfast',
  name: 'holdfast',
  source: undefined,
  config: undefined,
  hooks: {},
  undos: new Map([[unfinishedRestore.name, unfinishedRestore as UndoDefinition<Json>]]),
  permissions: [],
  targets: undefined,
  describe: undefined,
  restore: undefined,
  commands: undefined,
}

/** A plan that the configuration doesn't have, or not any more: what was made by it can be restored all the same. */
export function unknownPlan(name: string): ResolvedPlan {
  return {
    name,
    schedule: undefined,
    participants: [],
    concurrency: 1,
    budgetMs: 0,
    retry: { attempts: 1, backoffMs: 0 },
    retention: undefined,
    copies: [],
    notify: [],
    allowEmpty: false,
    encoding: { compression: 'none', recipients: [], identity: undefined },
    maintenance: true,
  }
}
