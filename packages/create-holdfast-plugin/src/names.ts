/** What a plugin is called, in each place. */
export interface PluginNames {
  /** On npm: `holdfast-plugin-redis`, `@acme/holdfast-plugin-redis`. */
  readonly package: string
  /** Of its directory: `holdfast-plugin-redis`. */
  readonly directory: string
  /** In plans, errors and metrics: `redis`. */
  readonly plugin: string
  /** Of the factory: `redisCluster`; `tarPlugin`, where the files that are written have a `tar` already. */
  readonly factory: string
  /** Of its types: `RedisCluster`. */
  readonly type: string
}

const form = /^(?:@([a-z0-9][a-z0-9._-]*)\/)?(?:holdfast-plugin-)?([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/
// What can't be the name of a constant in a module, or is the name of another file that is written.
const reserved = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false ' +
    'finally for function if implements import in instanceof interface let new null package private protected public return ' +
    'static super switch this throw true try typeof undefined var void while with yield conformance index options pause'
  ).split(' '),
)

/**
 * Reads `redis`, `holdfast-plugin-redis` or `@acme/redis`.
 *
 * @param taken - identifiers of the files that are written
 * @returns `undefined` when it can't be the name of a plugin
 */
export function namesOf(given: string, taken: ReadonlySet<string>): PluginNames | undefined {
  const [, scope, plugin] = form.exec(given) ?? []
  if (plugin === undefined) return undefined
  const type = plugin
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
  const short = type.charAt(0).toLowerCase() + type.slice(1)
  const factory = taken.has(short) ? `${short}Plugin` : short
  const directory = `holdfast-plugin-${plugin}`
  // npm takes no more than 214 characters.
  if (reserved.has(short) || given.length > 180) return undefined
  return { package: scope === undefined ? directory : `@${scope}/${directory}`, directory, plugin, factory, type }
}
