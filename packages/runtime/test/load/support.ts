import { definePlugin, isHoldfastError, type HoldfastError, type StorageDriver } from '@holdfast/sdk'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import * as z from 'zod'
import { loadConfig, type LoadConfigOptions, type LoadedConfig } from '../../src/load/load-config.ts'
import { problemsOf, type ConfigProblem } from '../../src/load/problems.ts'

/** A directory outside the repository, gone after the test. */
export function tree(files: Readonly<Record<string, string>>): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-load-')))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  write(directory, files)
  return directory
}

/** Writes files into a directory, and the directories that they are in. */
export function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
}

/** A plugin as somebody would publish it. */
export const files = definePlugin({
  name: 'files',
  version: '1.2.3',
  sdk: '^1.0',
  config: z.strictObject({
    path: z.string(),
    mode: z.enum(['fast', 'thorough']).default('fast'),
    limits: z.strictObject({ bytes: z.int().optional() }).optional(),
  }),
  hooks: {
    backups: () => undefined,
    verifyBackups: { handler: () => undefined, order: 'post', timeout: '10s', retry: { attempts: 3 } },
  },
})

/** A storage driver that keeps nothing. */
export function nowhere(name = 'nowhere'): StorageDriver {
  return {
    name,
    capabilities: { atomicPut: true, rangeRead: true, objectLock: false },
    put: async () => undefined,
    async *get() {},
    async *list() {},
    delete: async () => undefined,
  }
}

export const builtins: LoadConfigOptions['builtins'] = {
  '@holdfast/plugin-files': async () => ({ files }),
  '@holdfast/storage-nowhere': async () => ({ nowhere: ({ name }: { name?: string }) => nowhere(name) }),
}

/** The modules that an app brings along. */
const modules = { '@holdfast/sdk': import.meta.resolve('@holdfast/sdk') }

/** Loads the configuration of a directory, with nothing of this machine's. */
export function load(cwd: string, options: Partial<LoadConfigOptions> = {}): Promise<LoadedConfig> {
  return loadConfig({
    cwd,
    env: {},
    etc: join(cwd, 'etc'),
    builtins,
    modules,
    openStorage: async (url) => nowhere(url),
    ...options,
  })
}

/** What loading rejects with. */
export async function rejection(loading: Promise<unknown>): Promise<HoldfastError> {
  try {
    await loading
  } catch (error) {
    if (isHoldfastError(error)) return error
    throw error
  }
  throw new Error('it was loaded')
}

/** The problems that loading a directory's configuration finds, with paths relative to it. */
export async function problemsIn(cwd: string, options?: Partial<LoadConfigOptions>): Promise<readonly ConfigProblem[]> {
  const error = await rejection(load(cwd, options))
  return problemsOf(error).map((problem) => ({ ...problem, file: problem.file?.replace(`${cwd}/`, '') }))
}
