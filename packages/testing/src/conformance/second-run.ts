import type { PluginFactory } from '@holdfast/sdk'
import { labelOf, type PluginCall } from './calls.ts'
import type { PluginCase } from './plugin-case.ts'
import { eachCall, mayChange, runWell, setStage, type Stage } from './stage.ts'

/** What failed runs leave behind. */
export interface Aftermath {
  /** How the run after a failure went wrong. */
  readonly nextRun: string | undefined
  /** What is still taken after a failure, or would be after `kill -9`. */
  readonly taken: string | undefined
}

/**
 * Makes each call of a run fail in its turn, and do its work without an answer. After each, the next run has to succeed, and
 * the world has to be as it was: this can be seen where a run that succeeds leaves it as it was.
 */
export async function afterFailures<Options>(
  factory: PluginFactory<Options>,
  pluginCase: PluginCase<Options>,
): Promise<Aftermath> {
  await using stage = await setStage(factory, pluginCase)
  const before = stage.state()
  const { unguarded, failure } = await runWatched(stage, before)
  if (failure !== undefined) return { nextRun: failure, taken: stage.hasty[0] }
  const isBack = stage.state() === before
  let taken = stage.hasty[0] ?? (isBack ? unguarded : undefined)
  const look = (after: string): void => {
    const now = stage.state()
    if (isBack && now !== before) taken ??= `after a run in which ${after}, what was ${before} stays ${now}: ${advice}`
  }
  const next = async (after: string): Promise<void> => {
    stage.rehearse({})
    look(after)
    await runWell(stage, `the run after one in which ${after}`)
  }
  try {
    await eachCall(
      ({ kind, hook }) => kind !== 'sleep' && hook !== 'undo',
      async (fails, reached) => {
        stage.rehearse({ fails })
        await stage.run()
        const call = reached()
        if (call) await next(`${labelOf(call)} failed`)
      },
    )
    await eachCall(
      (call) => call.hook !== 'undo' && mayChange(stage, call),
      async (loses, reached) => {
        stage.rehearse({ loses })
        await stage.run()
        const call = reached()
        if (call) await next(`${labelOf(call)} did its work but its answer was lost`)
      },
    )
  } catch (error) {
    return { nextRun: (error as Error).message, taken }
  }
  return { nextRun: undefined, taken }
}

const advice =
  'arm an undo before the effect and await that (undo.arm), it gives back whatever fails, and after kill -9'

/**
 * Runs as it should, and looks before each call.
 *
 * @returns when something was taken and no undo was armed, so that `kill -9` would have left it; and why it failed
 */
async function runWatched(
  stage: Stage,
  before: string,
): Promise<{ readonly unguarded?: string | undefined; readonly failure?: string }> {
  let unguarded: string | undefined
  let isHeld = false
  const sees = (call: PluginCall): void => {
    // What a session holds ends with the process that holds it.
    isHeld ||= call.isSession === true
    const now = stage.state()
    if (isHeld || now === before || pendingUndos(stage) > 0) return
    unguarded ??= `before ${labelOf(call)}, what was ${before} is ${now} while no undo is armed, and kill -9 would leave it so: ${advice}`
  }
  stage.rehearse({ sees })
  try {
    await runWell(stage)
    return { unguarded }
  } catch (error) {
    return { failure: (error as Error).message }
  } finally {
    stage.rehearse({})
  }
}

function pendingUndos({ test }: Stage): number {
  const ended = new Set(test.events.flatMap((event) => (event.type === 'undo-settled' ? [event.id] : [])))
  return test.events.filter((event) => event.type === 'undo-armed' && !ended.has(event.id)).length
}
