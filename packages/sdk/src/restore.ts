import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { RunContext } from './context.ts'
import type { Awaitable, Bytes, Json } from './json.ts'
import type { PlannedStep } from './planned-step.ts'
import type { RestorePoint } from './run.ts'

/** What a restore is made with. */
export interface RestoreContext<Config, Options = unknown> extends RunContext<Config> {
  readonly point: RestorePoint
  /** What `--to key=value …` said, validated. */
  readonly options: Options
  /** Whoever asked for it says that what is there may be overwritten. */
  readonly force: boolean
  /**
   * Decoded bytes; fails at the end if the digest does not match. The engine tells how far it is, so that you need not.
   *
   * Read it to its end: what was not read is not proven, and the restore ends with the warning `RESTORE_UNREAD`.
   *
   * @throws HoldfastError (while reading) `ARTIFACT_DIGEST`, `ARTIFACT_KEY_MISSING`, `STORAGE_…`
   */
  openArtifact(id: string): Bytes
  /**
   * Makes a file of an artifact, as `holdfast restore --bytes` does: never over one that is there unless forced, and under
   * a name of its own until all of it is there, checked and on the disk. What a killed process leaves of it is removed by
   * an undo.
   *
   * @param to - a file; or a directory: one that is there, one whose name ends in `/`, any where several artifacts are restored
   * @returns the file
   * @throws HoldfastError `RESTORE_EXISTS`, `RESTORE_SPACE`, `RESTORE_UNWRITABLE`, or what reading threw
   */
  writeArtifact(id: string, to: string): Promise<string>
  /**
   * Throws what {@link RestoreContext.writeArtifact} would, as far as it can be seen before.
   *
   * @returns the file that it would make
   */
  checkWrite(id: string, to: string): Promise<string>
  /**
   * Makes sure that there is room. What earlier calls of the same restore asked for counts, too.
   *
   * @param directory - it, or the nearest directory above it that is there. Default: where workspaces are
   * @throws HoldfastError `RESTORE_SPACE`
   */
  requireSpace(bytes: number, directory?: string): Promise<void>
}

/** The context of a look before a restore: nothing may be changed. */
export type RestoreCheckContext<Config, Options = unknown> = Omit<
  RestoreContext<Config, Options>,
  'undo' | 'writeArtifact'
>

/** How a plugin's targets are restored. */
export interface RestoreDefinition<Config, Options extends StandardSchemaV1> {
  /** Validates `--to key=value …`. */
  readonly options: Options
  /**
   * What can be restored; default: the artifact store. `forRetention`: only what the retention of this very plan may count
   * and let go, where several plans keep points of one target in the same place.
   */
  points?(
    ctx: RunContext<Config>,
    filter: { readonly target?: string; readonly forRetention?: boolean },
  ): AsyncIterable<RestorePoint>
  /**
   * Looks whether it can be restored, before anything is touched: whether the programs are there and of a version that
   * fits, whether the place can be reached, holds nothing that would be overwritten without `force`, and has room. Throws
   * what is in the way. A backup of several artifacts has a point each: it is called for each of them, in the order of their
   * names, before the first is restored.
   *
   * @returns what {@link RestoreDefinition.run} would do, a line each: what `holdfast restore --dry-run` prints
   */
  check?(
    ctx: RestoreCheckContext<Config, StandardSchemaV1.InferOutput<Options>>,
  ): Awaitable<readonly PlannedStep[] | void>
  /**
   * Restores one point; called for each, in the same order. Looks once more at what may have changed since the check, and arms an undo for what must not stay half done.
   *
   * @returns where it is, as it is printed
   */
  run(ctx: RestoreContext<Config, StandardSchemaV1.InferOutput<Options>>): Awaitable<{ readonly where: Json }>
}
