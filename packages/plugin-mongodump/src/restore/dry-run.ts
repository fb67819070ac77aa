import { isHoldfastError, type Bytes, type SecretRef, type ServiceContext } from '@holdfast/sdk'
import { ArchiveProblem } from '../archive/parser.ts'
import { readPrelude } from '../archive/read-prelude.ts'
import { errors } from '../errors.ts'
import { restoreProgram, type MongodumpConfig } from '../options.ts'
import type { Place } from '../place.ts'
import { formatUri, parseUri } from '../server/uri.ts'
import { runTool, type ToolContext } from '../tools/run-tool.ts'
import { createToolLog } from '../tools/tool-log.ts'

/** Options of {@link dryRun}. */
export interface DryRunOptions {
  readonly place: Place
  readonly uri: SecretRef
  readonly archive: Bytes
  /** What is chosen and renamed. */
  readonly args: readonly string[]
}

/**
 * Lets mongorestore say whether it takes an archive: its version, its list of collections, the names; and whether it gets to the
 * server. It reads no further than that list, so no more is fed to it.
 *
 * @throws HoldfastError `MONGODUMP_DRY_RUN`, `MONGODUMP_ARCHIVE`, `MONGODUMP_MISSING`
 */
export async function dryRun(
  ctx: ToolContext & Pick<ServiceContext<MongodumpConfig>, 'secrets' | 'config'>,
  { place, uri, archive, args }: DryRunOptions,
): Promise<void> {
  const prelude = await readPrelude(archive).catch((error: unknown) => {
    throw error instanceof ArchiveProblem
      ? errors.MONGODUMP_ARCHIVE({ problem: error.message }, { cause: error })
      : error
  })
  const said = createToolLog(ctx.log, 'mongorestore')
  try {
    await runTool(ctx, {
      place,
      program: restoreProgram(ctx.config),
      args: ['--archive', '--dryRun', ...args],
      uri: formatUri(parseUri((await ctx.secrets.open(uri)).reveal())),
      stdin: once(prelude.bytes),
      onLine: said.line,
      timeout: '5m',
    })
  } catch (error) {
    if (ctx.signal.aborted || !isHoldfastError(error) || error.code !== 'EXEC_FAILED') throw error
    throw errors.MONGODUMP_DRY_RUN({ reason: said.lastWords }, { cause: error })
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
