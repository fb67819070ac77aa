import type { PlannedStep, PluginFactory } from '@holdfast/sdk'
import type { PluginCall } from './calls.ts'
import { isRead, type PluginCase, type PluginEffect } from './plugin-case.ts'
import { inspect } from './quiet-checks.ts'
import { runWell, setStage, type Stage } from './stage.ts'

/** What a run does, `holdfast plan` has announced: commands that change something, objects, artifacts. */
export async function doesWhatItDescribes<Options>(
  factory: PluginFactory<Options>,
  pluginCase: PluginCase<Options>,
): Promise<void> {
  await using stage = await setStage(factory, pluginCase)
  const described = await inspect(stage)
  const from = stage.calls.length
  await runWell(stage)
  const all = [...described.values()].flat()
  const announces = stage.world.announces ?? announcesByName
  const surprises = stage.calls.slice(from).flatMap((call) => {
    const effect = effectOf(stage, call)
    if (!effect) return []
    const steps = call.target === undefined ? all : (described.get(call.target) ?? [])
    return steps.some((step) => announces(step, effect)) ? [] : [`${effect.kind} ${effect.what} (${effect.hook})`]
  })
  if (surprises.length === 0) return
  const said = all.map(({ kind, what }) => `${kind} ${what}`)
  throw new Error(
    `a run does what describe doesn't say: ${[...new Set(surprises)].join('; ')}. It says: ${said.join('; ') || 'nothing'}`,
  )
}

function effectOf({ world }: Stage, { hook, kind, what, command }: PluginCall): PluginEffect | undefined {
  if (['validate', 'targets', 'describe'].includes(hook)) return undefined
  switch (kind) {
    case 'exec':
      return command && isRead(world, command) ? undefined : { kind, what, command, hook }
    case 'api':
      // Events say how a run went; they are no part of what it does.
      return /^(get|list) |^create events$/.test(what) ? undefined : { kind, what, hook }
    case 'artifact':
      return { kind, what, hook }
    case 'record':
    case 'arm':
    case 'sleep':
      return undefined
  }
}

const kinds: Readonly<Record<PluginEffect['kind'], readonly PlannedStep['kind'][]>> = {
  exec: ['exec', 'delete', 'undo'],
  api: ['api', 'delete', 'undo'],
  artifact: ['artifact'],
}

function announcesByName(step: PlannedStep, { kind, what }: PluginEffect): boolean {
  if (!kinds[kind].includes(step.kind)) return false
  const text = `${step.what} ${step.where ?? ''}`.toLowerCase()
  if (kind !== 'api') return text.includes(what.toLowerCase())
  // `create persistentvolumeclaims` is announced by "creates the PersistentVolumeClaim data".
  const [, type = ''] = what.split(' ')
  return text.includes(type.split('.')[0]?.replace(/s$/, '') ?? type)
}
