import type { JsonSchema } from '../../packages/runtime/src/load/json-schema.ts'
import { anchorOf } from './links.ts'
import { optionDocs } from './option-docs.ts'

interface Section {
  readonly title: string
  readonly schema: JsonSchema
  /** Whose sources say more about it. */
  readonly from?: string
}

/**
 * `docs/reference/configuration.md`: every key of a configuration, and every option of the plugins that come along.
 *
 * @param config - the JSON Schema of the configuration
 * @param options - those of plugins, by `module#export`
 */
export function renderConfiguration(config: JsonSchema, options: Readonly<Record<string, JsonSchema>>): string {
  const definitions = (config['definitions'] ?? {}) as Readonly<Record<string, JsonSchema>>
  const notify = objectsIn(definitions['notifier'] ?? {}, 'notify')
  const own = [{ title: 'Top level', schema: config }, ...plansFirst(objectsIn(config, '')), ...notify]
  const plugins = Object.entries(options).flatMap(([name, schema]) =>
    [{ title: `\`${name}\``, schema }, ...objectsIn(schema, name.replace(/^.*#/, ''))].map((each) => ({
      ...each,
      from: name.replace(/#.*$/, ''),
    })),
  )
  const all = withoutCopies([...own, ...plugins])
  const render = (each: Section): string =>
    `### ${each.title}\n\n| key | value | |\n| --- | --- | --- |\n${rowsOf(each, all).join('\n')}`
  const parts = (sections: readonly Section[]): string =>
    all
      .filter(({ title }) => sections.some((each) => each.title === title))
      .map(render)
      .join('\n\n')
  return `# Configuration

<!-- Generated from the configuration's schema by \`npm run docs\`. -->

A configuration is \`holdfast.config.ts\`, \`holdfast.yaml\`, a crontab, or no file at all: then \`/scripts\` runs on the schedule in
\`CRON_BACKUP_SCHEDULE\`. It is what \`--config\` or \`HOLDFAST_CONFIG\` names; else the first of these in the working directory, then in
\`/etc/holdfast\`. In TypeScript the keys are the same, plugins and stores are called as functions, and \`plans\` is a list.

A duration is a number of milliseconds, or a text such as \`500ms\`, \`30s\`, \`5m\`, \`2h\`, \`1d\`. A secret is a reference,
\`{ env: NAME }\` or \`{ file: PATH }\`, never a value. A key that isn't known is an error, with the position and what was probably meant.
\`holdfast generate schema\` prints the JSON Schema for editors; \`holdfast validate\` checks a file with all that it uses.

\`\`\`yaml
# holdfast.yaml
storage: file:///backups
encoding: { compression: zstd }
plans:
  shop:
    schedule: { cron: '0 3 * * *', timeZone: Europe/Berlin, jitter: 10m, overlap: skip, misfire: run-once }
    use:
      - '@holdfast/plugin-scripts#scripts': { path: /scripts }
      - ./hooks/report.ts
    concurrency: 2
    budget: 6h
    retry: { attempts: 2, backoff: 5m }
    retention: { latest: 3, days: 14, months: 6 }
\`\`\`

## Keys

${parts(own)}

## Options of plugins

Those that come along; what they mean is on their pages: [scripts](../../packages/plugin-scripts/README.md#options),
[volumes](../benji.md), [MongoDB](../mongodb.md#options). Options of buckets are on [theirs](../s3.md).

${parts(plugins)}
`
}

/** Every object with keys of its own, below a schema, by its path. */
function objectsIn(schema: JsonSchema, path: string): readonly Section[] {
  return Object.entries(propertiesOf(schema)).flatMap(([key, value]) => {
    const at = path === '' ? key : `${path}.${key}`
    return variantsOf(value).flatMap((variant) => {
      const inner = variant['additionalProperties']
      const items = variant['items']
      if (isObject(inner) && 'properties' in inner) return section(`${at}.NAME`, inner)
      if (isObject(items) && 'properties' in items)
        return key === 'plans' || key === 'drills' ? [] : section(`${at}[]`, items)
      return 'properties' in variant && !isSecret(value) ? section(at, variant) : []
    })
  })
}

function section(path: string, schema: JsonSchema): readonly Section[] {
  return [{ title: `\`${path}\``, schema }, ...objectsIn(schema, path)]
}

/** So that what both have is under the plan. */
function plansFirst(sections: readonly Section[]): readonly Section[] {
  const isDrill = ({ title }: Section): boolean => title.startsWith('`drills')
  return [...sections.filter((each) => !isDrill(each)), ...sections.filter(isDrill)]
}

/** The same keys are listed once, under the shortest path. */
function withoutCopies(sections: readonly Section[]): readonly Section[] {
  const found = new Map<string, Section>()
  for (const each of sections) {
    const key = JSON.stringify(each.schema)
    if (!found.has(key)) found.set(key, each)
  }
  return [...found.values()]
}

function rowsOf({ schema, from }: Section, sections: readonly Section[]): readonly string[] {
  const docs = from === undefined ? new Map<string, string>() : optionDocs(from, Object.keys(propertiesOf(schema)))
  const required = new Set((schema['required'] ?? []) as readonly string[])
  return Object.entries(propertiesOf(schema)).map(([key, value]) => {
    const about = typeof value['description'] === 'string' ? value['description'] : (docs.get(key) ?? '')
    const given =
      value['default'] === undefined || about.includes('Default: ')
        ? ''
        : ` Default: \`${JSON.stringify(value['default'])}\`.`
    const needed = required.has(key) ? ' **Required.**' : ''
    return `| \`${key}\` | ${valueOf(value, sections)} | ${escaped(`${about}${needed}${given}`.trim())} |`
  })
}

function valueOf(schema: JsonSchema, sections: readonly Section[]): string {
  if (isSecret(schema)) return 'secret'
  if (isDuration(schema)) return 'duration'
  const words = variantsOf(schema).map((variant) => wordOf(variant, sections))
  return [...new Set(words)].filter(Boolean).join(' or ')
}

function wordOf(schema: JsonSchema, sections: readonly Section[]): string {
  const reference = schema['$ref']
  if (typeof reference === 'string') return `as \`${reference.replace('#/definitions/', '')}\``
  if (Array.isArray(schema['enum'])) return schema['enum'].map((each) => `\`${String(each)}\``).join(', ')
  if (schema['const'] !== undefined) return `\`${JSON.stringify(schema['const'])}\``
  const inner = schema['additionalProperties']
  const items = schema['items']
  const found = sections.find(({ schema: each }) =>
    [schema, inner, items].some((one) => JSON.stringify(one) === JSON.stringify(each)),
  )
  const link = found && `[${found.title}](#${anchorOf(found.title)})`
  switch (schema['type']) {
    case 'array':
      return link ? `list of ${link}` : listOf([items].flat().find(isObject) ?? {}, sections)
    case 'object':
      return (
        link ?? (isObject(inner) ? `names with ${valueOf(inner, sections) || 'anything'} each` : 'keys with values')
      )
    case 'string':
      return 'text'
    case 'boolean':
      return '`true`, `false`'
    case 'integer':
      return 'whole number'
    default:
      return [schema['type'] ?? 'anything'].flat().map(String).join(' or ')
  }
}

function listOf(items: JsonSchema, sections: readonly Section[]): string {
  if ('$ref' in items) return `list, each ${valueOf(items, sections)}`
  return 'properties' in items ? 'list' : `list of ${valueOf(items, sections)}`
}

function variantsOf(schema: JsonSchema): readonly JsonSchema[] {
  const variants = (schema['anyOf'] ?? schema['oneOf']) as readonly JsonSchema[] | undefined
  return variants === undefined ? [schema] : variants.flatMap(variantsOf)
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>
}

function isSecret(schema: JsonSchema): boolean {
  const keys = variantsOf(schema).map((variant) => Object.keys(propertiesOf(variant)).join())
  return keys.includes('env') && keys.includes('file') && keys.length === 2
}

function isDuration(schema: JsonSchema): boolean {
  return variantsOf(schema).some(({ pattern }) => typeof pattern === 'string' && pattern.includes('ms|s|m|h|d'))
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function escaped(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll(/(?<!`)<(\w+)>/g, '`<$1>`')
}
