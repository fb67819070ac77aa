import type { Json, TargetContext } from '@holdfast/sdk'
import { namespaceOf, type ArchiveSummary } from '../archive/summary.ts'
import { createStreamCheck } from '../archive/stream-check.ts'
import { errors } from '../errors.ts'
import { dumpProgram, type MongodumpConfig } from '../options.ts'
import { placeOf, type Place } from '../place.ts'
import { openServer, type Access } from '../server/open-server.ts'
import { formatUri, hostsOf, parseUri } from '../server/uri.ts'
import { dumpFailure } from '../tools/dump-failure.ts'
import { runTool } from '../tools/run-tool.ts'
import { createToolLog } from '../tools/tool-log.ts'
import { dumpArguments } from './arguments.ts'
import { compare, takeInventory, type Comparison, type Inventory } from './counts.ts'
import { dumpManifest } from './manifest.ts'
import { decideOplog, type Consistency } from './oplog.ts'
import { describeScope, isDumped } from './scope.ts'
import { saveVerdict } from './verdict.ts'

type Context = TargetContext<MongodumpConfig>

/** How often it is told how far the dump is, in ms. */
const progressEveryMs = 1000

/**
 * Dumps a server straight into the store. An artifact comes of it only when mongodump ended well and its archive is whole; what
 * the server says about numbers is kept for `verifyBackups`.
 *
 * @throws HoldfastError `MONGODB_…`, `MONGODUMP_…`, `EXEC_…`
 */
export async function backUp(ctx: Context): Promise<void> {
  const { config, log } = ctx
  const place = placeOf(config.where)
  const access = await openServer(ctx, { ...config, place })
  try {
    const { server, topology, unseen } = access
    if (unseen !== undefined) log.warn(`the server can't be asked, so the dump is not compared with it: ${unseen}`)
    const consistency = decideOplog({ config, topology })
    if (consistency.by === 'none') log.info(`the dump is not of one moment: ${consistency.reason}`)
    const before = server && (needsInventory(config) ? await takeInventory(server, config) : undefined)
    requireCollections(
      config,
      before?.collections.map(({ collection }) => collection),
    )
    const dump: Dump = { ctx, place, access, consistency, before }
    const meta: Record<string, Json> = {}
    const name = config.archive ?? 'dump.archive'
    let comparison: Comparison | undefined
    const artifact = await ctx.createArtifact(
      name,
      async (sink) => {
        const summary = await stream(dump, (chunk) => sink.write(chunk))
        comparison = await compareWithServer(dump, summary)
        meta['mongodump'] = dumpManifest({ ...dump, config, summary, comparison, uncompared: whyUncompared(dump) })
      },
      { meta },
    )
    await saveVerdict(ctx.vars, artifact.id, { differences: comparison?.differences ?? [] })
  } finally {
    await access.server?.close()
  }
}

interface Dump {
  readonly ctx: Context
  readonly place: Place
  readonly access: Access
  readonly consistency: Consistency
  /** What the server had, where it can be asked. */
  readonly before: Inventory | undefined
}

function needsInventory({ verify, collections }: MongodumpConfig): boolean {
  return verify !== 'archive' || (collections !== undefined && collections.length > 1)
}

/** Runs mongodump and checks its archive on the way. @returns what came */
async function stream({ ctx, place, consistency, access, before }: Dump, write: Write): Promise<ArchiveSummary> {
  const { config, clock, signal } = ctx
  const address = parseUri((await ctx.secrets.open(config.uri)).reveal())
  const args = dumpArguments(config, {
    oplog: consistency.oplog,
    otherCollections: await otherCollections(access, config),
  })
  const said = createToolLog(ctx.log, 'mongodump')
  const check = createStreamCheck()
  const expected = [...(before?.counts.values() ?? [])].reduce((sum, each) => sum + each, 0)
  let told = clock.now().getTime()
  const take = async (chunk: Uint8Array): Promise<void> => {
    await check.write(chunk)
    await write(chunk)
    const now = clock.now().getTime()
    if (now - told < progressEveryMs) return
    told = now
    ctx.progress(check.documents, expected > check.documents ? expected : undefined, check.current)
  }
  try {
    await runTool(ctx, {
      place,
      program: dumpProgram(config),
      args,
      uri: formatUri(address),
      stdout: { write: take },
      onLine: said.line,
    })
    if (check.documents === 0 && said.said(/does not exist$/)) {
      throw errors.MONGODUMP_NAMESPACE({ missing: `collection ${describeScope(config)}` })
    }
    const summary = await check.end()
    if (summary.collections.length === 0 && config.allowEmpty !== true) {
      throw errors.MONGODUMP_EMPTY({ what: describeScope(config) })
    }
    requireCollections(
      config,
      summary.collections.map(({ collection }) => collection),
    )
    return summary
  } catch (error) {
    throw dumpFailure(error, { log: said, server: hostsOf(address), documents: check.documents, signal })
  } finally {
    check.close()
  }
}

type Write = (chunk: Uint8Array) => Promise<void>

/** mongodump takes one collection or all but some: for several, the others are left out by name. */
async function otherCollections({ server, unseen }: Access, config: MongodumpConfig): Promise<readonly string[]> {
  const { database, collections = [] } = config
  if (collections.length < 2) return []
  if (!server) throw errors.MONGODUMP_LISTING({ reason: unseen })
  const all = (await server.collections(database)).filter((each) => isDumped(each, { database }))
  return all.map(({ collection }) => collection).filter((collection) => !collections.includes(collection))
}

/** What was named and isn't there, mongodump leaves out without a word. @param found - `undefined`: nobody knows */
function requireCollections(
  { database, collections = [] }: MongodumpConfig,
  found: readonly string[] | undefined,
): void {
  const missing = found ? collections.filter((collection) => !found.includes(collection)) : []
  if (missing.length === 0) return
  const names = missing.map((collection) => namespaceOf({ database: database ?? '', collection }))
  throw errors.MONGODUMP_NAMESPACE({ missing: `collection ${names.join(', ')}` })
}

async function compareWithServer(
  { ctx, access, before }: Dump,
  summary: ArchiveSummary,
): Promise<Comparison | undefined> {
  const { config } = ctx
  const { server } = access
  if (!server || !before || config.verify === 'archive') return undefined
  const after = await takeInventory(server, config)
  const { query, countTolerance: tolerance = 0 } = config
  return compare({ server, dumped: summary.collections, before, after, query, tolerance })
}

function whyUncompared({ ctx, access }: Dump): string | undefined {
  return ctx.config.verify === 'archive' ? 'it was not asked for' : access.unseen
}
