import type { PluginFactory } from '@holdfast/sdk'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Path } from './problems.ts'

/** A JSON Schema, draft-07. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

const descriptions: Readonly<Record<string, string>> = {
  instance: 'Names this installation in the store. Default: default.',
  storage:
    'The store: file:///path, s3://bucket/prefix, or module#export. Default: a directory in the state directory.',
  encoding: 'How artifacts are stored: compression first, encryption after it.',
  copies:
    "Further stores, each written as `storage`: every artifact is copied there and read back. A plan's own win; [] is none. Default: none.",
  compression: 'Default: zstd.',
  recipients: 'age recipients (age1…); artifacts are encrypted to all of them.',
  identity: 'age identity for reading back, as { env: NAME } or { file: PATH }.',
  notify:
    'Who is told how runs went: webhook, slack, email, ping, or module#export. Plans and drills that have none of their own have the one at the top level; [] is nobody. Default: nobody.',
  metrics: 'How the daemon is watched.',
  listen: 'Where /metrics, /healthz and /readyz are: a port, or host:port; 0 is off. Default: 9480.',
  allowedHosts:
    'Names under which these and the status page may be asked for, besides addresses, localhost, this host and services; .example.com is every one below it, * any. Default: any, but for the page and the API from this machine.',
  pushgateway:
    'URL of a Pushgateway, for runs that end before anybody scrapes them; as { env: NAME } or { file: PATH } where it holds a password.',
  replicas: 'Which of several pods schedule: each its own plans, or the leader for all. Default: each.',
  undoMirror: 'Keeps armed undos as ConfigMaps too, where the API allows it. Default: on.',
  plans: 'Plans by name, or as a list.',
  schedule: 'When it runs by itself. Without one it runs by hand only.',
  cron: 'Five fields, or @hourly, @daily, @weekly, @monthly, @yearly.',
  timeZone: 'IANA name such as Europe/Berlin. Default: TZ, else UTC.',
  jitter: 'Spreads plans over this long after the slot. Default: none.',
  overlap: 'What happens to a slot while the last run still goes on. Default: skip.',
  misfire: 'What happens to slots missed while nothing ran. Default: skip.',
  paused: 'Nothing is run until it is taken back. Default: false.',
  use: 'Plugins as module#export: options, hook modules as paths.',
  concurrency: 'Targets backed up at once. Default: 1.',
  budget: 'The longest a run may take. Default: 24h.',
  retry: 'How often a run that failed is tried again.',
  attempts: 'Attempts in all. Default: 1.',
  backoff: 'Pause between attempts. Default: 1m.',
  retention: 'How many restore points to keep; without it nothing is pruned.',
  allowEmpty: 'Finding nothing to back up is a success. Default: false.',
  drills: 'Restores that prove that backups are some, by name or as a list.',
  plan: 'The plan whose backups it restores.',
  select: 'Which backup of the target. Default: newest.',
  target: 'Which target. Default: another one each time, at random.',
  options:
    'How the plugin restores; {directory} and {suffix} stand for the own of the drill. Default: { path: "{directory}" }.',
  bytes: 'Files in its directory, also where a plugin knows how to restore. Default: false.',
  expect: 'What looks at what was restored: a directory of scripts, a script, or a module, as a path.',
  cleanup: 'What removes what was restored outside its directory: a path, as for expect.',
  scratch: 'Where its directory is made. Default: in the state directory.',
  timeouts: 'The longest that a part of it may take.',
}

/** What a reference to a module looks like: a path, or `module#export`. */
const reference = String.raw`^(?:\.{0,2}/.+|.+#.+)$`

/**
 * The JSON Schema of `holdfast.yaml`, for editors.
 *
 * @param plugins - plugins and storage drivers that are known, by `module#export`: their options are completed and
 * checked too, as far as their schema can say what it accepts
 */
export async function configJsonSchema(
  plugins: Readonly<Record<string, Pick<PluginFactory<never>, 'definition'>>> = {},
): Promise<JsonSchema> {
  const { list, map, drills, notifiers } = await shapes()
  const options = Object.entries(plugins).map(([name, { definition }]) => [name, inputSchema(definition.config) ?? {}])
  const module = {
    type: 'object',
    properties: { name: { type: 'string' }, ...(Object.fromEntries(options) as object) },
    patternProperties: { [reference]: {} },
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 2,
  }
  const driver = { type: 'object', patternProperties: { [reference]: {} }, additionalProperties: false }
  const storage = { anyOf: [{ type: 'string' }, { ...driver, minProperties: 1, maxProperties: 1 }] }
  const { $schema, ...shape } = list
  const described = describe({
    $schema,
    title: 'Holdfast configuration',
    ...shape,
    properties: {
      ...(list['properties'] as object),
      storage,
      copies: { type: 'array', items: { $ref: '#/definitions/storage' } },
      notify: { type: 'array', items: { $ref: '#/definitions/notifier' } },
      plans: { anyOf: [plansOf(map), plansOf(list)] },
      drills: { anyOf: [replaceReferences(drills.map), replaceReferences(drills.list)] },
    },
  }) as JsonSchema
  // Added last: a plugin's options have meanings of their own.
  const notifier = { anyOf: [{ type: 'string', pattern: reference }, ...notifiers.ours, theirs(notifiers.settings)] }
  const definitions = { notifier, module: { anyOf: [{ type: 'string', pattern: reference }, module] }, storage }
  return { ...described, definitions }
}

