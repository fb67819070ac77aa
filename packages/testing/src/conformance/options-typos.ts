import { loadConfig } from '@holdfast/runtime'
import { isHoldfastError, type HoldfastFailure, type PluginFactory } from '@holdfast/sdk'
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
    const known = await problemOf(factory, options)
    if (known !== undefined) throw new Error(`the options of this case are refused: ${known}`)
    for (const { typo, where, options: wrong } of typosOf(given, world.anyKeys ?? [])) {
      const problem = await problemOf(factory, wrong as Options)
      const name = [...where, typo].join('.')
      if (problem === undefined) {
        throw new Error(
          where.length === 0
            ? `the option "${name}" is accepted and does nothing: make the schema strict`
            : `the option "${name}" is accepted and does nothing: make its schema strict, too, or say under anyKeys that any key goes in "${where.join('.')}"`,
        )
      }
      // Deeper, a schema may offer a choice of which none fits; what is said then is the library's.
      if (where.length === 0 && !problem.includes(typo)) {
        throw new Error(`the option "${name}" is refused without naming it: ${problem}`)
      }
    }
  } finally {
    await world.close?.()
  }
}

interface Typo {
  readonly typo: string
  /** The keys on the way to it. */
  readonly where: readonly string[]
  readonly options: unknown
}

/** Options with one misspelt key each: of the options, and of every object in them. */
function* typosOf(
  given: Readonly<Record<string, unknown>>,
  anyKeys: readonly string[],
  where: readonly string[] = [],
): Generator<Typo> {
  if (anyKeys.includes(where.join('.'))) return
  const keys = Object.keys(given)
  for (const key of keys.length > 0 ? keys : ['option']) {
    yield { typo: `${key}x`, where, options: { ...given, [`${key}x`]: given[key] ?? 'anything' } }
  }
  for (const [key, value] of Object.entries(given)) {
    if (!isPlainObject(value)) continue
    for (const typo of typosOf(value, anyKeys, [...where, key])) {
      yield { ...typo, options: { ...given, [key]: typo.options } }
    }
  }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
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
    if (!isHoldfastError(error)) return String(error)
    // Of several problems the first is the message; the others, such as the typo itself, are in the list.
    const { problems } = error.details
    const each = Array.isArray(problems) ? (problems as readonly Pick<HoldfastFailure, 'message' | 'hint'>[]) : [error]
    return each.map(({ message, hint }) => `${message}. ${hint ?? ''}`.trim()).join(' ')
  }
}
