import type { Json, RestorePoint } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { runContext } from './contexts.ts'
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
}

/**
 * The body of a restore by a plugin.
 *
 * @throws HoldfastError `RESTORE_UNSUPPORTED`, `RESTORE_OPTIONS`, or what the plugin threw
 */
export async function restoreByPlugin(
  services: Services,
  call: TaskCall,
  { plan, participant, point, options, force }: PluginRestoreOptions,
): Promise<Json> {
  const { restore } = participant
  if (!restore) throw errors.RESTORE_UNSUPPORTED({ plugin: participant.id })
  const checked = await restore.options['~standard'].validate(options)
  if (checked.issues) {
    const reason = checked.issues.map(({ message, path = [] }) => {
      const keys = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
      return keys === '' ? message : `${keys}: ${message}`
    })
    throw errors.RESTORE_OPTIONS({ plugin: participant.id, reason: reason.join('; ') })
  }
  const base = runContext({ ...call, services, plan, participant, hook: 'restore', startedAt: services.clock.now() })
  const ctx = Object.defineProperties(base, {
    point: { value: point, enumerable: true },
    options: { value: checked.value, enumerable: true },
    force: { value: force, enumerable: true },
    openArtifact: { value: (id: string) => services.store().open(id, { signal: call.signal }), enumerable: true },
  }) as Parameters<typeof restore.run>[0]
  const { where } = await restore.run(ctx)
  return where
}
