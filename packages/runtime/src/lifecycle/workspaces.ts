import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Services } from '../services.ts'
import { removeLeftover } from './leftovers.ts'

let count = 0

/** A new name for a private directory; it carries the process, so that another can tell what a dead one left. */
export function workspaceName(services: Pick<Services, 'stateDirectory' | 'process'>): string {
  return join(workDirectoryOf(services.stateDirectory), `${services.process.id}-${++count}`)
}

/** Removes the workspaces of processes that are gone. */
export function sweepWorkspaces(
  { stateDirectory, log }: Pick<Services, 'stateDirectory' | 'log'>,
  isGone: (process: string) => boolean,
): void {
  let names: string[]
  try {
    names = readdirSync(workDirectoryOf(stateDirectory))
  } catch {
    return
  }
  for (const name of names) {
    const process = /^(.{36})-\d+$/.exec(name)?.[1]
    if (process !== undefined && isGone(process)) {
      removeLeftover(join(workDirectoryOf(stateDirectory), name), log)
    }
  }
}

function workDirectoryOf(stateDirectory: string): string {
  return join(stateDirectory, 'work')
}
