// A Benji of a test file's own, on the kit's Ceph, and Holdfast beside it: as processes of this machine.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { createProject, runCommand, startCommand, type Command, type Project, type RunningCommand } from './cli.ts'
import { run, succeed, type Ended } from './kubectl.ts'

/** A version, as Benji prints it, as far as tests look. */
export interface Version {
  readonly uid: string
  readonly date: string
  readonly volume: string
  readonly snapshot: string
  readonly size: number
  readonly status: string
  readonly protected: boolean
  readonly bytes_read: number | null
  readonly labels: Readonly<Record<string, string>>
}

/** What `holdfast run --json` prints. */
export interface RunReport {
  readonly run: { readonly id: string }
  readonly status: string
  readonly error?: Failure
  readonly warnings: readonly Failure[]
  readonly targets: readonly {
    readonly id: string
    readonly status: string
    readonly verification: string
    readonly points: readonly {
      readonly id: string
      readonly mode: string
      readonly ref: { readonly snapshot: string }
    }[]
    readonly error?: Failure
  }[]
}

interface Failure {
  readonly code: string
  readonly message: string
  readonly hint?: string
}

/** A database and a storage. */
export interface Benji {
  readonly configFile: string
  /** Runs it. @returns its standard output; fails unless it ends with 0 */
  command(...args: readonly string[]): Promise<string>
  try(...args: readonly string[]): Promise<Ended>
  ls(filter?: string): Promise<readonly Version[]>
  /** Reads a version back by Benji alone, in one start of it where `holdfast restore` takes nine. @param to - `rbd:…` or `file:…` */
  restore(uid: string, to: string): Promise<void>
  /** Blocks that are stored: files. */
  blocks(): readonly string[]
  /** Turns a bit of a block over, as a failing disk does. */
  damage(block: string): void
  /** Nothing can be read from the storage or written to it, until it is repaired. */
  breakStorage(): void
  repairStorage(): void
}

/** A directory with a Benji and a Holdfast, and a journal of its own. */
export interface Site {
  readonly project: Project
  readonly benji: Benji
  /** Runs a command of ours here. */
  run(command: Command, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>
  start(command: Command, args: readonly string[], env?: NodeJS.ProcessEnv): RunningCommand
  /** Runs a plan. */
  backUp(plan: string, ...args: readonly string[]): Promise<RunReport & { readonly code: number; readonly log: string }>
  /** Restores a version. @param to - `key=value` each */
  restore(version: string, ...to: readonly string[]): Promise<Ended>
}

/** What differs between sites. */
export interface SiteOptions {
  /** Default: the administrator's. */
  readonly kubeconfig?: (() => string) | undefined
  /** Settings of Benji's storage. */
  readonly storage?: Readonly<Record<string, unknown>> | undefined
}

/** Makes a {@link Site} before the tests of a file, and removes it afterwards. */
export function useSite(options: SiteOptions = {}): Site {
  const { kubeconfig = () => process.env['KUBECONFIG'] ?? '' } = options
  const project = createProject()
  const benji = benjiIn(project.at('benji'))
  beforeAll(async () => {
    project.write('benji/benji.yaml', benjiConfig(project.at('benji'), options), 0o644)
    await benji.command('database-init')
  })
  afterAll(() => project.remove())
  const environment = (env: NodeJS.ProcessEnv = {}): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } => ({
    cwd: project.path,
    env: { KUBECONFIG: kubeconfig(), HOLDFAST_STATE_DIR: project.at('state'), ...env },
  })
  const site: Site = {
    project,
    benji,
    run: (command, args, env) => runCommand(command, args, environment(env)),
    start: (command, args, env) => startCommand(command, args, environment(env)),
    async backUp(plan, ...args) {
      const { code, stdout, stderr } = await site.run('holdfast', ['run', plan, '--json', ...args])
      if (!stdout.startsWith('{')) throw new Error(`holdfast run ${plan} ended with ${code}: ${stderr}`)
      return { ...(JSON.parse(stdout) as RunReport), code, log: stderr }
    },
    restore: (version, ...to) =>
      site.run('holdfast', [
        'restore',
        version,
        '--json',
        ...to.flatMap((each) => (each.startsWith('--') ? [each] : ['--to', each])),
      ]),
  }
  return site
}

/** Benji's configuration, with all that it writes in a directory. YAML is a superset of JSON. */
export function benjiConfig(
  directory: string,
  {
    storage = {},
    cephConf = process.env['CEPH_CONF'],
  }: { readonly storage?: Readonly<Record<string, unknown>> | undefined; readonly cephConf?: string | undefined } = {},
): string {
  const atOnce = { simultaneousReads: 2, simultaneousWrites: 2 }
  const ceph = { cephConfigFile: cephConf, newImageFeatures: ['RBD_FEATURE_LAYERING'] }
  return JSON.stringify({
    configurationVersion: '1',
    databaseEngine: `sqlite:///${directory}/benji.sqlite`,
    defaultStorage: 'files',
    storages: [{ name: 'files', module: 'file', configuration: { path: `${directory}/storage`, ...storage } }],
    ios: [
      { name: 'file', module: 'file', configuration: atOnce },
      { name: 'rbd', module: 'rbdaio', configuration: { ...atOnce, ...ceph } },
    ],
  })
}

function benjiIn(directory: string): Benji {
  const configFile = join(directory, 'benji.yaml')
  const storage = join(directory, 'storage')
  const args = (given: readonly string[]): readonly string[] => ['-c', configFile, '-m', ...given]
  return {
    configFile,
    command: (...given) => succeed('benji', args(given)),
    try: (...given) => run('benji', args(given)),
    async ls(filter = '') {
      return (JSON.parse(await succeed('benji', args(['ls', filter]))) as { versions: Version[] }).versions
    },
    async restore(uid, to) {
      await succeed('benji', args(['restore', '--sparse', uid, to]))
    },
    blocks: () =>
      readdirSync(join(storage, 'blocks'), { recursive: true, withFileTypes: true })
        .filter((each) => each.isFile() && !each.name.endsWith('.meta'))
        .map((each) => join(each.parentPath, each.name)),
    damage(block) {
      const bytes = readFileSync(block)
      const middle = Math.floor(bytes.length / 2)
      bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
      writeFileSync(block, bytes)
    },
    breakStorage() {
      renameSync(storage, `${storage}.away`)
      writeFileSync(storage, '')
    },
    repairStorage() {
      rmSync(storage)
      renameSync(`${storage}.away`, storage)
    },
  }
}

/** What a plan has of plugin-benji: the name of a factory, and its options beside `engine`. */
export type Use = readonly [factory: string, options?: Readonly<Record<string, unknown>>]

/** `holdfast.config.ts` of plans whose plugins talk to a site's Benji. */
export function volumesConfig(
  { configFile }: Pick<Benji, 'configFile'>,
  plans: Readonly<Record<string, Use | { readonly use: Use; readonly [setting: string]: unknown }>>,
  engine: Readonly<Record<string, unknown>> = {},
): string {
  const written = Object.entries(plans).map(([name, plan]) => {
    const { use, ...settings } = 'use' in plan ? plan : { use: plan }
    const [factory, options = {}] = use
    const given = JSON.stringify({ ...options, engine: { configFile, ...engine } })
    return `{ ...${JSON.stringify({ name, ...settings })}, use: [benji.${factory}(${given})] }`
  })
  return `
import { defineConfig } from '@holdfast/sdk'
import * as benji from '@holdfast/plugin-benji'

export default defineConfig({ plans: [${written.join(',\n')}] })
`
}
