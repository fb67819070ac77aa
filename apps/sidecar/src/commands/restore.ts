import { formatDuration, type HoldfastError, type Json } from '@holdfast/sdk'
import { executeTask, pointOf, recordFailure, restoreByPlugin, toFailure } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode, exitCodeOfFailure, exitCodeOfSignal } from '../exit-codes.ts'
import type { Signal } from '../io.ts'
import { formatBytes } from '../output/format.ts'
import { chooseBackup } from '../restore/choice.ts'
import { choosePoint } from '../restore/choose-point.ts'
import { restoreFile } from '../restore/file.ts'
import { fileAt, parsePlace, type Place } from '../restore/place.ts'
import { restorePoint } from '../restore/point.ts'
import { openRestoreSession, restorerOf, type Restorer } from '../restore/restorer.ts'
import { startEngine, type Session } from '../session.ts'
import { stopOnSignals } from '../stop-signals.ts'
import { oneArtifact, openStores, type FoundArtifact, type Stores } from '../stores.ts'
import { showRun } from './run.ts'

/** Options of `holdfast restore`. */
export interface RestoreOptions {
  readonly plan?: string | undefined
  readonly target?: string | undefined
  readonly at?: string | undefined
  readonly to: readonly string[]
  readonly force?: boolean | undefined
  readonly bytes?: boolean | undefined
  readonly instance?: string | undefined
  readonly identity?: string | undefined
}

/** What became of one artifact. */
interface Restored {
  readonly found: FoundArtifact
  readonly where: Json
  readonly run: string | undefined
  readonly durationMs: number
  readonly error: HoldfastError | undefined
}

/** How artifacts are restored. */
interface RestoreMeans {
  readonly context: CommandContext
  readonly place: Place
  readonly force: boolean
  readonly several: boolean
  readonly session: Session | undefined
  readonly restorer: Restorer | undefined
  /** Aborts restores without a session. */
  readonly signal: AbortSignal
}

/** The longest that restoring a file may take: nobody knows how large it is, or how slow its store. */
const fileBudgetMs = 7 * 86_400_000

/** `holdfast restore`: by the plugin that made it where the configuration has it, else as files. */
export async function runRestoreCommand(
  context: CommandContext,
  id: string | undefined,
  options: RestoreOptions,
): Promise<number> {
  const place = parsePlace(options.to)
  const { plan, target } = options
  const elsewhere = options.bytes
    ? undefined
    : await choosePoint(context, id, { plan, target, at: parseTime(options.at) })
  if (elsewhere) return restorePoint(context, elsewhere, place, options.force ?? false)
  const stores = await openStores(context, options)
  const chosen = await choose(context, stores, id, options)
  const [first] = chosen
  if (!first) return exitCode.failed
  const restorer = options.bytes ? undefined : restorerOf(stores, first)
  if (!restorer && place.path === undefined) throw errors.RESTORE_PLACE({ artifact: first.artifact.id })
  const { context: shown, view, close } = showRun(context)
  const session = await openRestoreSession(shown, stores, first, restorer, view)
  const stop = new AbortController()
  let received: Signal | undefined
  const signals = session
    ? stopOnSignals(shown, session.engine).close
    : context.io.onSignal((signal) => stop.abort(new Error(`stopped by ${signal}`)))
  const noted = context.io.onSignal((signal) => void (received ??= signal))
  const { signal } = stop
  const results: Restored[] = []
  try {
    if (session && restorer) {
      const started = await startEngine(session, shown)
      if (started.failed) throw toFailure(started.error, { hook: 'installDependencies' })
    }
    const force = options.force ?? false
    const means = { context, place, force, several: chosen.length > 1, session, restorer, signal }
    for (const found of chosen) {
      const result = await restoreOne(found, means)
      results.push(result)
      if (!context.settings.json) report(context, result)
      if (result.error) break
    }
  } finally {
    noted()
    signals()
    close()
    await session?.close()
  }
  if (context.settings.json) context.printJson(results.map(resultJson))
  const failed = results.find(({ error }) => error)?.error
  if (!failed) return exitCode.ok
  // As a run it has been shown already.
  if (!context.settings.json && !session) context.fail(failed)
  return received === undefined ? exitCodeOfFailure(failed) : exitCodeOfSignal(received)
}

