import type { SecretRef } from '@holdfast/sdk'
import * as z from 'zod'

const list = z
  .string()
  .min(1)
  .transform((text) => text.split(',').filter((each) => each !== ''))
const yesOrNo = z.enum(['true', 'false'], { error: 'use true or false' }).transform((text) => text === 'true')
const number = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, { error: 'use a number such as 4' })
  .transform(Number)

/** Validates `--to key=value …`: where to, what of it, and under which names. */
export const restoreOptions = z
  .strictObject({
    /** Variable with the connection string of the server to restore to. Default: the server that was dumped. */
    'uri-env': z.string().min(1).optional(),
    /** File with it. */
    'uri-file': z.string().min(1).optional(),
    /** Variable with the same server's connection string as Holdfast itself reaches it. */
    'control-uri-env': z.string().min(1).optional(),
    /** File with it. */
    'control-uri-file': z.string().min(1).optional(),
    /** `local`: mongorestore runs here, wherever the dump ran. */
    where: z.literal('local').optional(),
    /** The one database of the backup is restored under this name, and nothing else. */
    database: z
      .string()
      .regex(/^[^/\\. "$*<>:|?]{1,63}$/, { error: 'MongoDB allows no database of that name' })
      .optional(),
    /** Patterns of what is renamed, with commas between: `shop.*`. */
    nsFrom: list.optional(),
    /** Their new names, as many: `shop_copy.*`. */
    nsTo: list.optional(),
    /** Patterns of what is restored. Default: everything. */
    nsInclude: list.optional(),
    /** Patterns of what isn't. */
    nsExclude: list.optional(),
    /** `true`, with --force: collections of the same names are dropped first. That is what --force does unless told `false`: then what is there stays, and documents are added. */
    drop: yesOrNo.optional(),
    /** `false`: changes during the dump are not applied. Default: they are, unless something is chosen or renamed. */
    oplogReplay: yesOrNo.optional(),
    /** `false`: indexes are not built. */
    indexes: yesOrNo.optional(),
    /** Collections restored at once. Default: as many as were dumped at once. */
    numParallelCollections: number.optional(),
    /** Connections that insert, per collection. Default 1. */
    numInsertionWorkers: number.optional(),
  })
  .refine((options) => options['uri-env'] === undefined || options['uri-file'] === undefined, {
    error: 'uri-env and uri-file contradict each other',
    path: ['uri-file'],
  })
  .refine((options) => options['control-uri-env'] === undefined || options['control-uri-file'] === undefined, {
    error: 'control-uri-env and control-uri-file contradict each other',
    path: ['control-uri-file'],
  })
  .refine(({ nsFrom = [], nsTo = [] }) => nsFrom.length === nsTo.length, {
    error: 'nsFrom and nsTo belong together, one to one',
    path: ['nsTo'],
  })
  .refine(({ database, nsFrom, nsInclude }) => database === undefined || (nsFrom ?? nsInclude) === undefined, {
    error: 'database chooses and renames by itself: leave out nsFrom, nsTo and nsInclude',
    path: ['database'],
  })

/** How somebody wants a dump restored. */
export type RestoreOptions = z.output<typeof restoreOptions>

/** The server to restore to; `undefined`: the one that was dumped. */
export function uriOf(options: RestoreOptions): SecretRef | undefined {
  return refOf(options['uri-env'], options['uri-file'])
}

/** The same as Holdfast reaches it. */
export function controlUriOf(options: RestoreOptions): SecretRef | undefined {
  return refOf(options['control-uri-env'], options['control-uri-file'])
}

function refOf(env: string | undefined, file: string | undefined): SecretRef | undefined {
  if (env !== undefined) return { env }
  return file === undefined ? undefined : { file }
}
