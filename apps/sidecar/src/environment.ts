import type { HoldfastConfig } from '@holdfast/sdk'

/** The one plan of a configuration without a file, and its one target. */
export const environmentPlan = 'scripts'

/** sidefridge's directories are here unless something else is said. */
export const defaultScriptsPath = '/scripts'

/**
 * The configuration without a file: sidefridge's `CRON_BACKUP_SCHEDULE` and script directories.
 *
 * @param path - the directory that holds a directory per hook. Default: `HOLDFAST_SCRIPTS`, else `/scripts`
 * @returns `undefined` when the variable isn't set
 */
export async function environmentForm(env: NodeJS.ProcessEnv, path?: string): Promise<HoldfastConfig | undefined> {
  const cron = env['CRON_BACKUP_SCHEDULE']
  if (cron === undefined) return undefined
  const { scripts } = await import('@holdfast/plugin-scripts')
  return {
    plans: [
      {
        name: environmentPlan,
        schedule: { cron: cron.trim() },
        use: [scripts({ path: scriptsPath(env, path) }, { name: environmentPlan })],
      },
    ],
  }
}

/** Where the script directories are. */
export function scriptsPath(env: NodeJS.ProcessEnv, path?: string): string {
  return path ?? (env['HOLDFAST_SCRIPTS'] || defaultScriptsPath)
}
