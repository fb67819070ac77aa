import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { rootOf } from './config.ts'

/**
 * What a set does for its plan: it backs up, it only maintains (then its plan is a maintenance plan, if nothing else in
 * it backs up), or it surrounds what others in the plan do.
 */
export type ScriptKind = 'backs-up' | 'maintains' | 'surrounds'

/**
 * The kind of a set as it is now. Hooks are declared when a plan is loaded, but directories change between runs: so all
 * hooks are declared whatever the directories hold, and each run calls what it finds. The one thing that has to be known
 * before is whether there is a `backups` hook at all, since that decides the shape of the run, what it is watched by and
 * whether it may find nothing. Where a change of the directories changes the kind, `validate` says so
 * (`SCRIPTS_KIND_CHANGED`) until the configuration is loaded again; nothing is quietly left out meanwhile.
 *
 * @param options - as given, perhaps not validated yet
 */
export function kindOf(options: unknown): ScriptKind {
  const { path, backups } = (options ?? {}) as { path?: unknown; backups?: unknown }
  if (backups === false) return 'surrounds'
  const root = rootOf(typeof path === 'string' ? { path } : {})
  return !hasFiles(join(root, 'backups')) && hasFiles(join(root, 'maintain')) ? 'maintains' : 'backs-up'
}

function hasFiles(directory: string): boolean {
  try {
    return readdirSync(directory).some((name) => {
      return !name.startsWith('..') && statSync(join(directory, name), { throwIfNoEntry: false })?.isFile() === true
    })
  } catch {
    return false
  }
}
