import type { Clock, Logger, Secrets } from '@holdfast/sdk'
import { errors } from '../../errors.ts'
import { reasonOf } from '../../failure.ts'
import type { ResolvedConfig } from '../../load/resolved.ts'
import type { RunEventListener } from '../../lifecycle/events.ts'
import type { Metrics } from '../metrics.ts'
import type { Redactor } from '../redaction.ts'
import { shownGateway } from './gateway-address.ts'
import { groupPath, isOfSubject, type PushOwner, type PushSubject } from './group.ts'
import { describeGateway, openGateway } from './open-gateway.ts'
import { openPushedGroups, type PushedGroup } from './pushed-groups.ts'
import { sendToGateway, type GatewayRequest } from './send.ts'

type PushConfig = Pick<ResolvedConfig, 'instance' | 'pushgateway' | 'plans' | 'drills'>

/** What {@link pushMetrics} needs. */
export interface PushMetricsOptions {
  readonly metrics: Metrics
  /** In force; without a `pushgateway` nothing is pushed. */
  config(): PushConfig
  /** Of our pod. */
  readonly namespace?: string | undefined
  readonly stateDirectory: string
  /** Open the address where it is a reference. */
  readonly secrets: Secrets
  /** Is told the password of the address. */
  readonly redactor: Pick<Redactor, 'add'>
  readonly clock: Pick<Clock, 'sleep'>
  readonly log: Pick<Logger, 'warn' | 'info'>
}

/** Pushes what is known of plans and drills to a Pushgateway. */
export interface MetricsPush {
  /**
   * Takes the events of runs: each that ends is pushed once. Afterwards the groups of plans and drills that the
   * configuration doesn't have any more are removed.
   */
  readonly listen: RunEventListener
  /** Resolves when everything is pushed, or has failed. Never rejects. */
  settle(): Promise<void>
}

/**
 * Pushes to a Pushgateway, for runs that end before anybody scrapes them: one group for each plan and each drill, when a
 * run has ended. Never fails a backup: a push that fails is a warning, and counts (fault F51).
 */
export function pushMetrics(options: PushMetricsOptions): MetricsPush {
  const { metrics, clock, log, stateDirectory, secrets, redactor } = options
  const groups = openPushedGroups(stateDirectory)
  const failures = metrics.counter('holdfast_push_failures_total', 'Pushes of metrics that failed', ['sink'])
  const waiting = new Map<string, PushSubject>()
  let working: Promise<void> | undefined
  /** Nothing that it doesn't have is in the Pushgateway any more. */
  let cleanFor: PushConfig | undefined
  // So that increase() sees the first one.
  metrics.beforeRead(() => {
    if (options.config().pushgateway !== undefined) failures.add(0, { sink: 'pushgateway' })
  })

  const owner = (): PushOwner => ({ instance: options.config().instance, namespace: options.namespace })
  const pathOf = (subject: PushSubject): string => groupPath(owner(), subject)

  /** @returns whether it was sent */
  const attempt = async (request: (gateway: URL) => GatewayRequest | Promise<GatewayRequest>): Promise<boolean> => {
    const { pushgateway } = options.config()
    if (pushgateway === undefined) return false
    let shown = describeGateway(pushgateway)
    try {
      const gateway = await openGateway(pushgateway, { secrets, redactor })
      shown = shownGateway(gateway)
      await sendToGateway(await request(gateway), clock)
      return true
    } catch (cause) {
      failures.add(1, { sink: 'pushgateway' })
      // That of several attempts at once, for one name with several addresses, has a code alone.
      const { message, code } = cause as NodeJS.ErrnoException
      const reason = message === '' && code !== undefined ? code : reasonOf(cause)
      const error = errors.METRICS_NOT_PUSHED({ gateway: shown, reason }, { cause })
      log.warn(error.message, { error })
      return false
    }
  }

  const push = async (subject: PushSubject): Promise<boolean> => {
    const path = pathOf(subject)
    // First, so that it can be removed whatever becomes of this process.
    groups.add({ subject, path })
    return attempt(async (gateway) => {
      const body = await metrics.text(isOfSubject(subject))
      return { gateway, method: isWhole(body, subject) ? 'PUT' : 'POST', path, body }
    })
  }

  /**
   * Whether this process knows everything of it, so that the group can be replaced. One that doesn't know of a success,
   * because its state directory is new in each pod, must not take away what the group says of the last one.
   */
  const isWhole = (body: string, subject: PushSubject): boolean =>
    /^holdfast_(?:run|restore_drill)_last_success_timestamp_seconds\{/m.test(body) ||
    options.config().plans.some(({ name, maintenance }) => 'plan' in subject && name === subject.plan && maintenance)

  const work = async (): Promise<void> => {
    for (let next = waiting.entries().next(); !next.done; next = waiting.entries().next()) {
      const [path, subject] = next.value
      waiting.delete(path)
      // Whoever does not answer is not asked for more.
      if (await push(subject)) await forgetGone()
    }
    working = undefined
  }

  const forgetGone = async (): Promise<void> => {
    const config = options.config()
    if (cleanFor === config) return
    for (const group of groups.all().filter(isGone)) {
      const { path } = group
      if (!(await attempt((gateway) => ({ gateway, method: 'DELETE', path })))) return
      groups.remove(group)
      const [[kind, name] = []] = Object.entries(group.subject)
      log.info(`what the Pushgateway had of the ${kind} "${name}" is removed: it is gone, or is pushed elsewhere`)
    }
    cleanFor = config
  }

  const isGone = ({ subject, path }: PushedGroup): boolean => {
    const { plans, drills } = options.config()
    const isThere =
      'plan' in subject
        ? plans.some(({ name }) => name === subject.plan)
        : drills.some(({ name }) => name === subject.drill)
    return !isThere || path !== pathOf(subject)
  }

  return {
    listen(event) {
      if (event.type !== 'run-ended' || options.config().pushgateway === undefined) return
      const { run, status } = event
      const { plan, drill } = run
      // A boot that went well is followed by the run that it was for.
      if (run.dryRun || (run.trigger === 'boot' && status === 'succeeded')) return
      const subject = drill === undefined ? { plan } : { drill }
      waiting.set(pathOf(subject), subject)
      // What happens until then is in it: the run is written down, its lock is free.
      working ??= Promise.resolve().then(work)
    },
    settle: async () => working,
  }
}
