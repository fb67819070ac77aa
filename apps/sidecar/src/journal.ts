import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { HoldfastError } from '@holdfast/sdk'
import { openJournal, type Journal } from '@holdfast/runtime'
import type { CommandContext } from './context.ts'
import { errors } from './errors.ts'

/** Whether anything ran with this state directory. */
export function hasJournal(stateDirectory: string): boolean {
  return existsSync(join(stateDirectory, 'journal.sqlite'))
}

/**
 * Opens the journal of a command that only looks at it, and makes none where there is none.
 *
 * @throws HoldfastError `STATE_MISSING`, `JOURNAL_NEWER`, `JOURNAL_UNWRITABLE`
 */
export function lookIntoJournal({ settings, io, warn }: Pick<CommandContext, 'settings' | 'io' | 'warn'>): Journal {
  const directory = settings.stateDirectory
  if (!hasJournal(directory)) throw errors.STATE_MISSING({ directory })
  return openJournal({
    directory,
    now: () => io.clock.now(),
    onCorrupt: (error) => warn(error as HoldfastError),
    // What is frozen can be seen on a full disk, too.
    orReadOnly: { begins: warn, ends() {} },
  })
}
