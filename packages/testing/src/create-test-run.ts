import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createEngine,
  createExec,
  createLogger,
  createMetrics,
  createRedactor,
  executeTask,
  loadConfig,
  logOutput,
  openCluster,
  restoreByPlugin,
  runPluginCommand,
  toFailure,
  unknownCommand,
  type Cluster,
  type DrillRequest,
  type DrillResult,
  type Engine,
  type CreateEngineOptions,
  type Metrics,
  type RunEvent,
  type RunRequest,
  type RunResult,
  type RuntimeLogger,
} from '@holdfast/runtime'
import type { Drill, Exec, HoldfastConfig, HookName, Json, Plan, RestorePoint, StorageDriver } from '@holdfast/sdk'
import { describeEvent } from './describe-event.ts'
import type { FakeExec } from './fake-exec.ts'
import type { FakeKubernetes } from './fake-kubernetes/fake-kubernetes.ts'
import { memoryStorage } from './memory-storage.ts'
import { onlyHook } from './single-hook.ts'
import { testClock, type TestClock } from './test-clock.ts'
import { createTestScheduler, type TestScheduler } from './test-scheduler.ts'

/** Options of {@link createTestRun}. */
export interface CreateTestRunOptions {
  /** Plugins and hook modules, as in a plan. */
  readonly use: Plan['use']
  /** Everything else of the plan. */
  readonly plan?: Partial<Omit<Plan, 'use'>> | undefined
  /** Drills of the plan. */
  readonly drills?: readonly Omit<Drill, 'plan'>[] | undefined
  /** Everything else of the configuration. Default storage: in memory. */
  readonly config?: Partial<Omit<HoldfastConfig, 'plans' | 'drills'>> | undefined
  /** Where the clock stands. Default 2026-01-01T00:00:00Z. */
  readonly now?: Date | string | undefined
  /** Fake commands of this machine; with a `cluster`, those in containers are run by it. Default: real ones. */
  readonly exec?: FakeExec | undefined
  /**
   * The cluster that `kubernetes`, `exec.container` and `exec.session` reach, such as a fake one. The run is none of its
   * pods, so armed undos are in the state directory only. Default: none.
   */
  readonly cluster?: Pick<FakeKubernetes, 'kubeconfig'> | undefined
  /** The environment of commands and secrets. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Default: a temporary one, removed at the end. */
  readonly stateDirectory?: string | undefined
}

