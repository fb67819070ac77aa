import type { HookName } from '@holdfast/sdk'

/** The directory of each hook. The five that sidefridge knew have its names. */
export const directoryOf = {
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
} as const satisfies { readonly [Name in HookName]: string }

/** The directory of a hook. */
export type HookDirectory = (typeof directoryOf)[HookName]

/** A directory whose scripts run. */
export type ScriptDirectory = HookDirectory | 'restore'

/** All of them, in the order of a run. */
export const scriptDirectories: readonly ScriptDirectory[] = [...Object.values(directoryOf), 'restore']

/** Whether a name is exactly that of a hook's directory. */
export function isScriptDirectory(name: string): name is ScriptDirectory {
  return (scriptDirectories as readonly string[]).includes(name)
}
