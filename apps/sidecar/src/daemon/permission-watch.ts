import type { Logger } from '@holdfast/sdk'
import { reasonOf, type Cluster, type ResolvedConfig, type RuntimeClock } from '@holdfast/runtime'
import { reviewPermissions } from '../permissions.ts'
import { reasonFrom, type NotReadyReason } from './status.ts'

/** What a {@link PermissionWatch} needs. */
export interface PermissionWatchOptions {
  readonly cluster: Cluster | undefined
  readonly clock: Pick<RuntimeClock, 'setTimer'>
  readonly log: Logger
  readonly env: NodeJS.ProcessEnv
  config(): ResolvedConfig
  /** Told what plans may not do that they must. */
  report(reasons: readonly NotReadyReason[]): void
}

/** Keeps an eye on what a daemon may do. */
export interface PermissionWatch {
  /** Looks now. Where a plan needs the API, resolves when it has answered, or after a second: others may need none. */
  start(): Promise<void>
  stop(): void
}

const pauseMs = 60_000
const patienceMs = 1000
const notYet: NotReadyReason = {
  code: 'KUBERNETES_TIMEOUT',
  message: 'the API server has not said yet what this pod may do',
  hint: 'Plans are run all the same; those that need the API fail until it answers.',
}

/**
 * Says at start what the API server does not allow. What a plan needs makes the daemon unready, and is asked for again
 * every minute: a Role that is mended needs no restart. What only the engine would like is said once.
 */
export function watchPermissions(options: PermissionWatchOptions): PermissionWatch {
  const { cluster, clock, log, env, config, report } = options
  const stop = new AbortController()
  const told = new Set<string>()
  let cancel: (() => void) | undefined

  const tellOnce = (message: string, fields: Record<string, unknown>): void => {
    if (told.has(message)) return
    told.add(message)
    log.warn(message, fields)
  }

  const needsApi = (): boolean =>
    [
      ...config().plans.flatMap(({ participants }) => participants),
      ...config().drills.map((each) => each.participant),
    ].some(({ permissions }) => permissions.length > 0)

  const look = async (): Promise<void> => {
    cancel?.()
    const { missing, error } = await reviewPermissions({ cluster, config: config(), env, signal: stop.signal })
    if (stop.signal.aborted) return
    for (const { plan, permission, error: said } of missing) {
      // It does without everything but the Lease, whose trouble is told where it is met.
      const then = permission.resource === 'leases' ? 'nothing is scheduled without it' : 'it does without'
      if (plan === undefined) tellOnce(`${said.message}: ${then}`, { error: said })
    }
    if (error) tellOnce(`what this pod may do could not be asked: ${error.message}`, { error })
    const reasons = missing.flatMap(({ plan, drill, error: said }) =>
      plan === undefined ? [] : [reasonFrom(said, plan, drill)],
    )
    if (error && needsApi()) reasons.push(reasonFrom(error))
    report(reasons)
    if (reasons.length > 0 || error) {
      cancel?.()
      cancel = clock.setTimer(pauseMs, () => void lookSafely())
    }
  }

  const lookSafely = async (): Promise<void> => {
    try {
      await look()
    } catch (error) {
      // Told to stop, it asks nobody any more.
      if (!stop.signal.aborted) log.error(`what this pod may do could not be asked: ${reasonOf(error)}`, { error })
    }
  }

  return {
    async start() {
      const looked = lookSafely()
      if (!needsApi()) return
      // Plans that need no API don't wait for one that doesn't answer.
      const late = Promise.withResolvers<'late'>()
      const enough = clock.setTimer(patienceMs, () => late.resolve('late'))
      if ((await Promise.race([looked, late.promise])) === 'late' && !stop.signal.aborted) report([notYet])
      enough()
    },
    stop() {
      stop.abort(new Error('the daemon stops'))
      cancel?.()
    },
  }
}
