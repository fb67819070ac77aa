import type { ArmedUndo, Json, PlannedStep, RestoreContext, RestorePoint } from '@holdfast/sdk'
import type { ArtifactStore } from '../artifacts/store.ts'
import { errors } from '../errors.ts'
import { issuesText } from '../issues.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import { createSpaceCheck, type SpaceCheck } from '../restore/space.ts'
import { toldBytes } from '../restore/told-bytes.ts'
import { unfinishedRestore, type UnfinishedRestore } from '../restore/unfinished.ts'
import { createArtifactWriter } from '../restore/write-artifact.ts'
import type { Services } from '../services.ts'
import { armUndo } from './arm-undo.ts'
import { createBegunWork, settled } from './begun-work.ts'
import { runContext } from './contexts.ts'
import { ownParticipant, unknownPlan } from './own.ts'
import { extend, type RunCallSite } from './service-context.ts'
import type { TaskCall } from './task.ts'

/** What a plugin restores, and how its user wants it. */
export interface PluginRestoreOptions {
  readonly plan: ResolvedPlan
  /** Has a `restore` definition. */
  readonly participant: Participant
  readonly point: RestorePoint
  /** `--to key=value …`, not validated yet. */
  readonly options: Readonly<Record<string, string>>
  readonly force: boolean
  /** Where its artifacts are. Default: the configured store. */
  readonly store?: Pick<ArtifactStore, 'get' | 'open'> | undefined
  /** More than one point is restored to the same place. */
  readonly several?: boolean | undefined
  /** What relative places are below. Default: the process's. */
  readonly cwd?: string | undefined
  /** Shared by the points of one restore. Default: one for this point. */
  readonly space?: SpaceCheck | undefined
  /** As well: what became which file. */
  readonly taken?: Map<string, string> | undefined
}

/** A restore by a plugin whose options are valid. */
export interface PluginRestore {
  /**
   * Looks whether it can be done, and changes nothing.
   *
   * @returns what would be done; `undefined`: the plugin doesn't say
   */
  check(): Promise<readonly PlannedStep[] | undefined>
  /** @returns where it is */
  run(): Promise<RestoredPoint>
}

/** What a plugin has restored. */
export interface RestoredPoint {
  readonly where: Json
  /** Whether every byte of the artifacts was read and compared; `undefined`: it opened none. */
  readonly isProven: boolean | undefined
}

/**
 * Prepares the restore of a point by its plugin.
 *
 * @throws HoldfastError `RESTORE_UNSUPPORTED`, `RESTORE_OPTIONS`
 */
export async function preparePluginRestore(
  services: Services,
  call: TaskCall,
  given: PluginRestoreOptions,
): Promise<PluginRestore> {
  const { plan, participant, point, force } = given
  const { restore } = participant
  if (!restore) throw errors.RESTORE_UNSUPPORTED({ plugin: participant.id })
  const options = await validated(restore.options, given)
  const reading = readingOf(services, call, given)
  const arm = (unfinished: UnfinishedRestore): Promise<ArmedUndo> =>
    armUnfinished(services, call, plan.name, unfinished)
  const writer = createArtifactWriter({
    open: ({ id }) => reading.open(id),
    force,
    cwd: given.cwd ?? process.cwd(),
    several: given.several ?? false,
    space: reading.space,
    taken: given.taken,
    log: services.log,
    arm,
  })
  const begun = createBegunWork(services, call)
  const site = { ...call, services, plan, participant, begun, hook: 'restore', startedAt: services.clock.now() }
  const base = runContext(site)
  const context: RestoreContext<unknown> = extend(base, {
    point,
    options,
    force,
    openArtifact: reading.open,
    writeArtifact: async (id: string, to: string) => writer.write(await reading.get(id), to),
    checkWrite: async (id: string, to: string) => writer.check(await reading.get(id), to),
    requireSpace: async (bytes: number, directory = services.stateDirectory) => reading.space.require(bytes, directory),
  } satisfies Omit<RestoreContext<unknown>, keyof typeof base>)
  return {
    check: async () => (await restore.check?.(context)) ?? undefined,
    async run() {
      const unfinished = await arm({ point: point.id, target: point.target, plugin: participant.id })
      const { where } = await settled(begun, () => restore.run(context))
      await unfinished.disarm().catch(() => {})
      const unread = reading.unread()
      if (unread !== undefined) call.warn(errors.RESTORE_UNREAD({ artifact: unread, plugin: participant.id }))
      return { where, isProven: reading.isUsed() ? unread === undefined : undefined }
    },
  }
}

/**
 * The body of a restore by a plugin: it looks first, and restores then.
 *
 * @returns where it is
 * @throws HoldfastError `RESTORE_UNSUPPORTED`, `RESTORE_OPTIONS`, or what the plugin threw
 */
export async function restoreByPlugin(
  services: Services,
  call: TaskCall,
  options: PluginRestoreOptions,
): Promise<Json> {
  const prepared = await preparePluginRestore(services, call, options)
  await prepared.check()
  return (await prepared.run()).where
}

/** Arms what says, after `kill -9`, what is half restored, and removes what is a file of it. */
export function armUnfinished(
  services: Services,
  { run, vars, signal, scope }: TaskCall,
  plan: string,
  unfinished: UnfinishedRestore,
): Promise<ArmedUndo> {
  const known = services.config().plans.find(({ name }) => name === plan) ?? unknownPlan(plan)
  const site: RunCallSite = {
    services,
    plan: known,
    run,
    vars,
    signal,
    scope,
    participant: ownParticipant,
    hook: 'restore',
    startedAt: services.clock.now(),
  }
  return armUndo(site, unfinishedRestore.name, unfinished)
}

async function validated(
  schema: NonNullable<Participant['restore']>['options'],
  { options, participant }: PluginRestoreOptions,
): Promise<unknown> {
  const checked = await schema['~standard'].validate(options)
  if (!checked.issues) return checked.value
  throw errors.RESTORE_OPTIONS({ plugin: participant.id, reason: issuesText(checked.issues) })
}

/** Reading artifacts: tells how far it is, and knows whether all was read. */
function readingOf(services: Services, { run, signal }: TaskCall, given: PluginRestoreOptions) {
  const { store = services.store(), point, space = createSpaceCheck() } = given
  const opened = new Set<string>()
  const whole = new Set<string>()
  return {
    space,
    get: (id: string) => store.get(id, { signal }),
    open(id: string) {
      opened.add(id)
      const total = point.id === id ? point.size : undefined
      return toldBytes(store.open(id, { signal }), services.clock, (done, isEnd) => {
        services.emit({ type: 'progress', run, target: point.target, done, total, note: nameOf(id) })
        if (isEnd) whole.add(id)
      })
    },
    isUsed: () => opened.size > 0,
    /** An artifact that was opened, and never read to its end. */
    unread: () => [...opened].find((id) => !whole.has(id)),
  }
}

/** An artifact's name, by its id. */
function nameOf(id: string): string {
  return decodeURIComponent(id.slice(id.lastIndexOf('/') + 1))
}
