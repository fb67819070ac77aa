import { loadConfig } from '@holdfast/runtime'
import { isHoldfastError, type PluginFactory } from '@holdfast/sdk'
import type { PluginCase } from './plugin-case.ts'

/** A misspelt option is refused, by its name: or it would do nothing, and nobody would know. */
export async function refusesTypos<Options>(
  factory: PluginFactory<Options>,
  { setUp }: PluginCase<Options>,
): Promise<void> {
  const world = await setUp()
  try {
    const { options } = world
    const given = { ...(options as Readonly<Record<string, unknown>> | undefined) }
    const keys = Object.keys(given)
    const known = await problemOf(factory, options)
    if (known !== undefined) throw new Error(`the options of this case are refused: ${known}`)
    for (const key of keys.length > 0 ? keys : ['option']) {
      const typo = `${key}x`
      const problem = await problemOf(factory, { ...options, [typo]: given[key] ?? 'anything' })
      if (problem === undefined) {
        throw new Error(`the option "${typo}" is accepted and does nothing: make the schema strict`)
      }
      if (!problem.includes(typo)) throw new Error(`the option "${typo}" is refused without naming it: ${problem}`)
    }
  } finally {
    await world.close?.()
  }
}

/** What loading has against the options. */
async function problemOf<Options>(factory: PluginFactory<Options>, options: Options): Promise<string | undefined> {
  const nowhere = import.meta.dirname
  try {
    await loadConfig({
      cwd: nowhere,
      etc: nowhere,
      env: {},
      environmentForm: () => ({ plans: [{ name: 'test', use: [factory(options)] }] }),
    })
    return undefined
  } catch (error) {
    return isHoldfastError(error) ? `${error.message} ${JSON.stringify(error.details)}` : String(error)
  }
}