async function choose(
  { log }: CommandContext,
  stores: Stores,
  id: string | undefined,
  { plan, target, at }: RestoreOptions,
): Promise<readonly FoundArtifact[]> {
  if (id !== undefined) {
    const one = await oneArtifact(stores, id)
    const { state, reason } = one.artifact
    if (state !== 'valid') log.warn(`${one.artifact.id} is ${state}: ${reason ?? ''}`)
    return [one]
  }
  const { found, passedOver } = await chooseBackup(stores, { plan, target, at: parseTime(at) })
  for (const { artifact } of passedOver) {
    const why = artifact.state === 'valid' ? 'its set is incomplete or was never read back' : artifact.state
    log.warn(`${artifact.id} is newer, but ${why}; name it to restore it all the same`)
  }
  return found
}

function parseTime(at: string | undefined): Date | undefined {
  if (at === undefined) return undefined
  const time = new Date(at)
  if (!Number.isNaN(time.getTime())) return time
  const allowed = 'a time such as 2026-11-20T12:00 or 2026-11-20T12:00Z'
  throw errors.OPTION_INVALID({ option: '--at', value: at, allowed })
}

async function restoreOne(found: FoundArtifact, means: RestoreMeans): Promise<Restored> {
  const { session, restorer, place, force, context } = means
  const { clock } = context.io
  const began = clock.monotonic()
  const ended = (where: Json, run: string | undefined, error: HoldfastError | undefined): Restored => {
    return { found, where, run, error, durationMs: Math.round(clock.monotonic() - began) }
  }
  if (!session) {
    try {
      return ended(await toFile(found, means, means.signal), undefined, undefined)
    } catch (error) {
      return ended(undefined, undefined, toFailure(error, { target: found.artifact.target }))
    }
  }
  const { services } = session.engine
  const {
    run,
    outcome,
    value: where,
  } = await executeTask(services, {
    plan: found.artifact.plan,
    budgetMs: restorer?.plan.budgetMs ?? fileBudgetMs,
    body: (call) => {
      if (!restorer) return toFile(found, means, call.signal)
      const { options } = place
      return restoreByPlugin(services, call, { ...restorer, point: pointOf(found.artifact), options, force })
    },
  })
  return ended(where, run.id, outcome.error && toFailure(outcome.error, { run: run.id }))
}

async function toFile({ artifact, store }: FoundArtifact, means: RestoreMeans, signal: AbortSignal): Promise<string> {
  const { context, place, force, several } = means
  const { io, screen } = context
  const path = fileAt(place.path ?? '', artifact.name, { cwd: io.cwd, several })
  const percent = (bytes: number): string => `${Math.floor((bytes / Math.max(1, artifact.size)) * 100)} %`
  await restoreFile({
    path,
    bytes: store.open(artifact.id, { signal }),
    force,
    progress: (bytes) => screen.status(`  … ${artifact.name}: ${percent(bytes)} of ${formatBytes(artifact.size)}`),
  })
  screen.status(undefined)
  return path
}

function report({ print, style }: CommandContext, { found, where, error, durationMs }: Restored): void {
  const { artifact } = found
  if (error) {
    print(`${style.red('✗')} ${artifact.id} was not restored\n`)
    return
  }
  const lines = [
    `${style.green('✓')} ${artifact.id}`,
    `    from      ${artifact.createdAt.toISOString()}`,
    `    size      ${formatBytes(artifact.size)} in ${formatDuration(durationMs)}`,
    `    sha256    ${artifact.sha256}, compared`,
    `    restored  ${typeof where === 'string' ? where : JSON.stringify(where)}`,
  ]
  print(`${lines.join('\n')}\n`)
}

function resultJson({ found, where, run, durationMs, error }: Restored): object {
  const { id, plan, target, name, createdAt, size, sha256 } = found.artifact
  const artifact = { id, plan, target, name, createdAt, size, sha256 }
  return { artifact, where, run, durationMs, error: error && recordFailure(error) }
}
