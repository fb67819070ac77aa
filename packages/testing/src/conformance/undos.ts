import type { PluginFactory } from '@holdfast/sdk'
import { labelOf, type PluginCall } from './calls.ts'
import type { PluginCase } from './plugin-case.ts'
import { eachCall, mayChange, runWell, setStage, type Stage } from './stage.ts'

/**
 * Whatever fails, every undo that was armed runs, or is disarmed; and run again, as after a crash, it neither fails nor
 * changes anything.
 *
 * @returns the names of those that were armed
 */
export async function undosRun<Options>(
  factory: PluginFactory<Options>,
  pluginCase: PluginCase<Options>,
): Promise<ReadonlySet<string>> {
  await using stage = await setStage(factory, pluginCase)
  const { outcome } = await runWell(stage)
  judge(stage, 'a run that succeeds')
  await stage.restore(outcome)
  judge(stage, 'a restore that succeeds')
  await eachCall(
    (call) => call.kind !== 'sleep' && isOfRun(call),
    async (fails, reached) => {
      stage.rehearse({ fails })
      await stage.run()
      stage.rehearse({})
      const call = reached()
      judge(stage, call ? `a run in which ${labelOf(call)} fails` : 'a run that succeeds')
    },
  )
  await eachCall(
    (call) => isOfRun(call) && mayChange(stage, call),
    async (loses, reached) => {
      stage.rehearse({ loses })
      await stage.run()
      stage.rehearse({})
      const call = reached()
      if (call) judge(stage, `a run in which ${labelOf(call)} did its work but its answer was lost`)
    },
  )
  if (stage.world.restore) {
    await eachCall(
      ({ hook, kind }) => kind !== 'sleep' && hook === 'restore',
      async (fails, reached) => {
        stage.rehearse({ fails })
        await stage.restore(outcome).catch(() => {})
        stage.rehearse({})
        const call = reached()
        judge(stage, call ? `a restore in which ${labelOf(call)} fails` : 'a restore that succeeds')
      },
    )
  }
  return new Set(stage.test.events.flatMap((event) => (event.type === 'undo-armed' ? [event.undo] : [])))
}

function isOfRun({ hook }: PluginCall): boolean {
  return !['undo', 'validate', 'targets', 'describe', 'restore'].includes(hook)
}

function judge({ test, undoFaults }: Stage, after: string): void {
  const [fault] = undoFaults
  if (fault !== undefined) throw new Error(`${fault} (after ${after})`)
  const settled = new Map(test.events.flatMap((event) => (event.type === 'undo-settled' ? [[event.id, event]] : [])))
  for (const event of test.events) {
    if (event.type !== 'undo-armed') continue
    const end = settled.get(event.id)
    if (end?.result === 'done' || end?.result === 'disarmed') continue
    const why = end?.error ? `: ${end.error.message}` : ''
    throw new Error(`the undo "${event.undo}" ${end ? end.result : 'did not run'} after ${after}${why}`)
  }
}