/** A plan on the real runner, with a clock, a store and a state directory of its own. */
export interface TestRun {
  readonly clock: TestClock
  readonly storage: StorageDriver
  readonly stateDirectory: string
  /**
   * What was counted and measured.
   *
   * @experimental
   */
  readonly metrics: Metrics
  /**
   * Everything that happened, in order.
   *
   * @experimental
   */
  readonly events: readonly RunEvent[]
  /** The same, a line each: `beforeBackups pause`, `armed resume`, `resume done`. */
  readonly journal: readonly string[]
  /** Log lines, as JSON. */
  readonly log: readonly string[]
  /**
   * The engine itself, for what the kit has no word for.
   *
   * @experimental
   */
  readonly engine: Engine
  /** Runs the plan by its schedule: `scheduler.advanceTo('2026-01-02T03:00:00Z')`. */
  readonly scheduler: TestScheduler
  /** Runs the plan once. Runs on an injected clock: advance it when something waits. */
  run(request?: RunRequest): Promise<RunResult>
  /**
   * Runs one hook, as a run does: with its targets, deadline and undos. Other hooks do nothing, but those that it needs:
   * `verifyBackups` takes `backups`, and `pruneBackups` both. Before `onError` a target fails.
   *
   * @throws TypeError when nothing that is used has it
   */
  hook(name: HookName, request?: RunRequest): Promise<RunResult>
  /**
   * Runs a command of the plugin that has it, as `holdfast PLUGIN COMMAND …` does.
   *
   * @returns its exit code
   * @throws HoldfastError `COMMAND_UNKNOWN`, or why it failed
   */
  command(name: string, args?: readonly string[]): Promise<number>
  /**
   * Restores a point by the plugin that says how, as `holdfast restore ID --to key=value` does: it looks first, and then
   * restores.
   *
   * @param options - what `--to` says
   * @returns where it is
   * @throws HoldfastError `RESTORE_UNSUPPORTED`, `RESTORE_OPTIONS`, or why it failed
   */
  restore(
    point: RestorePoint,
    options?: Readonly<Record<string, string>>,
    how?: { readonly force?: boolean | undefined },
  ): Promise<Json>
  /**
   * Runs a drill, as `holdfast drill NAME` does. What it restores is in what it answers, and gone by then.
   *
   * @param name - default: the first
   */
  drill(name?: string, request?: DrillRequest): Promise<DrillResult>
  /**
   * Waits until the notifiers of `config` have been told of what has ended: no run waits for them. What is tried again waits
   * on the injected clock: `advanceUntil(run.clock, run.notified())`.
   */
  notified(): Promise<void>
  /** Another process on the same state directory, as after a crash; with other code, if given. */
  restart(use?: Plan['use']): Promise<void>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Runs hooks and plugins on the real runner, without a cluster, a schedule or a sleep. Knows no test runner.
 *
 * @example
 * ```ts
 * const test = await createTestRun({ use: [myPlugin({ path: '/data' })], exec: fakeExec({ fsfreeze: replies() }) })
 * const { outcome } = await test.run()
 * assert.equal(outcome.status, 'succeeded')
 * await test.close()
 * ```
 */
export async function createTestRun(options: CreateTestRunOptions): Promise<TestRun> {
  const clock = testClock({ now: options.now })
  const stateDirectory = options.stateDirectory ?? mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  const storage = options.config?.storage ?? memoryStorage()
  const events: RunEvent[] = []
  const log: string[] = []
  let logger: RuntimeLogger | undefined
  const metrics = createMetrics({ log: { warn: (message, fields) => logger?.warn(message, fields) } })
  const env = options.env ?? process.env
  const connected = options.cluster && (await connect(options.cluster, clock))

  const start = async (use: Plan['use']): Promise<Engine> => {
    const redactor = createRedactor()
    const destination = { write: (line: string) => log.push(line) }
    const own = createLogger({ level: 'debug', format: 'json', redactor, destination })
    logger = own
    const plan: Plan = { name: 'test', ...options.plan, use }
    const drills = options.drills?.map((drill) => ({ ...drill, plan: plan.name }))
    const config: HoldfastConfig = { ...options.config, storage, plans: [plan], drills }
    const loaded = await loadConfig({
      cwd: stateDirectory,
      etc: stateDirectory,
      env: {},
      environmentForm: () => config,
    })
    const { exec: fakes } = options
    const output = logOutput({ log: own, clock })
    const execFor: CreateEngineOptions['exec'] =
      fakes &&
      (({ signal, log: callLog }) => {
        const fake = fakes.create({ signal, clock })
        if (!connected) return fake
        const { cluster } = connected
        const real = createExec({ clock, redactor, output, env, cluster, meter: metrics, signal, log: callLog })
        const session: Exec['session'] = (where, request) =>
          where === 'local' ? fake.session(where, request) : real.session(where, request)
        return { ...real, local: fake.local, pipeline: fake.pipeline, session }
      })
    return createEngine({
      config: loaded.config,
      stateDirectory,
      log: own,
      redactor,
      metrics,
      clock,
      env,
      output,
      events: (event) => events.push(event),
      cluster: connected?.cluster,
      ...(execFor && { exec: execFor }),
    })
  }

  let engine = await start(options.use)
  const scheduler = createTestScheduler({ clock, engine: () => engine })
  const close = async (): Promise<void> => {
    await scheduler.stop()
    engine.close()
    connected?.close()
    if (options.stateDirectory === undefined) rmSync(stateDirectory, { recursive: true, force: true })
  }
  return {
    clock,
    storage,
    stateDirectory,
    metrics,
    events,
    log,
    get journal() {
      return events.flatMap(describeEvent)
    },
    get engine() {
      return engine
    },
    scheduler,
    run: (request) => engine.run(options.plan?.name ?? 'test', request),
    hook: (name, request) => runHook(engine, name, request),
    command: (name, args = []) => runCommand(engine, name, args),
    restore: (point, to = {}, { force = false } = {}) => restore(engine, point, to, force),
    drill: (name = options.drills?.[0]?.name ?? '', request = {}) => engine.drill(name, request),
    notified: () => engine.notifications.close(),
    async restart(use = options.use) {
      engine.close()
      engine = await start(use)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface Connected {
  readonly cluster: Cluster | undefined
  close(): void
}

/** By a kubeconfig, as it is outside of pods: the file has to stay, because it is read again. */
async function connect(fake: Pick<FakeKubernetes, 'kubeconfig'>, clock: TestClock): Promise<Connected> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-cluster-'))
  const file = join(directory, 'kubeconfig')
  writeFileSync(file, fake.kubeconfig(), { mode: 0o600 })
  const cluster = await openCluster({ env: { KUBECONFIG: file }, clock })
  return {
    cluster,
    close() {
      cluster?.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function runHook(engine: Engine, name: HookName, request: RunRequest | undefined): Promise<RunResult> {
  const config = engine.config()
  const [plan] = config.plans
  if (!plan) throw new TypeError('the run has no plan')
  engine.reconfigure({ ...config, plans: [onlyHook(plan, name)] })
  try {
    if (name !== 'installDependencies') return await engine.run(plan.name, request)
    const [result] = (await engine.boot()).results
    if (!result) throw new TypeError('nothing was started')
    return result
  } finally {
    engine.reconfigure(config)
  }
}

async function runCommand({ services }: Engine, command: string, args: readonly string[]): Promise<number> {
  const [plan] = services.config().plans
  const participant = plan?.participants.find(({ commands }) => commands?.[command]) ?? plan?.participants[0]
  if (!plan || !participant) throw new TypeError('the run has no plugin')
  if (participant.commands?.[command] === undefined) throw unknownCommand(participant, command)
  const { outcome, value } = await executeTask(services, {
    plan: plan.name,
    trigger: 'command',
    budgetMs: plan.budgetMs,
    body: (call) => runPluginCommand(services, call, { plan, participant, command, args }),
  })
  if (outcome.error) throw toFailure(outcome.error, {})
  return Number(value)
}

async function restore(
  { services }: Engine,
  point: RestorePoint,
  options: Readonly<Record<string, string>>,
  force: boolean,
): Promise<Json> {
  const [plan] = services.config().plans
  const participant = plan?.participants.find((each) => each.restore) ?? plan?.participants[0]
  if (!plan || !participant) throw new TypeError('the run has no plugin')
  const { outcome, value } = await executeTask(services, {
    plan: plan.name,
    budgetMs: plan.budgetMs,
    body: (call) => restoreByPlugin(services, call, { plan, participant, point, options, force }),
  })
  if (outcome.error) throw toFailure(outcome.error, {})
  return value
}
