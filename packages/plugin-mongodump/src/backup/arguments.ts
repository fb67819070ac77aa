import type { MongodumpConfig } from '../options.ts'

/** Options of {@link dumpArguments}. */
export interface DumpArgumentsOptions {
  readonly oplog: boolean
  /** Of the database, where several but not all are wanted. */
  readonly otherCollections: readonly string[]
}

/** The arguments of mongodump. An archive on standard output: no disk in between. */
export function dumpArguments(
  config: Pick<
    MongodumpConfig,
    'database' | 'collections' | 'excludeCollections' | 'query' | 'gzip' | 'readPreference' | 'numParallelCollections'
  >,
  { oplog, otherCollections }: DumpArgumentsOptions,
): readonly string[] {
  const { database, collections, excludeCollections = [], query, gzip, readPreference, numParallelCollections } = config
  const [collection, ...more] = collections ?? []
  const excluded = [...excludeCollections, ...otherCollections]
  return [
    '--archive',
    ...(database === undefined ? [] : [`--db=${database}`]),
    ...(collection === undefined || more.length > 0 ? [] : [`--collection=${collection}`]),
    ...excluded.map((each) => `--excludeCollection=${each}`),
    ...(query === undefined ? [] : [`--query=${JSON.stringify(query)}`]),
    ...(oplog ? ['--oplog'] : []),
    ...(gzip === true ? ['--gzip'] : []),
    ...(readPreference === undefined ? [] : [`--readPreference=${readPreference}`]),
    ...(numParallelCollections === undefined ? [] : [`--numParallelCollections=${numParallelCollections}`]),
  ]
}
