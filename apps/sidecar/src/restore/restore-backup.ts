import type { Bytes, HoldfastError, Json, RestorePoint } from '@holdfast/sdk'
import {
  armUnfinished,
  createArtifactWriter,
  createSpaceCheck,
  executeTask,
  noSpaceCheck,
  pointOf,
  preparePluginRestore,
  recoverRestores,
  toFailure,
  toldBytes,
  type RestoredPoint,
  type Services,
  type SpaceCheck,
  type TaskCall,
} from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { startEngine, type Session } from '../session.ts'
import type { FoundArtifact } from '../stores.ts'
import type { Backup } from './backup.ts'
import type { Place } from './place.ts'
import type { Restorer } from './restorer.ts'

/** How a backup is to be restored. */
export interface RestoreBackupOptions {
  readonly context: CommandContext
  readonly backup: Backup
  readonly place: Place
  readonly force: boolean
  readonly ignoreSpace: boolean
  /** Looks only. */
  readonly dryRun: boolean
  /** `undefined`: its artifacts become files. */
  readonly restorer: Restorer | undefined
  /** `undefined`: there is no journal, so it is no run. Only where nobody but us restores. */
  readonly session: Session | undefined
  /** Aborts a restore that is no run. */
  readonly signal: AbortSignal
  /** Is told how far an artifact is that is no run's: bytes. `undefined`: it is done. */
  readonly progress: (name: string, done: number | undefined, total: number) => void
}

/** One thing that is restored: an artifact, or a point that a plugin keeps. */
export interface RestoreItem {
  readonly point: RestorePoint
  readonly found: FoundArtifact | undefined
}

/** What became of it. */
export interface Restored extends RestoreItem {
  readonly where: Json
  /** Whether every byte was compared with its digest; `undefined`: by whoever has restored it, if at all. */
  readonly isProven: boolean | undefined
  /** Of a dry run: what would be done. `undefined`: whoever would do it doesn't say. */
  readonly steps: readonly string[] | undefined
  readonly durationMs: number
  readonly error: HoldfastError | undefined
}

/** What became of a backup. */
export interface RestoredBackup {
  /** What was begun, in order: the last one may have failed. */
  readonly items: readonly Restored[]
  /** `undefined`: it was none. */
  readonly run: string | undefined
  readonly error: HoldfastError | undefined
}

/** Something that restores one item. */
interface Job {
  /** @returns what would be done; throws what is in the way */
  check(): Promise<readonly string[] | undefined>
  run(): Promise<RestoredPoint>
}

/** The longest that restoring a file may take: nobody knows how large it is, or how slow its store. */
const fileBudgetMs = 7 * 86_400_000

/** Restores a backup, all of it or what comes before the first failure: everything is looked at first. Never rejects. */
export async function restoreBackup(options: RestoreBackupOptions): Promise<RestoredBackup> {
  const { backup, session, restorer, dryRun } = options
  const items: readonly RestoreItem[] = backup.point
    ? [{ point: backup.point.point, found: undefined }]
    : backup.artifacts.map((found) => ({ point: pointOf(found.artifact), found }))
  const results: Restored[] = []
  if (!session) {
    const error = await carryOut(items, fileJobs(options), results, options).then(() => undefined, failed)
    return { items: results, run: undefined, error }
  }
  const { services } = session.engine
  const started = dryRun ? undefined : await beginRestore(options, session)
  if (started) return { items: [], run: undefined, error: started }
  const { run, outcome } = await executeTask(services, {
    plan: backup.plan,
    budgetMs: restorer?.plan.budgetMs ?? fileBudgetMs,
    dryRun,
    async body(call) {
      const jobs = restorer ? pluginJobs(options, restorer, services, call) : fileJobs(options, services, call)
      await carryOut(items, jobs, results, { ...options, signal: call.signal })
      return results.map(({ where }) => where)
    },
  })
  return { items: results, run: run.id, error: outcome.error && toFailure(outcome.error, { run: run.id }) }

  function failed(error: unknown): HoldfastError {
    return toFailure(error, { hook: 'restore', target: backup.target })
  }
}

/** What dead processes have left half restored is dealt with first; a plugin needs what it has installed. */
async function beginRestore(
  { restorer, context }: RestoreBackupOptions,
  session: Session,
): Promise<HoldfastError | undefined> {
  if (!restorer) {
    await recoverRestores(session.engine.services)
    return undefined
  }
  const started = await startEngine(session, context)
  return started.failed ? toFailure(started.error, { hook: 'installDependencies' }) : undefined
}

