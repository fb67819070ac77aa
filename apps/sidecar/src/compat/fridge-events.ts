import type { HookName } from '@holdfast/sdk'
import type { RunEventListener, RuntimeLogger } from '@holdfast/runtime'
import { after } from './log.ts'

/** sidefridge's names of the hooks. */
const directories: Readonly<Record<HookName, string>> = {
  installDependencies: 'install_dependencies',
  validate: 'validate',
  beforeBackups: 'before_backups',
  backups: 'backups',
  afterBackups: 'after_backups',
  verifyBackups: 'verify_backups',
  pruneBackups: 'prune_backups',
  maintain: 'maintain',
  onError: 'on_error',
  onFinish: 'on_finish',
}

const ending = 'Script execution finished due to errors. Look at logs for details'

/** Tells of a run in sidefridge's words, which people search their logs for. */
export function showRunAsFridge(log: RuntimeLogger): RunEventListener {
  return (event) => {
    switch (event.type) {
      case 'hook-started':
        if (event.hook !== 'validate' && event.participant !== 'holdfast') log.info(`Hook: '${directories[event.hook]}'`)
        return
      case 'hook-ended':
        if (event.error) log.error(event.error.message, { hint: event.error.hint })
        return
      case 'undo-settled':
        if (event.result === 'done') log.info(`Undone: '${event.undo}' ${after(event.heldMs)}`)
        if (event.result === 'failed') log.error(`Not undone: '${event.undo}': ${event.error?.message ?? ''}`)
        return
      case 'artifact-committed':
        log.info(`Stored '${event.point.id}'`)
        return
      case 'warning':
        log.warn(event.error.message, { hint: event.error.hint })
        return
      case 'run-ended':
        if (['failed', 'partial', 'aborted'].includes(event.status)) log.error(ending)
        return
      default:
    }
  }
}
