import { formatDuration, type HoldfastFailure } from '@holdfast/sdk'
import {
  createEngine,
  createMetrics,
  kubernetesEvents,
  logOutput,
  type Cluster,
  type Engine,
  type ExecOutput,
  type KubernetesEvents,
  type LoadedConfig,
  type Metrics,
  type Recovery,
  type ResolvedConfig,
  type RunEventListener,
} from '@holdfast/runtime'
import { clusterOf } from './cluster.ts'
import { defaultStore } from './configuration.ts'
import type { CommandContext } from './context.ts'
import { count } from './output/format.ts'
import { logRunEvents } from './output/run-log.ts'
import { storesArtifacts } from './points.ts'
import { openPush } from './push.ts'

/** Options of {@link openEngine}. */
export interface OpenEngineOptions {
  /** Default: log lines. */
  readonly events?: RunEventListener | undefined
  /** Where the output of commands goes. Default: log lines. */
  readonly output?: ExecOutput | undefined
}

/** An engine on the state directory of a command. */
export interface Session {
  readonly engine: Engine
  readonly metrics: Metrics
  readonly cluster: Cluster | undefined
  /** Posts the Events and pushes the metrics that wait, and closes the engine. */
  close(): Promise<void>
}

/**
 * Opens the engine of a command that runs something.
 *
 * @throws HoldfastError `JOURNAL_NEWER`, `JOURNAL_UNWRITABLE`
 */
export async function openEngine(
  context: CommandContext,
  { config }: Pick<LoadedConfig, 'config'>,
  options: OpenEngineOptions = {},
): Promise<Session> {
  const { io, settings, redactor, log } = context
  const metrics = createMetrics({ log })
  const cluster = await clusterOf(context)
  const shown = options.events ?? logRunEvents(log)
  const posted = postEvents(cluster, context, metrics, config)
  const engine = createEngine({
    config,
    stateDirectory: settings.stateDirectory,
    log,
    redactor,
    metrics,
    clock: io.clock,
    env: io.env,
    cluster,
    output: options.output ?? logOutput({ log, clock: io.clock }),
    events(event) {
      shown(event)
      posted?.(event)
      push.listen(event)
    },
  })
  const push = openPush({ context, engine, metrics, namespace: cluster?.pod?.namespace })
  if (config.storage === undefined && config.plans.some(storesArtifacts)) {
    log.info('artifacts are kept in the state directory, and are lost with it; name a store with `storage`', {
      store: defaultStore(settings.stateDirectory),
    })
  }
  const close = async (): Promise<void> => {
    await Promise.all([posted?.close(), engine.notifications.close()])
    await push.settle()
    engine.close()
  }
  return { engine, metrics, cluster, close }
}

/** Events in the cluster whose pod we are. From outside of it, nothing is written there on our own account. */
function postEvents(
  cluster: Cluster | undefined,
  { io, log, redactor }: CommandContext,
  metrics: Metrics,
  { plans }: ResolvedConfig,
): KubernetesEvents | undefined {
  if (!cluster?.pod) return undefined
  const { name, namespace, uid } = cluster.pod
  const maintenance = new Set(plans.filter((plan) => plan.maintenance).map((plan) => plan.name))
  return kubernetesEvents({
    kubernetes: cluster.kubernetes,
    pod: { apiVersion: 'v1', kind: 'Pod', name, namespace, ...(uid !== undefined && { uid }) },
    clock: io.clock,
    log,
    meter: metrics,
    redactor,
    isMaintenance: (plan) => maintenance.has(plan),
  })
}

/** How a start ended. */
export interface Started {
  /** Dependencies could not be installed, so nothing may run. */
  readonly failed?: boolean | undefined
  readonly error?: HoldfastFailure | undefined
  /** False: the cluster could not be asked what other pods have left. */
  readonly isComplete?: boolean | undefined
}

/**
 * What comes before anything is run: what dead processes have taken is given back, dependencies are installed, and
 * what could not be given back is tried again, insistently.
 */
export async function startEngine({ engine }: Session, context: Pick<CommandContext, 'log' | 'io'>): Promise<Started> {
  const { log, io } = context
  const recovery = await engine.recover()
  reportRecovery(recovery, log, io.clock.now())
  const boot = await engine.boot()
  if (!boot.ok) return { failed: true, error: boot.results.at(-1)?.outcome.error }
  const still = (await engine.finishRecovery()).filter(({ result }) => result === 'failed' || result === 'unknown')
  if (still.length > 0) {
    log.error(`${count(still.length, 'undo')} of earlier runs could not be given back: see \`holdfast undo list\``)
  }
  return { isComplete: recovery.isComplete }
}

function reportRecovery({ undos, interrupted }: Recovery, log: CommandContext['log'], now: Date): void {
  const given = undos.filter(({ result }) => result === 'done')
  if (interrupted.length === 0 && given.length === 0) return
  const longest = Math.max(0, ...given.map(({ undo }) => now.getTime() - undo.armedAt.getTime()))
  const held = given.length === 0 ? '' : `, after at most ${formatDuration(longest)}`
  log.warn(
    `an earlier process ended in the middle of ${count(interrupted.length, 'run')}; ${count(given.length, 'undo')} given back${held}`,
    { runs: interrupted.map(({ id }) => id) },
  )
}