async function carryOut(
  items: readonly RestoreItem[],
  jobOf: (item: RestoreItem) => Job | Promise<Job>,
  results: Restored[],
  { context, dryRun, signal, restorer }: Pick<RestoreBackupOptions, 'context' | 'dryRun' | 'signal' | 'restorer'>,
): Promise<void> {
  const { clock } = context.io
  const attempt = async <T>(item: RestoreItem, body: () => Promise<T>): Promise<readonly [T, number]> => {
    const began = clock.monotonic()
    const took = (): number => Math.round(clock.monotonic() - began)
    try {
      signal.throwIfAborted()
      return [await body(), took()]
    } catch (thrown) {
      const plugin = restorer?.participant.id
      const error = toFailure(thrown, { hook: 'restore', plugin, target: item.point.target })
      results.push({ ...item, ...nothing, durationMs: took(), error })
      throw error
    }
  }
  const planned: { readonly item: RestoreItem; readonly job: Job; readonly steps: readonly string[] | undefined }[] = []
  for (const item of items) {
    const [{ job, steps }] = await attempt(item, async () => {
      const made = await jobOf(item)
      return { job: made, steps: await made.check() }
    })
    planned.push({ item, job, steps })
  }
  for (const { item, job, steps } of planned) {
    if (dryRun) {
      results.push({ ...item, ...nothing, steps, durationMs: 0 })
      continue
    }
    const [{ where, isProven }, durationMs] = await attempt(item, () => job.run())
    results.push({ ...item, ...nothing, where, isProven, durationMs })
  }
}

const nothing = { where: undefined, isProven: undefined, steps: undefined, error: undefined } as const

function pluginJobs(
  { context, backup, place, force, ignoreSpace }: RestoreBackupOptions,
  restorer: Restorer,
  services: Services,
  call: TaskCall,
): (item: RestoreItem) => Promise<Job> {
  const space = spaceCheck(ignoreSpace)
  const taken = new Map<string, string>()
  return async ({ point, found }) => {
    const prepared = await preparePluginRestore(services, call, {
      ...restorer,
      point,
      options: place.options,
      force,
      store: found?.store,
      several: backup.artifacts.length > 1,
      cwd: context.io.cwd,
      space,
      taken,
    })
    return {
      check: async () => (await prepared.check())?.map(({ what, where }) => (where ? `${what} (${where})` : what)),
      run: () => prepared.run(),
    }
  }
}

/** Without services it is no run: nothing is armed, and nobody but the caller is told how far it is. */
function fileJobs(
  { context, backup, place, force, ignoreSpace, signal: given, progress }: RestoreBackupOptions,
  services?: Services,
  call?: TaskCall,
): (item: RestoreItem) => Job {
  const signal = call?.signal ?? given
  const artifacts = new Map(backup.artifacts.map((found) => [found.artifact.id, found]))
  const writer = createArtifactWriter({
    open(wanted) {
      const { artifact, store } = artifacts.get(wanted.id) as FoundArtifact
      return toldBytes(store.open(artifact.id, { signal }), context.io.clock, (done, isEnd) => {
        const { name, size: total, target } = artifact
        if (services && call) services.emit({ type: 'progress', run: call.run, target, done, total, note: name })
        else progress(name, isEnd ? undefined : done, total)
      })
    },
    force,
    cwd: context.io.cwd,
    several: backup.artifacts.length > 1,
    space: spaceCheck(ignoreSpace),
    log: services?.log ?? context.log,
    arm: services && call && ((unfinished) => armUnfinished(services, call, backup.plan, unfinished)),
  })
  const to = place.path ?? ''
  return ({ found }) => {
    const { artifact, store } = found as FoundArtifact
    return {
      async check() {
        const file = await writer.check(artifact, to)
        if (artifact.encoding.includes('age')) await readBeginning(store.open(artifact.id, { signal }))
        return [`write ${artifact.name} to ${file}`]
      },
      run: async () => ({ where: await writer.write(artifact, to), isProven: true }),
    }
  }
}

/** Whether the key fits shows with the first bytes. */
async function readBeginning(bytes: Bytes): Promise<void> {
  const reading = bytes[Symbol.asyncIterator]()
  await reading.next()
  await reading.return?.()
}

function spaceCheck(ignores: boolean): SpaceCheck {
  return ignores ? noSpaceCheck : createSpaceCheck()
}
