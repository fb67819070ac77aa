import { stat } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import type { HoldfastFailure } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'

/** What a configuration is written in. */
export type ConfigForm = 'module' | 'yaml' | 'crontab' | 'environment'

/** Where to look. */
export interface FindConfigOptions {
  /** What `--config` says. */
  readonly path?: string | undefined
  /** The working directory. */
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Looked into last. Default `/etc/holdfast`. */
  readonly etc?: string | undefined
}

/** What was found. */
export interface FoundConfig {
  readonly form: ConfigForm
  /** Absolute; `undefined` for the environment. */
  readonly file: string | undefined
  /** Other configurations that were there too and aren't used. */
  readonly warnings: readonly HoldfastFailure[]
}

const names = [
  'holdfast.config.ts',
  'holdfast.config.mts',
  'holdfast.config.js',
  'holdfast.config.mjs',
  'holdfast.yaml',
  'holdfast.yml',
  'crontab',
]

const modules = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']

/**
 * Finds the configuration: `--config`, `HOLDFAST_CONFIG`, the working directory, `/etc/holdfast`, the environment.
 *
 * @throws HoldfastError `CONFIG_UNREADABLE` (a named file that isn't there, or can't be looked at),
 * `CONFIG_FORM_UNKNOWN`
 */
export async function findConfig(options: FindConfigOptions): Promise<FoundConfig> {
  const { cwd, env, etc = '/etc/holdfast' } = options
  const named = options.path ?? (env['HOLDFAST_CONFIG'] || undefined)
  if (named !== undefined) {
    const file = resolve(cwd, named)
    if (!(await isFile(file))) throw errors.CONFIG_UNREADABLE({ file, reason: 'no such file' })
    return found(file, [])
  }
  for (const directory of new Set([cwd, etc])) {
    const files: string[] = []
    for (const name of names) {
      const file = join(directory, name)
      // A directory called `crontab` is somebody's folder; one called like a configuration is a mount that went wrong.
      if (await isFile(file, name === 'crontab')) files.push(file)
    }
    const [first, ...others] = files
    if (first !== undefined) return found(first, others)
  }
  return { form: 'environment', file: undefined, warnings: [] }

  function found(file: string, others: readonly string[]): FoundConfig {
    const ignored = [...others, ...(env['CRON_BACKUP_SCHEDULE'] ? ['CRON_BACKUP_SCHEDULE'] : [])]
    return { form: formOf(file), file, warnings: ignored.map((other) => errors.CONFIG_IGNORED({ file, other })) }
  }
}

/** The form of a file, by its name. */
function formOf(file: string): ConfigForm {
  const extension = extname(file)
  if (modules.includes(extension)) return 'module'
  if (extension === '.yaml' || extension === '.yml') return 'yaml'
  if (extension === '.crontab' || basename(file) === 'crontab') return 'crontab'
  throw errors.CONFIG_FORM_UNKNOWN({ file })
}

async function isFile(file: string, orDirectory = false): Promise<boolean> {
  try {
    const stats = await stat(file)
    if (!stats.isDirectory()) return true
    if (orDirectory) return false
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw errors.CONFIG_UNREADABLE({ file, reason: reasonOf(error) }, { cause: error })
  }
  throw errors.CONFIG_UNREADABLE({ file, reason: 'it is a directory' })
}
