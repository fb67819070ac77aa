import type { RunContext, UndoContext } from './context.ts'
import type { Duration } from './duration.ts'
import type { Awaitable, Json } from './json.ts'
import type { Permission } from './kubernetes.ts'
import type { Notifier } from './notify.ts'
import type { RestorePoint, Run } from './run.ts'
import type { Schedule } from './schedule.ts'

/** How the plugin restores: what `holdfast restore --to key=value …` says. */
export type DrillOptions = Readonly<Record<string, string | number | boolean>>

/**
 * Names for what a drill makes: nobody else ever gets the same.
 *
 * @experimental
 */
export interface DrillPlace {
  /** The drill's name. */
  readonly drill: string
  readonly run: Run
  /** A directory of its own, for whatever is restored; removed with everything in it once the drill has cleaned up. */
  readonly directory: string
  /** Small letters and digits, such as `20261123t030000z3f9a1c0b`: for the names of databases, claims and the like. */
  readonly suffix: string
}

/**
 * What a drill is about to restore.
 *
 * @experimental
 */
export interface DrillChoice extends DrillPlace {
  readonly target: string
  /** The restore point; of a backup of several artifacts, the first by name. */
  readonly point: RestorePoint
  /** All of the backup. */
  readonly points: readonly RestorePoint[]
}

/**
 * What was restored.
 *
 * @experimental
 */
export interface DrillContext extends Omit<RunContext<undefined>, 'config' | 'undo' | 'assertFreezable'>, DrillChoice {
  /** What the plugin was told. */
  readonly options: Readonly<Record<string, string>>
  /** Where {@link DrillChoice.point} is now, as the plugin said; a file, where no plugin restores. */
  readonly where: Json
  /** Everything that was restored, and where it is. */
  readonly restored: readonly { readonly point: RestorePoint; readonly where: Json }[]
}

/**
 * What is to be cleaned up, perhaps in another process than the one that restored it.
 *
 * @experimental
 */
export interface DrillCleanupContext extends Omit<UndoContext<undefined>, 'config'>, DrillPlace {
  readonly target: string
  /** What the plugin was told. */
  readonly options: Readonly<Record<string, string>>
  /** Where it was restored to; `undefined`: the restore didn't come to its end, or nobody knows any more. */
  readonly where: Json | undefined
}

/** A restore into a scratch place, and what must hold there: the proof that a backup is one. */
export interface Drill {
  /** Unique among drills: its label in metrics, its name in `holdfast drill`. */
  readonly name: string
  /** The plan whose backups it restores. */
  readonly plan: string
  /** Without one it runs by hand only. */
  readonly schedule?: Schedule | undefined
  /** Which backup of the target: the newest, or any. Default `'newest'`. */
  readonly select?: 'newest' | 'random' | undefined
  /** Which target. Default: any of those that have backups, another one each time. */
  readonly target?: string | undefined
  /**
   * How the plugin restores. `{directory}` and `{suffix}` in a text stand for the drill's own. A function only names things:
   * it is called before anything is touched. No place for secrets. Default: `{ path: '{directory}' }`.
   */
  readonly options?: DrillOptions | ((choice: DrillChoice) => Awaitable<DrillOptions>) | undefined
  /** True: files in the drill's directory, also where a plugin knows how to restore. Default false. */
  readonly bytes?: boolean | undefined
  /**
   * Looks at what was restored, and throws unless it is what it should be; so does an answer of `false`. Or a path, relative
   * to the configuration: a directory of scripts, one script, or a module whose default export is such a function.
   */
  readonly expect: ((ctx: DrillContext) => unknown) | string
  /**
   * Removes what was restored outside the drill's directory. Runs whatever happens, after `kill -9` by the next start: it
   * looks at the world first, because it may run twice, or although nothing was restored. A function or a path, as `expect`.
   */
  readonly cleanup?: ((ctx: DrillCleanupContext) => unknown) | string | undefined
  /** Where its directory is made: it has to have room for what is restored. Default: in the state directory. */
  readonly scratch?: string | undefined
  /** The longest that it may take, without the cleanup. Default `'24h'`. */
  readonly budget?: Duration | undefined
  readonly timeouts?:
    | {
        /** Default `'1h'`. */
        readonly expect?: Duration | undefined
        /** What can't be cleaned up by then stays on record, and raises the critical metric. Default `'10m'`. */
        readonly cleanup?: Duration | undefined
      }
    | undefined
  /** What `expect` and `cleanup` need from the Kubernetes API. */
  readonly permissions?: readonly Permission[] | undefined
  /** Who is told how it went. Default: the top level's, not its plan's; `[]` is nobody. */
  readonly notify?: readonly Notifier[] | undefined
}

/**
 * Defines a drill: a real restore of a plan's backup into a scratch place, with assertions. It is a run of its own, with a
 * schedule, metrics and history, and it is as loud as a backup when it fails.
 *
 * @example
 * ```ts
 * const weekly = defineDrill({
 *   name: 'shop-weekly',
 *   plan: 'shop',
 *   schedule: { cron: '0 5 * * 0' },
 *   options: { path: '{directory}' },
 *   async expect({ where, exec }) {
 *     const { stdout } = await exec.local({ command: ['sqlite3', String(where), 'select count(*) from orders'] })
 *     if (Number(stdout) < 100) throw new Error(`only ${stdout.trim()} orders`)
 *   },
 * })
 * ```
 */
export function defineDrill(drill: Drill): Drill {
  return drill
}
