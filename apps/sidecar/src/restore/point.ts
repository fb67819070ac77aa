import { formatDuration, type Json } from '@holdfast/sdk'
import { executeTask, recordFailure, restoreByPlugin, toFailure } from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { exitCode, exitCodeOfFailure, exitCodeOfSignal } from '../exit-codes.ts'
import { formatBytes } from '../output/format.ts'
import { foundPointJson } from '../output/points.ts'
import { openEngine, startEngine } from '../session.ts'
import { stopOnSignals } from '../stop-signals.ts'
import { showRun } from '../commands/run.ts'
import type { ChosenPoint } from './choose-point.ts'
import type { Place } from './place.ts'

/** Restores what a plugin keeps outside the store, such as a version of Benji: by that plugin, as a run. */
export async function restorePoint(
  context: CommandContext,
  { found, passedOver }: ChosenPoint,
  { options }: Place,
  force: boolean,
): Promise<number> {
  const { plan, participant, point } = found
  for (const { point: newer } of passedOver) {
    const why = newer.state === 'valid' ? 'it was never verified' : newer.state
    context.log.warn(`${newer.id} is newer, but ${why}; name it to restore it all the same`)
  }
  const loaded = await openConfiguration(context)
  const { context: shown, view, close } = showRun(context)
  const session = await openEngine(shown, loaded, view)
  const signals = stopOnSignals(shown, session.engine)
  const { clock } = context.io
  const began = clock.monotonic()
  try {
    const started = await startEngine(session, shown)
    if (started.failed) throw toFailure(started.error, { hook: 'installDependencies' })
    const { services } = session.engine
    const {
      run,
      outcome,
      value: where,
    } = await executeTask(services, {
      plan: plan.name,
      budgetMs: plan.budgetMs,
      body: (call) => restoreByPlugin(services, call, { plan, participant, point, options, force }),
    })
    const durationMs = Math.round(clock.monotonic() - began)
    const error = outcome.error && toFailure(outcome.error, { run: run.id })
    const { print, style } = context
    if (context.settings.json) {
      const restored = { point: foundPointJson(found), where, run: run.id, durationMs }
      context.printJson([{ ...restored, error: error && recordFailure(error) }])
    } else if (error) print(`${style.red('✗')} ${point.id} was not restored\n`)
    else {
      const planned = stepsOf(where)
      const lines = planned?.map((step) => `would ${step}`) ?? [
        `${style.green('✓')} ${point.id}`,
        `    of        ${point.target}`,
        `    from      ${point.createdAt.toISOString()}`,
        `    size      ${point.size === undefined ? 'unknown' : formatBytes(point.size)} in ${formatDuration(durationMs)}`,
        `    restored  ${typeof where === 'string' ? where : JSON.stringify(where)}`,
      ]
      print(`${lines.join('\n')}\n`)
    }
    if (!error) return exitCode.ok
    const received = signals.received()
    return received === undefined ? exitCodeOfFailure(error) : exitCodeOfSignal(received)
  } finally {
    signals.close()
    close()
    await session.close()
  }
}

/** What a plugin that was asked for a dry run says it would do: `{ dryRun: ['…'] }`. */
function stepsOf(where: Json): readonly string[] | undefined {
  const { dryRun } = (where ?? {}) as { readonly dryRun?: unknown }
  return Array.isArray(dryRun) ? dryRun.map(String) : undefined
}
