import { readdirSync } from 'node:fs'
import { listScratches, sweepScratch } from '../drill/scratch.ts'
import { varsDirectoryOf } from '../lifecycle/execute.ts'
import { removeLeftover } from '../lifecycle/leftovers.ts'
import { sweepWorkspaces } from '../lifecycle/workspaces.ts'
import type { Services } from '../services.ts'
import { forgetProcesses, livenessLookup, lockDirectoryOf } from './process.ts'
/**
 * Removes what dead processes left behind: workspaces, variables and directories of settled runs, locks.
 *
 * @returns the processes that are forgotten
 */
export function sweepAfterCrash(services: Services): readonly string[] {
  const { journal, locks, log, process, stateDirectory } = services
  const liveness = livenessLookup(services)
  sweepWorkspaces(services, (id) => liveness(id) === 'gone')
  // Listed before the journal is asked: a run is in the journal before its variables are there.
  const directories = listVars(stateDirectory)
  const scratches = listScratches(stateDirectory)
  const needed = new Set([...journal.pendingUndos().map(({ run }) => run), ...journal.openRuns().map(({ id }) => id)])
  for (const run of directories.filter((id) => !needed.has(id))) {
    removeLeftover(varsDirectoryOf(stateDirectory, run), log)
  }
  for (const run of scratches.filter((id) => !needed.has(id))) sweepScratch(services, run)
  return forgetProcesses(journal, process, locks, lockDirectoryOf(stateDirectory))
}

function listVars(stateDirectory: string): readonly string[] {
  try {
    return readdirSync(varsDirectoryOf(stateDirectory, ''))
  } catch {
    return []
  }
}
