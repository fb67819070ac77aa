/** A collection in an archive, or the oplog. */
export interface ArchivedCollection {
  /** Empty for the oplog. */
  readonly database: string
  /** As it is called on the server; of a time series not the buckets, which are what is stored. */
  readonly collection: string
  /** `view` and `timeseries` are MongoDB's words; anything else is a collection. */
  readonly type: string
  readonly documents: number
  /** Bytes of its documents. */
  readonly bytes: number
}

/** What an archive holds: known only when all of it was read. */
export interface ArchiveSummary {
  /** Of the format: `0.1`. */
  readonly version: string
  readonly serverVersion: string
  readonly toolVersion: string
  readonly concurrentCollections: number
  /** In the order of the prelude, without the oplog. */
  readonly collections: readonly ArchivedCollection[]
  /** What changed while it was dumped, where mongodump was asked for it. */
  readonly oplog: ArchivedCollection | undefined
  /** Documents of all collections. */
  readonly documents: number
  /** Bytes of the archive itself, before any compression. */
  readonly bytes: number
  /** Bytes of it up to the first block of a collection: all that a dry run of mongorestore reads. */
  readonly preludeBytes: number
}

/** As MongoDB writes it. */
export function namespaceOf({
  database,
  collection,
}: {
  readonly database: string
  readonly collection: string
}): string {
  return `${database}.${collection}`
}
