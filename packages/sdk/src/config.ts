import type { Drill } from './drill.ts'
import type { Duration } from './duration.ts'
import type { HookModule } from './hook.ts'
import type { Notifier } from './notify.ts'
import type { Plugin } from './plugin.ts'
import type { Retention } from './retention.ts'
import type { Schedule } from './schedule.ts'
import type { SecretRef } from './secret.ts'
import type { StorageDriver } from './storage.ts'

/** How artifacts are stored: compression first, encryption after it. */
export interface EncodingOptions {
  /** Default `'zstd'`. */
  readonly compression?: 'zstd' | 'gzip' | 'none' | undefined
  /** age recipients (`age1…`); when there are any, artifacts are encrypted to all of them. */
  readonly recipients?: readonly string[] | undefined
  /** age identity for reading back; without it, encrypted artifacts are verified only as far as their stored digest. */
  readonly identity?: SecretRef | undefined
}

/** A name, a schedule, what it uses, and its policies. */
export interface Plan {
  readonly name: string
  /** Without one it runs by hand only. */
  readonly schedule?: Schedule | undefined
  readonly use: readonly (Plugin | HookModule)[]
  /** Targets backed up at once. Default 1. */
  readonly concurrency?: number | undefined
  /** The longest a run may take. Default `'24h'`. */
  readonly budget?: Duration | undefined
  /** Attempts in all. Default 1. */
  readonly retry?: { readonly attempts: number; readonly backoff?: Duration | undefined } | undefined
  /** Without it nothing is pruned. */
  readonly retention?: Retention | undefined
  /** Finding no target is a success. Default false. */
  readonly allowEmpty?: boolean | undefined
  /** What it leaves out is the top level's: `recipients: []` turns encryption off for this plan. */
  readonly encoding?: EncodingOptions | undefined
  /**
   * Further stores that each artifact is copied to, and read back from. Each is a complete store of its own. Default: the
   * top level's; `[]` is none.
   */
  readonly copies?: readonly StorageDriver[] | undefined
  /** Who is told how its runs went. Default: the top level's; `[]` is nobody. */
  readonly notify?: readonly Notifier[] | undefined
}

/** The whole configuration. */
export interface HoldfastConfig {
  /** Names this installation in the store. Default `'default'`. */
  readonly instance?: string | undefined
  /** Default: a directory in the state directory. */
  readonly storage?: StorageDriver | undefined
  /** Default for every plan. */
  readonly encoding?: EncodingOptions | undefined
  /** Default for every plan: further stores. Default: none. */
  readonly copies?: readonly StorageDriver[] | undefined
  /** Default for every plan and every drill: who is told how runs went. Default: nobody. */
  readonly notify?: readonly Notifier[] | undefined
  readonly plans: readonly Plan[]
  /** Restores that prove that backups are some; each is a run of its own. */
  readonly drills?: readonly Drill[] | undefined
  readonly metrics?:
    | {
        /**
         * Where `/metrics`, `/healthz` and `/readyz` are: a port, or `'host:port'`. 0 is off. `--listen` and
         * `HOLDFAST_LISTEN` win. Default 9480.
         */
        readonly listen?: string | number | undefined
        /**
         * Names under which these and the status page may be asked for, besides addresses, `localhost`, this host and services
         * of the cluster; `'.example.com'` is every one below it, `'*'` any. A page in somebody's browser, whose name was
         * made to lead here, can't read them then. Default: any, but for the page and the API from this machine, which is
         * also where `kubectl port-forward` comes from.
         */
        readonly allowedHosts?: readonly string[] | undefined
        /**
         * A Pushgateway, for runs that end before anybody scrapes them: a URL such as `http://pushgateway:9091`, or
         * `'host:port'`. A reference where it holds a password, opened at each push. Default: nothing is pushed.
         */
        readonly pushgateway?: string | SecretRef | undefined
      }
    | undefined
  /**
   * Which of several pods schedule. `'each'`: every one, its own plans. `'leader'`: the one that holds a Lease; the
   * others take over when it is gone. Default `'each'`.
   */
  readonly replicas?: 'each' | 'leader' | undefined
  /**
   * `'on'`: armed undos are kept as ConfigMaps, too, where the API allows it, so that they survive the loss of the
   * state directory. Default `'on'`.
   */
  readonly undoMirror?: 'on' | 'off' | undefined
}

/**
 * Types the default export of `holdfast.config.ts`.
 *
 * @example
 * ```ts
 * export default defineConfig({
 *   plans: [{ name: 'shop', schedule: { cron: '0 3 * * *' }, use: [scripts({ path: '/scripts' })] }],
 * })
 * ```
 */
export function defineConfig(config: HoldfastConfig): HoldfastConfig {
  return config
}
