import { recordFailure, type DrillResult, type RunEvent } from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { drillNamed } from '../drills.ts'
import { errors } from '../errors.ts'
import { exitCode, exitCodeOfRun, exitCodeOfSignal } from '../exit-codes.ts'
import { pointJson } from '../output/result-json.ts'
import { openEngine, startEngine } from '../session.ts'
import { stopOnSignals } from '../stop-signals.ts'
import { reviewOnce, showRun } from './run.ts'

/** `holdfast drill [NAME]`: restores a backup into a scratch place, and looks whether it is what it should be. */
export async function runDrillCommand(given: CommandContext, name: string | undefined): Promise<number> {
  const loaded = await openConfiguration(given)
  const { config } = loaded
  const drills = name === undefined ? config.drills : [drillNamed(config, name)]
  if (drills.length === 0) throw errors.DRILL_NONE({ source: config.source })
  const { context, view, close } = showRun(given)
  const ended: Extract<RunEvent, { type: 'run-ended' }>[] = []
  const session = await openEngine(context, loaded, {
    ...view,
    events(event) {
      if (event.type === 'run-ended') ended.push(event)
      view.events?.(event)
    },
  })
  const { engine } = session
  const signals = stopOnSignals(context, engine)
  const permissions = reviewOnce(session, context, { drills })
  const results: DrillResult[] = []
  try {
    const started = await startEngine(session, context)
    if (started.failed) {
      if (started.error && context.settings.json) context.fail(started.error)
      return signals.received() ? exitCodeOfSignal(signals.received()) : exitCode.failed
    }
    await permissions.told()
    for (const drill of drills) {
      if (signals.received() || signals.faulted()) break
      results.push(await engine.drill(drill.name))
    }
    if (context.settings.json) context.printJson(results.map((result) => drillJson(result, ended)))
    if (signals.faulted()) return exitCode.failed
    if (signals.received()) return exitCodeOfSignal(signals.received())
    const codes = results.map(({ outcome }) => exitCodeOfRun(outcome))
    // One that failed is never hidden by the others, nor by one that was busy.
    return codes.find((code) => code === exitCode.failed) ?? codes.find((code) => code !== exitCode.ok) ?? exitCode.ok
  } finally {
    permissions.close()
    signals.close()
    close()
    await session.close()
  }
}

function drillJson(
  { run, outcome, restored }: DrillResult,
  ended: readonly Extract<RunEvent, { type: 'run-ended' }>[],
): object {
  const { status, reason, error, warnings, targets } = outcome
  const end = ended.find((event) => event.run.id === run.id)
  return {
    drill: run.drill,
    run,
    status,
    reason,
    durationMs: end && Math.round(end.durationMs),
    error: error && recordFailure(error),
    warnings: warnings.map(recordFailure),
    target: targets[0]?.target.id,
    verification: targets[0]?.verification,
    restored: restored.map(({ point, where }) => ({ point: pointJson(point), where })),
  }
}
