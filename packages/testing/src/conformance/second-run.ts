import type { PluginFactory } from '@holdfast/sdk'
import { labelOf } from './calls.ts'
import type { PluginCase } from './plugin-case.ts'
import { eachCall, mayChange, runWell, setStage } from './stage.ts'

/** Whatever failed in a run, the next one succeeds when nothing fails: nothing is left behind that stands in its way. */
export async function worksAfterFailure<Options>(
  factory: PluginFactory<Options>,
  pluginCase: PluginCase<Options>,
): Promise<void> {
  await using stage = await setStage(factory, pluginCase)
  await runWell(stage)
  await eachCall(
    ({ kind, hook }) => kind !== 'sleep' && hook !== 'undo',
    async (fails, reached) => {
      stage.rehearse({ fails })
      await stage.run()
      stage.rehearse({})
      const call = reached()
      if (call) await runWell(stage, `the run after one in which ${labelOf(call)} failed`)
    },
  )
  await eachCall(
    (call) => call.hook !== 'undo' && mayChange(stage, call),
    async (loses, reached) => {
      stage.rehearse({ loses })
      await stage.run()
      stage.rehearse({})
      const call = reached()
      if (call) await runWell(stage, `the run after one in which ${labelOf(call)} did its work but its answer was lost`)
    },
  )
}
