import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { formatDuration, isHoldfastError, type HoldfastError, type Json } from '@holdfast/sdk'
import {
  executeRestore,
  pointOf,
  recordFailure,
  restoreByPlugin,
  toFailure,
  type Participant,
  type ResolvedConfig,
  type ResolvedPlan,
} from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode, exitCodeOfFailure, exitCodeOfSignal } from '../exit-codes.ts'
import { hasJournal } from '../journal.ts'
import { formatBytes } from '../output/format.ts'
import { chooseBackup } from '../restore-choice.ts'
import { fileNameOf, restoreFile } from '../restore-file.ts'
import { openEngine, startEngine, type Session } from '../session.ts'
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
  readonly error?: HoldfastError | undefined
}

/** Who restores: the plugin that made it. */
interface Restorer {
  readonly plan: ResolvedPlan
  readonly participant: Participant
}

const week = 7 * 86_400_000

/** `holdfast restore`: by the plugin that made it where the configuration has it, else as files. */
export async function runRestoreCommand(
  context: CommandContext,
  id: string | undefined,
  options: RestoreOptions,
): Promise<number> {
  const { settings } = context
  const place = parsePlace(options.to)
  const stores = await openStores(context, options)
  const chosen = await choose(context, stores, id, options)
  const [first] = chosen
  const restorer = first && !options.bytes ? restorerOf(stores, first) : undefined
  if (!restorer && place.path === undefined) throw errors.RESTORE_PLACE({ artifact: first?.artifact.id ?? '' })
  const { context: shown, view, close } = showRun(context)
  const session = openSession(shown, stores, chosen, restorer, view)
  const signals = session && stopOnSignals(shown, session.engine)
  const results: Restored[] = []
  try {
    const started = session && restorer ? await startEngine(session, shown) : {}
    if (started.failed) throw started.error ?? errors.RESTORE_NOTHING({ what: 'dependencies could not be installed' })
    for (const found of chosen) {
      const result = await restoreOne(found, { context, place, options, session, restorer, several: chosen.length > 1 })
      results.push(result)
      if (!settings.json) report(context, result)
      if (result.error) break
    }
  } finally {
    signals?.close()
    close()
    session?.engine.close()
  }
  if (settings.json) context.printJson(results.map(resultJson))
  const failed = results.find(({ error }) => error)?.error
  if (!failed) return exitCode.ok
  // As a run it has been shown already.
  if (!settings.json && !session) context.fail(failed)
  const received = signals?.received()
  return received === undefined ? exitCodeOfFailure(failed) : exitCodeOfSignal(received)
}

interface Place {
  /** A plain `--to`. */
  readonly path: string | undefined
  /** For the plugin; a plain `--to PLACE` is `path=PLACE`. */
  readonly options: Readonly<Record<string, string>>
}

function parsePlace(to: readonly string[]): Place {
  const options: Record<string, string> = {}
  for (const value of to) {
    const [, key, text = ''] = /^([A-Za-z][\w-]*)=(.*)$/s.exec(value) ?? []
    options[key ?? 'path'] = key === undefined ? value : text
  }
  return { path: options['path'], options }
}

async function choose(
  context: CommandContext,
  stores: Stores,
  id: string | undefined,
  { plan, target, at }: RestoreOptions,
): Promise<readonly FoundArtifact[]> {
  if (id !== undefined) {
    const one = await oneArtifact(stores, id)
    const { state, reason } = one.artifact
    if (state !== 'valid') context.log.warn(`${one.artifact.id} is ${state}: ${reason ?? ''}`)
    return [one]
  }
  const { found, passedOver } = await chooseBackup(stores, { plan, target, at: parseTime(at) })
  for (const { artifact } of passedOver) {
    context.log.warn(`${artifact.id} is newer, but ${artifact.state}; name it to restore it all the same`)
  }
  return found
}

function parseTime(at: string | undefined): Date | undefined {
  if (at === undefined) return undefined
  const time = new Date(at)
  if (!Number.isNaN(time.getTime())) return time
  throw errors.OPTION_INVALID({ option: '--at', value: at, allowed: 'a time such as 2026-11-20T12:00 or 2026-11-20T12:00Z' })
}

/** The one participant of the artifact's plan that knows how to restore its target. */
function restorerOf({ loaded }: Stores, { artifact }: FoundArtifact): Restorer | undefined {
  const plan = loaded?.config.plans.find(({ name }) => name === artifact.plan)
  const candidates = plan?.participants.filter(({ restore, hooks }) => restore && hooks.backups) ?? []
  const participant = candidates.find((each) => each.id === artifact.target) ?? candidates[0]
  if (!plan || !participant || (candidates.length > 1 && participant.id !== artifact.target)) return undefined
  return { plan, participant }
}

