import type { RestoreCheckContext, SecretRef } from '@holdfast/sdk'
import { ArchiveProblem } from '../archive/parser.ts'
import { readPrelude, type Prelude } from '../archive/read-prelude.ts'
import { namespaceOf } from '../archive/summary.ts'
import { errors } from '../errors.ts'
import { restoreProgram, type MongodumpConfig } from '../options.ts'
import { placeOf, type Place, type Where } from '../place.ts'
import { openServer, type Access } from '../server/open-server.ts'
import { hostsOf, parseUri } from '../server/uri.ts'
import { requireVersion } from '../tools/version.ts'
import { dryRun } from './dry-run.ts'
import { controlUriOf, uriOf, type RestoreOptions } from './options.ts'
import { select, type Move, type Selection } from './selection.ts'

/** The context of a look before a restore, and of the restore itself. */
export type Context = RestoreCheckContext<MongodumpConfig, RestoreOptions>

/** A restore that can be made: everything was looked at, nothing was touched. */
export interface Restore {
  readonly artifact: string
  readonly place: Place
  readonly where: Where | undefined
  readonly uri: SecretRef
  readonly controlUri: SecretRef | undefined
  /** For people: the server to restore to. */
  readonly server: string
  readonly access: Access
  readonly prelude: Prelude
  readonly selection: Selection
  /** Collections of the same names are dropped first. */
  readonly drop: boolean
  /** What is not there yet: it may be removed again, should the restore not come to its end. */
  readonly absent: readonly Move[]
  /** What is there: it is dropped, added to, or empty. */
  readonly present: readonly Move[]
}

/**
 * Looks at everything that can be known before a restore. Whoever calls it closes `access`.
 *
 * @throws HoldfastError `MONGORESTORE_SELECTION`, `MONGORESTORE_NOT_EMPTY`, `MONGORESTORE_UNSEEN`, `MONGODUMP_…`, `MONGODB_…`
 */
export async function prepareRestore(ctx: Context): Promise<Restore> {
  const { options, config, force, log } = ctx
  const where = options.where ?? config.where
  const place = placeOf(where)
  if (options.drop === true && !force) {
    throw errors.MONGORESTORE_SELECTION({ reason: 'drop=true destroys what is there, and needs --force' })
  }
  await requireVersion(ctx, place, restoreProgram(config))
  const artifact = artifactOf(ctx)
  const prelude = await readPrelude(ctx.openArtifact(artifact)).catch((error: unknown) => {
    throw error instanceof ArchiveProblem
      ? errors.MONGODUMP_ARCHIVE({ problem: error.message }, { cause: error })
      : error
  })
  const selection = select(prelude.collections, options)
  const elsewhere = uriOf(options)
  const uri = elsewhere ?? config.uri
  // The plan's other address is of the server that was dumped.
  const controlUri = controlUriOf(options) ?? (elsewhere ? undefined : config.controlUri)
  const server = hostsOf(parseUri((await ctx.secrets.open(uri)).reveal()))
  const access = await openServer(ctx, { uri, controlUri, place })
  try {
    if (access.topology && isOlder(access.topology.version, prelude.serverVersion)) {
      log.warn(`the dump is of MongoDB ${prelude.serverVersion}, and ${server} is older: ${access.topology.version}`)
    }
    const seen = await lookAtTarget(access, selection.moves)
    if (!force) requireRoom(server, access, seen)
    await dryRun(ctx, { place, uri, archive: ctx.openArtifact(artifact), args: selection.args })
    const drop = force && options.drop !== false
    return { artifact, place, where, uri, controlUri, server, access, prelude, selection, drop, ...seen }
  } catch (error) {
    await access.server?.close()
    throw error
  }
}

function artifactOf({ point }: Context): string {
  const { artifact } = (point.ref ?? {}) as { readonly artifact?: unknown }
  return typeof artifact === 'string' ? artifact : point.id
}

interface Seen {
  readonly absent: readonly Move[]
  readonly present: readonly Move[]
  /** Of what is there, what has documents, in words. */
  readonly full: readonly string[]
}

async function lookAtTarget({ server }: Access, moves: readonly Move[]): Promise<Seen> {
  if (!server) return { absent: [], present: moves, full: [] }
  const wanted = moves.filter(({ internal }) => !internal)
  const there = new Map<string, string>()
  for (const database of new Set(wanted.map((move) => move.database))) {
    for (const each of await server.collections(database)) there.set(namespaceOf(each), each.type)
  }
  const absent = wanted.filter((move) => !there.has(namespaceOf(move)))
  const present = wanted.filter((move) => there.has(namespaceOf(move)))
  const isView = (move: Move): boolean => there.get(namespaceOf(move)) === 'view'
  const counted = present.filter((move) => !isView(move))
  const numbers = await server.counts(counted)
  const full = counted.flatMap((move, index) => {
    const number = numbers[index]
    if (number === 0) return []
    return `${namespaceOf(move)} (${number === undefined ? 'how many is not known' : number})`
  })
  return { absent, present, full }
}

function requireRoom(server: string, access: Access, { full }: Seen): void {
  if (access.unseen !== undefined) throw errors.MONGORESTORE_UNSEEN({ server, reason: access.unseen })
  if (full.length === 0) return
  const more = full.length > 5 ? ` and ${full.length - 5} more` : ''
  throw errors.MONGORESTORE_NOT_EMPTY({ server, list: `${full.slice(0, 5).join(', ')}${more}` })
}

/** By major and minor version, where both are numbers. */
function isOlder(version: string, than: string): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number)
  const [c = 0, d = 0] = than.split('.').map(Number)
  return a < c || (a === c && b < d)
}
