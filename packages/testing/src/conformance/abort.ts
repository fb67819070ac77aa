import { hookNames, lifecyclePolicy, type RunEvent } from '@holdfast/runtime'
import { parseDuration, type HookName, type PluginFactory } from '@holdfast/sdk'
import { labelOf, type PluginCall } from './calls.ts'
import type { PluginCase } from './plugin-case.ts'
import { eachCall, setStage, type Rehearsal, type Stage } from './stage.ts'

// Taken before a test can replace it by a fake one.
const { setTimeout } = globalThis
/**
 * How long a handler may work on after its signal aborted, without needing time: in turns of two milliseconds, so that it is
 * longer where the machine is busy.
 */
const patience = 150

/**
 * A hook that is told to stop stops: at its beginning, and while each of its calls hangs. What ignores its signal is left
 * behind after the grace time, and nobody knows what it still does.
 */
export async function heedsAbort<Options>(
  factory: PluginFactory<Options>,
  pluginCase: PluginCase<Options>,
): Promise<void> {
  await using stage = await setStage(factory, pluginCase)
  for (const hook of hookNames) {
    if (!stage.participant.hooks[hook]) continue
    await abortAtStart(stage, hook)
    await eachCall(
      (call) => call.hook === hook,
      async (select, reached) => {
        await abortedRun(stage, hook, { hangs: select }, reached)
      },
    )
  }
}

async function abortAtStart(stage: Stage, hook: HookName): Promise<void> {
  let isEntered = false
  const enters = (entered: string): void => void (isEntered ||= entered === hook)
  await abortedRun(
    stage,
    hook,
    { enters },
    () => undefined,
    () => isEntered,
  )
}

/** Runs until it hangs, and has it told to stop: by the run's signal, or by the deadline of a hook with its own. */
async function abortedRun(
  stage: Stage,
  hook: HookName,
  rehearsal: Rehearsal,
  reached: () => PluginCall | undefined,
  begun: () => boolean = () => reached() !== undefined,
): Promise<void> {
  const { test, participant } = stage
  const controller = new AbortController()
  const { signal: whose, timeout } = lifecyclePolicy[hook]
  const isObserver = whose === 'reserve'
  stage.rehearse({
    ...rehearsal,
    enters(entered) {
      rehearsal.enters?.(entered)
      // Something has to go wrong, or nothing would observe it.
      if (isObserver && entered !== 'validate' && !isObserverName(entered)) controller.abort(reason)
      if (!isObserver && entered === hook && begun()) controller.abort(reason)
    },
  })
  const from = test.events.length
  await test.clock.advance('1s')
  let settled = false
  const run =
    hook === 'installDependencies' ? test.engine.boot() : test.run({ signal: controller.signal, trigger: 'manual' })
  const end = run.finally(() => (settled = true))
  const timeoutMs = participant.hooks[hook]?.timeoutMs ?? parseDuration(timeout)
  let turns = 0
  let isTold = false
  // Of a hook that the run's signal does not reach.
  let untilDeadline = isObserver || hook === 'installDependencies' ? timeoutMs : 0
  while (!settled) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    if (settled) break
    if (reached() && !isTold) controller.abort(reason)
    isTold ||= reached() !== undefined || begun()
    if (reached() && untilDeadline > 0) {
      const step = Math.min(untilDeadline, Math.max(1000, timeoutMs / 20))
      untilDeadline -= step
      await test.clock.advance(step)
      continue
    }
    if (isTold) turns += 1
    if (turns > patience) await test.clock.advance('200ms')
    else await stage.tick()
  }
  await end
  const at = reached()
  report(stage, hook, test.events.slice(from), at ? `while ${labelOf(at)} hangs` : 'at its beginning')
}

const reason = new Error('the conformance check stops this run')

function isObserverName(hook: string): boolean {
  return hook === 'onError' || hook === 'onFinish'
}

function report(stage: Stage, hook: HookName, events: readonly RunEvent[], when: string): void {
  for (const event of events) {
    if (event.type === 'hook-ended' && event.error?.code === 'HOOK_ABANDONED' && event.hook === hook) {
      throw new Error(`${hook} ignores that it is told to stop ${when}: pass ctx.signal on to whatever waits`)
    }
    if (event.type === 'undo-settled' && event.result === 'failed') {
      throw new Error(
        `the undo "${event.undo}" fails when ${hook} is told to stop ${when}, perhaps before the effect that it takes back: ${event.error?.message ?? ''}`,
      )
    }
  }
  const [fault] = stage.undoFaults
  if (fault !== undefined) throw new Error(`${fault} (${hook} was told to stop ${when})`)
}
