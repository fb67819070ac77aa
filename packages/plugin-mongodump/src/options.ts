import { isDuration, type Duration, type Json, type SecretRef } from '@holdfast/sdk'
import * as z from 'zod'
import { whereSchema, type Where } from './place.ts'

/** Options of {@link mongodump}. */
export interface MongodumpOptions {
  /**
   * Where the connection string is: `mongodb://user:password@host:27017/`. The database behind its slash is where the user is
   * kept; what is dumped is said by `database`.
   */
  readonly uri: SecretRef
  /** The same server as Holdfast itself reaches it, where mongodump in its container reaches it by another address. */
  readonly controlUri?: SecretRef | undefined
  /** Default: all of them, and users and roles with them. */
  readonly database?: string | undefined
  /** These collections of the database only. */
  readonly collections?: readonly string[] | undefined
  /** All collections of the database but these. */
  readonly excludeCollections?: readonly string[] | undefined
  /** Documents of the one collection that match, in Extended JSON. */
  readonly query?: Readonly<Record<string, Json>> | undefined
  /**
   * What changes during the dump is dumped along, so that a restore has one moment. `'auto'`: where it can be, on a replica
   * set and with all databases. `true`: there is no backup without it. Default `'auto'`.
   */
  readonly oplog?: 'auto' | boolean | undefined
  /** `'fsyncLock'`: the server takes no writes until all backups of the run are done. Default: nothing stands still. */
  readonly quiesce?: 'fsyncLock' | undefined
  /** Name of the artifact. Default `'dump.archive'`. */
  readonly archive?: string | undefined
  /**
   * mongodump itself compresses, where the way from it to here is what takes long. Default `false`: the store does, with zstd,
   * faster and smaller; a plan with `gzip` sets its `encoding.compression` to `'none'`.
   */
  readonly gzip?: boolean | undefined
  /** Which member of a replica set is read: `'secondary'`, or a document as mongodump has it. Default: the primary. */
  readonly readPreference?: string | undefined
  /** Collections dumped at once. Default: mongodump's, 4. */
  readonly numParallelCollections?: number | undefined
  /** Where mongodump and mongorestore run. Default `'local'`: where Holdfast runs. */
  readonly where?: Where | undefined
  /**
   * What is proven of each dump. `'archive'`: its archive is whole. `'counts'`: and it has the collections and documents that
   * the server had. `'dry-run'`: and mongorestore takes what was stored. Default `'dry-run'`.
   */
  readonly verify?: 'archive' | 'counts' | 'dry-run' | undefined
  /** Share of a collection's documents that may come and go during a dump beyond what was seen. Default 0. */
  readonly countTolerance?: number | undefined
  /** A server without any collection is no failure. Default `false`. */
  readonly allowEmpty?: boolean | undefined
  /** The longest that a dump may take. Default `'6h'`. */
  readonly timeout?: Duration | undefined
  /** The programs, with leading arguments. Default: by their names. */
  readonly tools?:
    | {
        readonly mongodump?: readonly [string, ...string[]] | undefined
        readonly mongorestore?: readonly [string, ...string[]] | undefined
      }
    | undefined
}

/** A reference to a secret. */
export const secretRefSchema = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
])

const duration = z
  .union([z.number(), z.templateLiteral([z.number(), z.enum(['ms', 's', 'm', 'h', 'd'])])], {
    error: "use milliseconds or a number with ms, s, m, h or d, such as '5m'",
  })
  .refine(isDuration, { error: 'a duration is not negative' })
const program = z.tuple([z.string().min(1)], z.string()).readonly()
const names = z.array(z.string().min(1)).min(1).readonly()
// Not `z.json()`: that refers to itself, and a schema for editors, of which this becomes a part, has its definitions elsewhere.
const query = z
  .record(z.string(), z.unknown())
  .refine((value): value is Readonly<Record<string, Json>> => z.json().safeParse(value).success, {
    error: 'use JSON: MongoDB’s other types in Extended JSON, such as {"$date": "2026-11-01T00:00:00Z"}',
  })

/** Validates {@link MongodumpOptions}. */
export const mongodumpSchema = z
  .strictObject({
    uri: secretRefSchema,
    controlUri: secretRefSchema.optional(),
    database: z.string().min(1).optional(),
    collections: names.optional(),
    excludeCollections: names.optional(),
    query: query.optional(),
    oplog: z.union([z.boolean(), z.literal('auto')]).optional(),
    quiesce: z.literal('fsyncLock').optional(),
    archive: z.string().min(1).optional(),
    gzip: z.boolean().optional(),
    readPreference: z.string().min(1).optional(),
    numParallelCollections: z.int().min(1).max(1000).optional(),
    where: whereSchema.optional(),
    verify: z.enum(['archive', 'counts', 'dry-run']).optional(),
    countTolerance: z.number().min(0).max(1).optional(),
    allowEmpty: z.boolean().optional(),
    timeout: duration.optional(),
    tools: z.strictObject({ mongodump: program.optional(), mongorestore: program.optional() }).optional(),
  })
  .refine(({ database, collections, excludeCollections }) => database ?? !(collections ?? excludeCollections), {
    error: 'collections are of a database: say which',
    path: ['database'],
  })
  .refine(({ collections, excludeCollections }) => !(collections && excludeCollections), {
    error: 'collections and excludeCollections contradict each other',
    path: ['excludeCollections'],
  })
  .refine(({ query: asked, collections }) => !asked || collections?.length === 1, {
    error: 'a query is for one collection: name it, and only it, in collections',
    path: ['query'],
  })
  .refine(({ oplog, database }) => oplog !== true || database === undefined, {
    error: 'mongodump takes the oplog along only with all databases',
    path: ['oplog'],
  })
  .refine(({ oplog, quiesce }) => oplog !== true || quiesce === undefined, {
    error: 'nothing is written while fsyncLock holds: oplog adds nothing to it',
    path: ['oplog'],
  })

/** The options after validation. */
export type MongodumpConfig = z.output<typeof mongodumpSchema>

/** The dumping program. */
export function dumpProgram({ tools }: Pick<MongodumpConfig, 'tools'>): readonly [string, ...string[]] {
  return tools?.mongodump ?? ['mongodump']
}

/** The restoring program. */
export function restoreProgram({ tools }: Pick<MongodumpConfig, 'tools'>): readonly [string, ...string[]] {
  return tools?.mongorestore ?? ['mongorestore']
}
