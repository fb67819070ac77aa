import {
  isHoldfastError,
  type Json,
  type PlannedStep,
  type RestoreContext,
  type RestoreDefinition,
} from '@holdfast/sdk'
import { ArchiveProblem } from '../archive/parser.ts'
import { createStreamCheck } from '../archive/stream-check.ts'
import { namespaceOf, type ArchiveSummary } from '../archive/summary.ts'
import { errors } from '../errors.ts'
import { restoreProgram, type MongodumpConfig } from '../options.ts'
import { describePlace } from '../place.ts'
import { formatUri, parseUri } from '../server/uri.ts'
import { runTool } from '../tools/run-tool.ts'
import { createToolLog } from '../tools/tool-log.ts'
import { countRestored, type Counted } from './count-restored.ts'
import { restoreOptions, type RestoreOptions } from './options.ts'
import { prepareRestore, type Context, type Restore } from './prepare.ts'
import { restoreUndo, type Made } from './restore-undo.ts'
import type { Move, Selection } from './selection.ts'

/**
 * How dumps are restored: by mongorestore, to the server they came from or another one, under their own names or others. All of the
 * archive is read and checked before anything is touched; what is made is removed again unless all of it is there.
 */
export const restoreDump: RestoreDefinition<MongodumpConfig, typeof restoreOptions> = {
  options: restoreOptions,
  async check(ctx) {
    const restore = await prepareRestore(ctx)
    await restore.access.server?.close()
    return describeRestore(restore)
  },
  async run(ctx) {
    const restore = await prepareRestore(ctx)
    const { access, selection, absent, present, server } = restore
    try {
      const summary = await readAll(ctx, restore)
      const { uri, controlUri, where } = restore
      const undo = await ctx.undo.arm(restoreUndo, {
        uri,
        controlUri,
        where,
        server,
        made: absent.map((move) => madeBy(move, selection, summary)),
        touched: present.map(namespaceOf),
      })
      const { documents } = await runRestore(ctx, restore)
      const counted = await countRestored({ ...restore, summary, left: leftOf(restore) })
      await undo.disarm()
      return { where: report(restore, documents, counted, selection.oplog) }
    } finally {
      await access.server?.close()
    }
  },
}

/** A collection that will be made, and the most documents it has by this restore, where the archive tells. */
function madeBy({ database, collection, from, type }: Move, { oplog }: Selection, summary: ArchiveSummary): Made {
  const isKnown = !oplog.replayed && type !== 'view' && type !== 'timeseries'
  const documents = summary.collections.find((each) => namespaceOf(each) === from)?.documents
  return { database, collection, ...(isKnown && documents !== undefined && { documents }) }
}

function describeRestore({ selection, place, server, drop, access, present }: Restore): readonly PlannedStep[] {
  const { moves, oplog } = selection
  const names = moves.map((move) =>
    move.from === namespaceOf(move) ? move.from : `${move.from} as ${namespaceOf(move)}`,
  )
  const listed =
    names.length <= 10 ? names.join(', ') : `${names.slice(0, 10).join(', ')} and ${names.length - 10} more`
  return [
    { kind: 'exec', what: 'reads all of the archive, and checks it' },
    ...(drop && present.length > 0
      ? [{ kind: 'delete' as const, what: `drops ${present.map(namespaceOf).join(', ')}`, where: server }]
      : []),
    { kind: 'undo', what: 'removes what it has made, unless all of it comes to be there', where: server },
    {
      kind: 'exec',
      what: `mongorestore ${describePlace(place)}: ${listed}${oplog.replayed ? ', and the oplog' : ''}`,
      where: server,
    },
    {
      kind: 'api',
      what: access.server ? 'counts documents' : `does not count documents: ${access.unseen}`,
      where: server,
    },
  ]
}

/** Reads the archive to its end: what is damaged must not be known only when half of it is restored. */
async function readAll(ctx: Context, { artifact }: Restore): Promise<ArchiveSummary> {
  const check = createStreamCheck()
  try {
    for await (const chunk of ctx.openArtifact(artifact)) await check.write(chunk)
    return await check.end()
  } catch (error) {
    throw error instanceof ArchiveProblem
      ? errors.MONGODUMP_ARCHIVE({ problem: error.message }, { cause: error })
      : error
  } finally {
    check.close()
  }
}

async function runRestore(
  ctx: RestoreContext<MongodumpConfig, RestoreOptions>,
  restore: Restore,
): Promise<{ readonly documents: number | undefined }> {
  const { options, config, secrets } = ctx
  const { place, uri, artifact, prelude, selection, drop } = restore
  const said = createToolLog(ctx.log, 'mongorestore')
  const left = leftOf(restore)
  const adds = ctx.force && !drop
  try {
    await runTool(ctx, {
      place,
      program: restoreProgram(config),
      args: [
        '--archive',
        ...(prelude.gzip ? ['--gzip'] : []),
        ...selection.args,
        ...(drop ? ['--drop'] : []),
        // What is added to what is there may be there already.
        ...(adds ? [] : ['--stopOnError']),
        ...(selection.oplog.replayed ? ['--oplogReplay'] : []),
        ...(options.indexes === false ? ['--noIndexRestore'] : []),
        ...(options.numParallelCollections === undefined
          ? []
          : [`--numParallelCollections=${options.numParallelCollections}`]),
        ...(options.numInsertionWorkers === undefined
          ? []
          : [`--numInsertionWorkersPerCollection=${options.numInsertionWorkers}`]),
      ],
      uri: formatUri(parseUri((await secrets.open(uri)).reveal())),
      stdin: ctx.openArtifact(artifact),
      onLine: said.line,
    })
  } catch (error) {
    if (ctx.signal.aborted || !isHoldfastError(error)) throw error
    const reason = error.code === 'EXEC_FAILED' ? said.lastWords : error.message
    throw errors.MONGORESTORE_FAILED({ reason, left }, { cause: error })
  }
  const { restored = 0, failed = 0 } = said.restored ?? {}
  if (failed > 0) {
    const examples = said.refused.join('; ') || 'it does not say why'
    if (!adds) throw errors.MONGORESTORE_DOCUMENTS({ failed, restored, examples, left })
    ctx.log.warn(`${failed} documents were not added, for there are others in their place: ${examples}`)
  }
  return { documents: said.restored && restored }
}

/** What a restore leaves behind that fails from here on, in words. */
function leftOf({ absent, present, server }: Restore): string {
  const removed =
    absent.length > 0 ? 'what it has made is removed again (`holdfast undo list` says if that is pending)' : undefined
  const names = present.map(namespaceOf)
  const stays =
    names.length === 0
      ? undefined
      : `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''} on ${server} may be half restored`
  return [removed, stays].filter((each) => each !== undefined).join('; ') || 'nothing was made'
}

const longestList = 1000

function report(
  { server, selection, access, place }: Restore,
  documents: number | undefined,
  counted: Counted,
  oplog: Restore['selection']['oplog'],
): Json {
  return {
    server,
    ran: describePlace(place),
    collections: selection.moves.slice(0, longestList).map(namespaceOf),
    ...(selection.moves.length > longestList && { more: selection.moves.length - longestList }),
    documents,
    compared: counted.compared,
    ...(counted.reason !== undefined && { notCompared: counted.reason }),
    oplog: oplog.replayed ? 'replayed' : (oplog.reason ?? 'none'),
    ...(access.server && { seen: access.server.via }),
  }
}