/** The keys that a schema knows at a path; `undefined` when it doesn't say. */
export function knownKeys(schema: JsonSchema, path: Path): readonly string[] | undefined {
  const [part, ...rest] = path
  const variants = ['anyOf', 'oneOf', 'allOf'].flatMap((keyword) => (schema[keyword] as JsonSchema[] | undefined) ?? [])
  const found = [schema, ...variants].map((variant) => {
    const properties = variant['properties'] as Readonly<Record<string, JsonSchema>> | undefined
    if (part === undefined) return properties && Object.keys(properties)
    const below = typeof part === 'number' ? variant['items'] : (properties?.[part] ?? variant['additionalProperties'])
    return typeof below === 'object' && below !== null ? knownKeys(below as JsonSchema, rest) : undefined
  })
  const keys = found.flatMap((some) => some ?? [])
  return keys.length === 0 ? undefined : [...new Set(keys)]
}

/** What a Standard Schema accepts, as far as it can say. */
export function inputSchema(schema: StandardSchemaV1): JsonSchema | undefined {
  const converter = (schema['~standard'] as { readonly jsonSchema?: { input?(options: object): JsonSchema } })
    .jsonSchema
  try {
    return converter?.input?.({ target: 'draft-07' })
  } catch {
    // A schema may hold what JSON Schema can't say.
    return undefined
  }
}

/** The keys of our own shape at a path. */
export async function knownConfigKeys(path: Path, form: 'list' | 'map'): Promise<readonly string[]> {
  const { drills, ...shape } = await shapes()
  const [top, name, ...rest] = path
  if (top !== 'drills') return knownKeys(shape[form], path) ?? []
  if (name === undefined) return []
  return knownKeys(typeof name === 'number' ? drills.list : drills.map, [name, ...rest]) ?? []
}

interface Shapes {
  readonly list: JsonSchema
  readonly map: JsonSchema
  readonly drills: { readonly list: JsonSchema; readonly map: JsonSchema }
  readonly notifiers: { readonly ours: readonly JsonSchema[]; readonly settings: JsonSchema }
}

let known: Promise<Shapes> | undefined

// Only when somebody asks: a daemon whose configuration is right never needs it.
function shapes(): Promise<Shapes> {
  known ??= import('./shape-schema.ts').then(({ listSchema, mapSchema, drillSchemas, notifierSchemas }) => ({
    list: listSchema(),
    map: mapSchema(),
    drills: drillSchemas(),
    notifiers: notifierSchemas(),
  }))
  return known
}

function plansOf(schema: JsonSchema): unknown {
  const plans = (schema['properties'] as Record<string, JsonSchema>)['plans']
  return replaceReferences(plans)
}

/** A notifier of somebody else's: its options are checked by importing it. */
function theirs(settings: JsonSchema): JsonSchema {
  return { ...settings, patternProperties: { [reference]: {} }, minProperties: 1 }
}

// What is used, who is told, and where copies go, is checked by importing it; an editor can check how it is written.
function replaceReferences(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema
  const entries = Object.entries(schema).map(([key, value]: [string, unknown]) => [
    key,
    key === 'use'
      ? { type: 'array', items: { $ref: '#/definitions/module' }, minItems: 1 }
      : key === 'copies'
        ? { type: 'array', items: { $ref: '#/definitions/storage' } }
        : key === 'notify'
          ? { type: 'array', items: { $ref: '#/definitions/notifier' } }
          : replaceReferences(value),
  ])
  return Object.fromEntries(entries) as JsonSchema
}

// Editors show a property's description beside it.
function describe(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(describe)
  if (typeof schema !== 'object' || schema === null) return schema
  const described = Object.entries(schema).map(([key, value]: [string, unknown]) => {
    if (key !== 'properties' || typeof value !== 'object' || value === null) return [key, describe(value)]
    const properties = Object.entries(value).map(([name, property]: [string, unknown]) => {
      const description = descriptions[name]
      const below = describe(property)
      return [name, description === undefined ? below : { description, ...(below as object) }]
    })
    return [key, Object.fromEntries(properties)]
  })
  return Object.fromEntries(described)
}