/** A restore is a run like any other where there is a journal to keep it, or a plugin that needs an engine. */
function openSession(
  context: CommandContext,
  { loaded, stores }: Stores,
  chosen: readonly FoundArtifact[],
  restorer: Restorer | undefined,
  view: Parameters<typeof openEngine>[2],
): Session | undefined {
  const [first] = chosen
  if (!first || (!restorer && !hasJournal(context.settings.stateDirectory))) return undefined
  const { driver, instance } = first.store
  const config: ResolvedConfig = { plans: [], source: 'none', ...loaded?.config, storage: driver, instance }
  try {
    return openEngine(context, { config }, view)
  } catch (error) {
    // A state directory that can't be written must not keep anybody from their backups.
    if (restorer || !isHoldfastError(error) || stores.length === 0) throw error
    context.log.warn(`this restore will not be in the history: ${error.message}`)
    return undefined
  }
}

interface RestoreOneOptions {
  readonly context: CommandContext
  readonly place: Place
  readonly options: RestoreOptions
  readonly session: Session | undefined
  readonly restorer: Restorer | undefined
  readonly several: boolean
}

async function restoreOne(found: FoundArtifact, given: RestoreOneOptions): Promise<Restored> {
  const { session, restorer, place, options } = given
  const began = performance.now()
  const ended = (rest: Omit<Restored, 'found' | 'durationMs'>): Restored => ({
    found,
    durationMs: Math.round(performance.now() - began),
    ...rest,
  })
  if (!session) {
    const stop = new AbortController()
    const close = given.context.io.onSignal((signal) => stop.abort(new Error(`stopped by ${signal}`)))
    try {
      return ended({ where: await toFile(found, given, stop.signal), run: undefined })
    } catch (error) {
      return ended({ where: undefined, run: undefined, error: toFailure(error, { target: found.artifact.target }) })
    } finally {
      close()
    }
  }
  const { services } = session.engine
  const { run, outcome, where } = await executeRestore(services, {
    plan: found.artifact.plan,
    budgetMs: restorer?.plan.budgetMs ?? week,
    body: (call) =>
      restorer
        ? restoreByPlugin(services, call, {
            ...restorer,
            point: pointOf(found.artifact),
            options: place.options,
            force: options.force ?? false,
          })
        : toFile(found, given, call.signal),
  })
  const error = outcome.error && toFailure(outcome.error, { run: run.id })
  return ended({ where, run: run.id, error })
}

async function toFile({ artifact, store }: FoundArtifact, given: RestoreOneOptions, signal: AbortSignal): Promise<string> {
  const { context, place, options, several } = given
  const { io, screen } = context
  const place_ = place.path ?? ''
  const to = resolve(io.cwd, place_)
  const path = several || place_.endsWith('/') || isDirectory(to) ? join(to, fileNameOf(artifact.name)) : to
  const percent = (bytes: number): string => `${Math.floor((bytes / Math.max(1, artifact.size)) * 100)} %`
  await restoreFile({
    path,
    bytes: store.open(artifact.id, { signal }),
    force: options.force ?? false,
    progress: (bytes) => screen.status(`  … ${artifact.name}: ${percent(bytes)} of ${formatBytes(artifact.size)}`),
  })
  screen.status(undefined)
  return path
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function report({ print, style }: CommandContext, { found, where, error, durationMs }: Restored): void {
  const { artifact } = found
  if (error) {
    print(`${style.red('✗')} ${artifact.id} was not restored\n`)
    return
  }
  const place = typeof where === 'string' ? where : JSON.stringify(where)
  print(`${style.green('✓')} ${artifact.id}\n`)
  print(`    from       ${artifact.createdAt.toISOString()}\n`)
  print(`    size       ${formatBytes(artifact.size)} in ${formatDuration(durationMs)}\n`)
  print(`    sha256     ${artifact.sha256}, compared\n`)
  print(`    restored   ${place}\n`)
}

function resultJson({ found, where, run, durationMs, error }: Restored): object {
  const { id, plan, target, name, createdAt, size, sha256 } = found.artifact
  const artifact = { id, plan, target, name, createdAt, size, sha256 }
  return { artifact, where, run, durationMs, error: error && recordFailure(error) }
}
