import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { env } from 'node:process'

/** What the tests need at most, many times over. */
const roomNeeded = 2 ** 31

const prefix = 'holdfast-tests-'

let directory: string | undefined

/**
 * Gives a test run a directory for temporary files in memory, where there is one: most tests write a journal, and would
 * wait for a disk that proves nothing here. A process that is killed loses nothing that it has written. Elsewhere files
 * lie where they always do.
 */
export function setup(): void {
  // Once, not for each project.
  if (basename(env['TMPDIR'] ?? '').startsWith(prefix)) return
  directory = directoryInMemory()
  if (directory !== undefined) env['TMPDIR'] = directory
}

/** Takes it away, with what tests have left there. */
export function teardown(): void {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
}

/** One with room, in which programs can be run: containers often have neither. */
function directoryInMemory(): string | undefined {
  let made: string | undefined
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    if (bavail * bsize < roomNeeded) return undefined
    made = mkdtempSync(join('/dev/shm', prefix))
    // As /tmp: some tests run programs as another user.
    chmodSync(made, 0o1777)
    const program = join(made, 'program')
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
    if (spawnSync(program).status === 0) return made
  } catch {
    // There is none.
  }
  if (made !== undefined) rmSync(made, { recursive: true, force: true })
  return undefined
}
