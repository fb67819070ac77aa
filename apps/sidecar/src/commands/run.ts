import type { RunEvent } from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { exitCode, exitCodeOfRun, exitCodeOfSignal } from '../exit-codes.ts'
import { resultJson } from '../output/result-json.ts'
import { logRunEvents } from '../output/run-log.ts'
import { createRunPrinter } from '../output/run-printer.ts'
import { reviewPermissions, type ReviewPermissionsOptions } from '../permissions.ts'
import { planNamed } from '../plans.ts'
import { openEngine, startEngine, type OpenEngineOptions, type Session } from '../session.ts'
import { stopOnSignals } from '../stop-signals.ts'

/** Options of `holdfast run`. */
export interface RunOptions {
  readonly target?: readonly string[] | undefined
  readonly dryRun?: boolean | undefined
}

/** `holdfast run PLAN`: boots, runs the plan once, and exits with what became of it. */
export async function runRunCommand(given: CommandContext, plan: string, options: RunOptions): Promise<number> {
  const loaded = await openConfiguration(given)
  planNamed(loaded.config, plan)
  const { context, view, close } = showRun(given)
  const events: RunEvent[] = []
  const session = await openEngine(context, loaded, {
    ...view,
    events(event) {
      if (event.type === 'planned' || event.type === 'pruned' || event.type === 'run-ended') events.push(event)
      view.events?.(event)
    },
  })
  const { engine } = session
  const signals = stopOnSignals(context, engine)
  const permissions = reviewOnce(session, context, { plan })
  try {
    // A dry run has no effects, so it gives nothing back and installs nothing either.
    const started = options.dryRun ? {} : await startEngine(session, context)
    if (started.failed) {
      if (started.error && context.settings.json) context.fail(started.error)
      return signals.received() ? exitCodeOfSignal(signals.received()) : exitCode.failed
    }
    await permissions.told()
    const result = await engine.run(plan, { only: options.target, dryRun: options.dryRun })
    if (context.settings.json) context.printJson(resultJson(result, events))
    return signals.faulted() ? exitCode.failed : exitCodeOfRun(result.outcome, signals.received())
  } finally {
    permissions.close()
    signals.close()
    close()
    await session.close()
  }
}

/** What may be waited for before the run begins: it may need no API at all. */
const patienceMs = 1000

/**
 * What the API server does not allow is said before the hooks meet it, or as soon as it has answered.
 *
 * @returns `told`: resolves when it is said, or after a second
 */
export function reviewOnce(
  { cluster, engine }: Session,
  { io, log }: CommandContext,
  of: Pick<ReviewPermissionsOptions, 'plan' | 'drills'>,
): { told(): Promise<void>; close(): void } {
  const stop = new AbortController()
  const enough = Promise.withResolvers<void>()
  const cancel = io.clock.setTimer(patienceMs, enough.resolve)
  const review = async (): Promise<void> => {
    const config = engine.config()
    const { missing, error } = await reviewPermissions({ cluster, config, ...of, env: io.env, signal: stop.signal })
    for (const { error: said } of missing) log.warn(said.message, { error: said })
    if (error) log.warn(`what this pod may do could not be asked: ${error.message}`, { error })
  }
  // Only its end can keep it from being said.
  const told = Promise.race([review().catch(() => {}), enough.promise])
  return {
    told: () => told,
    close() {
      cancel()
      stop.abort(new Error('the run has ended'))
    },
  }
}

/** How a run is shown: to a person as it happens, or as log lines. */
export function showRun(context: CommandContext): {
  readonly context: CommandContext
  readonly view: OpenEngineOptions
  close(): void
} {
  const { screen, screenStyle: style, redactor, settings } = context
  if (settings.logFormat === 'json') return { context, view: { events: logRunEvents(context.log) }, close() {} }
  const printer = createRunPrinter({ screen, style, redactor, level: settings.logLevel })
  const { events, output, close, log } = printer
  return { context: { ...context, log }, view: { events, output }, close }
}
