import type { RestorePoint } from '@holdfast/sdk'
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
  const several = points.length > 1
  const parts: Part[] = []
  for (const point of points) {
    const given = { plan, participant, point, options, force: false, several, cwd: directory, space }
    parts.push({ point, ...(await preparePluginRestore(services, call, given)) })
  }
  return parts
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
