import type { Run } from '@holdfast/sdk'
import type { ScriptsConfig } from './config.ts'
import { readScriptSet, type ScriptSet } from './script-set.ts'
import { clearStandaloneVars } from './standalone-vars.ts'

/** Enough for the runs that go on at once; what a run forgot to end is dropped in time. */
const longestMemory = 32

/**
 * Directories are read once per run, at its start: a ConfigMap that is exchanged meanwhile changes the next run. What
 * `validate` read and checked is what the run uses.
 */
export interface RunSets {
  /** Reads the directories for a run of this plan that is about to begin. */
  begin(plan: string): Promise<ScriptSet>
  /** The set of a run. */
  of(run: Run): Promise<ScriptSet>
  /** The run is over. */
  end(run: Run): void
}

/** The sets of one configured plugin. */
export function createRunSets(config: ScriptsConfig): RunSets {
  /** By plan, until the run that was validated asks for it. */
  const validated = new Map<string, ScriptSet>()
  const running = new Map<string, Promise<ScriptSet>>()

  async function start(run: Run): Promise<ScriptSet> {
    // Variables that were saved outside any run are gone at the next one's start; booting is none that sidefridge counted.
    if (run.trigger !== 'boot' && !run.dryRun) await clearStandaloneVars()
    // Booting, restoring and drills validate nothing before; what lies there is another run's.
    if (['boot', 'restore', 'drill'].includes(run.trigger)) return readScriptSet(config)
    const checked = validated.get(run.plan)
    validated.delete(run.plan)
    return checked ?? readScriptSet(config)
  }

  return {
    async begin(plan) {
      const set = await readScriptSet(config)
      validated.set(plan, set)
      return set
    },
    of(run) {
      const key = keyOf(run)
      const known = running.get(key)
      if (known) return known
      const set = start(run)
      running.set(key, set)
      const [oldest] = running.keys()
      if (running.size > longestMemory && oldest !== undefined) running.delete(oldest)
      return set
    },
    end(run) {
      running.delete(keyOf(run))
    },
  }
}

/** An attempt validates anew, so it begins with what is there by then. */
function keyOf({ id, attempt }: Run): string {
  return `${id} ${attempt}`
}
