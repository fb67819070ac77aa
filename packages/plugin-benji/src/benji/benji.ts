import type { BenjiVersion } from './version.ts'

/** A backup that Benji is to make. */
export interface BenjiBackupRequest {
  readonly uid: string
  readonly volume: string
  readonly snapshot: string
  /** `io:pool/[ns/]image@snapshot`; see `sourceUrl`. */
  readonly source: string
  /** The output of `rbd diff`. Without it every block is read. */
  readonly hints?: string | undefined
  /** Uid of the version whose snapshot the hints count from. */
  readonly base?: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly blockSize?: number | undefined
}

/** What Benji said about blocks that it compared or wrote. Its exit code doesn't tell (C1, C2). */
export interface BenjiFindings {
  /** Events of mismatches and of invalid blocks, as logged; empty when all was well. */
  readonly problems: readonly string[]
}

/** What a scrub found. */
export interface BenjiScrubReport extends BenjiFindings {
  readonly versions: readonly BenjiVersion[]
  /** Those of them that failed. */
  readonly errors: readonly BenjiVersion[]
  /** Uids that a batch passed over: something else had them locked, or their backup hasn't come to its end. */
  readonly skipped: readonly string[]
}

/** Which versions a batch of scrubs is about, and how much of each. */
export interface BenjiBatchScrubRequest {
  readonly deep: boolean
  /** 1 to 100; default 100. */
  readonly versionPercentage?: number | undefined
  /** 1 to 100; default 100. */
  readonly blockPercentage?: number | undefined
  readonly filter?: string | undefined
}

/** Done and total blocks of what Benji does right now. */
export type BenjiProgress = (done: number, total: number, task: string) => void

/**
 * Benji's command line, typed. Each call is one process; it is stopped with SIGINT, on which Benji releases its locks.
 * Each rejects with a `BENJI_…` error that says what Benji said: by its exit code (`BENJI_LOCKED`, `BENJI_NOT_FOUND`,
 * `BENJI_CONFIG`, `BENJI_USAGE`, …), `BENJI_OUTPUT` when its JSON can't be read, `BENJI_MISSING` when there is no such
 * program.
 */
export interface Benji {
  /** Versions, by volume and then oldest first. */
  ls(filter?: string): Promise<readonly BenjiVersion[]>
  /** The version with this uid; `undefined` when there is none. */
  find(uid: string): Promise<BenjiVersion | undefined>
  backup(request: BenjiBackupRequest, onProgress?: BenjiProgress): Promise<BenjiVersion>
  /** Writes a version to a URL. Resolves even where Benji found wrong checksums: look at `problems`. */
  restore(
    request: { readonly uid: string; readonly to: string; readonly sparse?: boolean; readonly force?: boolean },
    onProgress?: BenjiProgress,
  ): Promise<BenjiFindings>
  rm(
    uids: readonly string[],
    options?: { readonly force?: boolean; readonly overrideLock?: boolean; readonly keepMetadataBackup?: boolean },
  ): Promise<void>
  /** Removes what a retention lets go; `removed` are the versions, or with `dryRun` the uids alone, which Benji only logs (C3). */
  enforce(request: {
    readonly rules: string
    readonly filter?: string | undefined
    readonly dryRun?: boolean
  }): Promise<{ readonly removed: readonly string[] }>
  protect(uids: readonly string[]): Promise<void>
  unprotect(uids: readonly string[]): Promise<void>
  /** Sets labels; `undefined` removes one. */
  label(uid: string, labels: Readonly<Record<string, string | undefined>>): Promise<void>
  /** Compares a version with its source, `percentage` of its blocks. */
  deepScrub(
    request: {
      readonly uid: string
      readonly source?: string | undefined
      readonly blockPercentage?: number | undefined
    },
    onProgress?: BenjiProgress,
  ): Promise<BenjiScrubReport>
  batchScrub(request: BenjiBatchScrubRequest, onProgress?: BenjiProgress): Promise<BenjiScrubReport>
  /** Frees what removed versions alone used. @returns what Benji said about it */
  cleanup(options?: { readonly overrideLock?: boolean }): Promise<{ readonly report: string | undefined }>
  /** Writes the versions' metadata into the storage anew (C4: without this, labels aren't in it). */
  metadataBackup(filter: string): Promise<void>
  /** Uids whose metadata is in the storage. */
  metadataLs(): Promise<ReadonlySet<string>>
}
