import type { Bytes, RestorePoint } from '@holdfast/sdk'
import { artifactOf } from '../lifecycle/builtins.ts'
import { armUnfinished, preparePluginRestore, type RestoredPoint } from '../lifecycle/restore.ts'
import type { TaskCall } from '../lifecycle/task.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import { createSpaceCheck } from '../restore/space.ts'
import { toldBytes } from '../restore/told-bytes.ts'
import { createArtifactWriter } from '../restore/write-artifact.ts'
import type { Services } from '../services.ts'

/** What a drill restores, and where. */
export interface RestoreBackupOptions {
  readonly plan: ResolvedPlan
  readonly points: readonly RestorePoint[]
  /** `undefined`: they become files in the directory. */
  readonly restorer: Participant | undefined
  readonly options: Readonly<Record<string, string>>
  readonly directory: string
}

/** One point of a backup, restored. */
export interface RestoredPart extends RestoredPoint {
  readonly point: RestorePoint
}

interface Part {
  readonly point: RestorePoint
  check(): Promise<unknown>
  run(): Promise<RestoredPoint>
}

/**
 * Restores all of a backup: by its plugin, or as files. Everything is looked at before anything is touched, and nothing that
 * is there is overwritten.
 *
 * @throws HoldfastError `RESTORE_…`, `ARTIFACT_…`, `STORAGE_…`, or what the plugin threw
 */
export async function restoreBackup(
  services: Services,
  call: TaskCall,
  options: RestoreBackupOptions,
): Promise<readonly RestoredPart[]> {
  const { points, restorer } = options
  const parts = restorer
    ? await partsByPlugin(services, call, { ...options, restorer })
    : partsAsFiles(services, call, options)
  for (const { check } of parts) await check()
  const restored: RestoredPart[] = []
  for (const { point, run } of parts) {
    call.signal.throwIfAborted()
    restored.push({ point, ...(await run()) })
    services.emit({
      type: 'progress',
      run: call.run,
      target: point.target,
      done: restored.length,
      total: points.length,
    })
  }
  return restored
}

async function partsByPlugin(
  services: Services,
  call: TaskCall,
  {
    plan,
    points,
    restorer: participant,
    options,
    directory,
  }: RestoreBackupOptions & { readonly restorer: Participant },
): Promise<readonly Part[]> {
  const space = createSpaceCheck()
  const taken = new Map<string, string>()
  const several = points.length > 1
  const parts: Part[] = []
  for (const point of points) {
    const given = { plan, participant, point, options, force: false, several, cwd: directory, space, taken }
    const { check, run } = await preparePluginRestore(services, withoutUnread(call), given)
    parts.push({ point, check, run: async () => proven(services, call, point, await run()) })
  }
  return parts
}

/** What a plugin leaves unread is read here. */
function withoutUnread(call: TaskCall): TaskCall {
  return {
    ...call,
    warn: (failure) => {
      if (failure.code !== 'RESTORE_UNREAD') call.warn(failure)
    },
  }
}

/** A plugin may need no more than a part of what is stored. The drill says of all of it that it is what was stored. */
async function proven(
  services: Services,
  { signal }: TaskCall,
  point: RestorePoint,
  restored: RestoredPoint,
): Promise<RestoredPoint> {
  const id = artifactOf(point)
  if (id === undefined || restored.isProven === true) return restored
  const total = await readToEnd(services.store().open(id, { signal }))
  services.log.debug(`the rest of ${id} was read, too`, { artifact: id, bytes: total })
  return { ...restored, isProven: true }
}

async function readToEnd(bytes: Bytes): Promise<number> {
  let total = 0
  for await (const chunk of bytes) total += chunk.length
  return total
}

function partsAsFiles(
  services: Services,
  call: TaskCall,
  { plan, points, directory }: RestoreBackupOptions,
): readonly Part[] {
  const { clock, log, emit } = services
  const { run, signal } = call
  const store = services.store()
  const sizes = new Map(points.map(({ id, size }) => [id, size]))
  const writer = createArtifactWriter({
    open: ({ id }) =>
      toldBytes(store.open(id, { signal }), clock, (done) =>
        emit({ type: 'progress', run, target: points[0]?.target, done, total: sizes.get(id) }),
      ),
    force: false,
    cwd: directory,
    several: true,
    space: createSpaceCheck(),
    log,
    arm: (unfinished) => armUnfinished(services, call, plan.name, unfinished),
  })
  return points.map((point) => {
    const { name = point.id } = (point.ref ?? {}) as { readonly name?: string }
    const artifact = { id: point.id, name, size: point.size ?? 0 }
    return {
      point,
      check: () => writer.check(artifact, directory),
      run: async () => ({ where: await writer.write(artifact, directory), isProven: true }),
    }
  })
}
