import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freezeMetrics } from '../../packages/plugin-benji/src/freeze/freeze-metrics.ts'
import { versionsGauge } from '../../packages/plugin-benji/src/maintenance/versions-status.ts'
import { createEngine, createLogger, createRedactor, loadConfig, logOutput } from '../../packages/runtime/src/index.ts'
import { countExecs } from '../../packages/runtime/src/exec/container/counts.ts'
import { createEventQueue } from '../../packages/runtime/src/kubernetes/event-queue.ts'
import { createLeaderElection } from '../../packages/runtime/src/kubernetes/leader.ts'
import { pushMetrics } from '../../packages/runtime/src/telemetry/push/push-metrics.ts'
import type { Metrics } from '../../packages/runtime/src/telemetry/metrics.ts'
import { defineConfig, defineHook } from '../../packages/sdk/src/index.ts'
import { memoryStorage, testClock } from '../../packages/testing/src/index.ts'
import { createDaemonMetrics } from '../../apps/sidecar/src/daemon/metrics.ts'
import { openPort } from '../../apps/sidecar/src/http/port.ts'
import { openSite } from '../../apps/sidecar/src/http/site.ts'

/** A metric as the code registers it. */
export interface RegisteredMetric {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
}

/** Metrics by what they come from. */
export interface RegisteredMetrics {
  /** Of a daemon, and what it pushes. */
  readonly daemon: readonly RegisteredMetric[]
  /** Of a daemon in a cluster, besides. */
  readonly cluster: readonly RegisteredMetric[]
  /** Of the plugin for Benji, besides. */
  readonly benji: readonly RegisteredMetric[]
}

/** Builds what registers metrics, on a meter that writes down what is asked of it. */
export async function readMetrics(): Promise<RegisteredMetrics> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'holdfast-metrics-'))
  try {
    return {
      daemon: await metricsOfDaemon(stateDirectory),
      cluster: metricsOfCluster(),
      benji: metricsOfBenji(),
    }
  } finally {
    rmSync(stateDirectory, { recursive: true })
  }
}

async function metricsOfDaemon(stateDirectory: string): Promise<readonly RegisteredMetric[]> {
  const { metrics, all, read } = recorder()
  const clock = testClock()
  const redactor = createRedactor()
  const log = createLogger({ level: 'error', format: 'json', redactor, destination: { write: () => {} } })
  const backup = defineHook('backups', () => {})
  const config = defineConfig({
    storage: memoryStorage(),
    copies: [memoryStorage()],
    metrics: { pushgateway: 'http://127.0.0.1:1' },
    plans: [{ name: 'shop', use: [backup], schedule: { cron: '@daily' } }],
    drills: [{ name: 'weekly', plan: 'shop', expect: () => true, schedule: { cron: '@weekly' } }],
  })
  const at = { cwd: stateDirectory, etc: stateDirectory, env: {} }
  const loaded = await loadConfig({ ...at, environmentForm: () => config })
  const output = logOutput({ log, clock })
  const engine = createEngine({ config: loaded.config, stateDirectory, log, redactor, metrics, output, clock, env: {} })
  const byHand = { pauses: { since: () => undefined } }
  const context = { io: { clock }, settings: {}, log, redactor }
  // What they need beside the metrics before anything happens.
  const rest = { engine, clock, log, stateDirectory, redactor, config: () => ({}) }
  createDaemonMetrics({ metrics, engine, clock, next: () => undefined, pausedSince: () => undefined })
  openPort({ answer: undefined as never, clock, log, metrics })
  openSite({ ...rest, metrics, context, byHand } as never)
  pushMetrics({ ...rest, metrics } as never)
  await read()
  engine.close()
  return all()
}

function metricsOfCluster(): readonly RegisteredMetric[] {
  const { metrics: meter, all } = recorder()
  countExecs(meter, 'database')
  createEventQueue({ meter } as never)
  createLeaderElection({ meter } as never)
  return all()
}

function metricsOfBenji(): readonly RegisteredMetric[] {
  const { metrics, all } = recorder()
  freezeMetrics(metrics, { namespace: 'shop', name: 'data' })
  versionsGauge(metrics)
  return all()
}

/** A meter that counts nothing. */
function recorder(): {
  readonly metrics: Metrics
  read(): Promise<void>
  all(): readonly RegisteredMetric[]
} {
  const found = new Map<string, RegisteredMetric>()
  const preparations: (() => unknown)[] = []
  const ignore = (): void => {}
  const register =
    <Made>(kind: RegisteredMetric['kind'], made: Made) =>
    (name: string, help: string, labels: readonly string[] = []): Made => {
      found.set(name, { name, kind, help, labels })
      return made
    }
  return {
    metrics: {
      counter: register('counter', { add: ignore }),
      gauge: register('gauge', { set: ignore }),
      histogram: register('histogram', { record: ignore, begin: ignore }),
      contentType: '',
      text: () => Promise.resolve(''),
      remove: ignore,
      computed: register('gauge', undefined),
      beforeRead: (preparation) => void preparations.push(preparation),
    },
    async read() {
      for (const prepare of preparations) await prepare()
    },
    all: () => [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  }
}
