/** A JSON Schema, draft-07, as far as ours use it. */
export type Schema = Readonly<Record<string, unknown>>

/**
 * What of a value a schema does not allow, a line each: `plans.shop.shedule is unknown`.
 *
 * @param whole - where references lead, if the schema is a part of it
 */
export function findSchemaProblems(schema: Schema, value: unknown, whole: Schema = schema, at = ''): readonly string[] {
  const here = at === '' ? 'it' : at
  const check = (part: unknown, each: unknown = value, path = at): readonly string[] =>
    findSchemaProblems(part as Schema, each, whole, path)
  const list = (keyword: string): readonly unknown[] => (schema[keyword] ?? []) as readonly unknown[]
  const problems: string[] = []
  if (typeof schema['$ref'] === 'string') problems.push(...check(referred(whole, schema['$ref'])))
  const types = [schema['type'] ?? []].flat() as readonly unknown[] as readonly string[]
  if (types.length > 0 && !types.some((type) => isOfType(type, value))) return [`${here} must be ${types.join(' or ')}`]
  if ('const' in schema && schema['const'] !== value)
    problems.push(`${here} must be ${JSON.stringify(schema['const'])}`)
  if ('enum' in schema && !list('enum').includes(value)) {
    problems.push(`${here} must be one of ${list('enum').map(String).join(', ')}`)
  }
  for (const part of list('allOf')) problems.push(...check(part))
  for (const keyword of ['anyOf', 'oneOf']) {
    const variants = list(keyword).map((part) => check(part))
    // The one that fits best says what is wrong.
    const [best = []] = variants.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)
    if (variants.length > 0 && variants.every(({ length }) => length > 0)) problems.push(...best)
  }
  if (schema['if'] !== undefined) {
    const branch = check(schema['if']).length === 0 ? schema['then'] : schema['else']
    if (branch !== undefined) problems.push(...check(branch))
  }
  if (
    typeof value === 'string' &&
    typeof schema['pattern'] === 'string' &&
    !new RegExp(schema['pattern']).test(value)
  ) {
    problems.push(`${here} can't be "${value}"`)
  }
  if (Array.isArray(value) && isObject(schema['items'])) {
    value.forEach((item: unknown, index) => problems.push(...check(schema['items'], item, `${at}[${index}]`)))
  }
  if (isObject(value)) problems.push(...findKeyProblems(schema, value, check, at))
  return problems
}

type Check = (part: unknown, each: unknown, path: string) => readonly string[]

function findKeyProblems(schema: Schema, value: Schema, check: Check, at: string): readonly string[] {
  const path = (key: string): string => (at === '' ? key : `${at}.${key}`)
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, unknown>>
  const patterns = Object.entries((schema['patternProperties'] ?? {}) as Readonly<Record<string, unknown>>)
  const others = schema['additionalProperties']
  const required = (schema['required'] ?? []) as readonly string[]
  const missing = required.filter((key) => !(key in value)).map((key) => `${path(key)} is missing`)
  const found = Object.entries(value).flatMap(([key, each]) => {
    const own = key in properties ? [properties[key]] : []
    const matching = patterns.filter(([pattern]) => new RegExp(pattern).test(key)).map(([, part]) => part)
    const parts = [...own, ...matching]
    if (parts.length > 0) return parts.flatMap((part) => (isObject(part) ? check(part, each, path(key)) : []))
    if (others === false) return [`${path(key)} is unknown`]
    return isObject(others) ? check(others, each, path(key)) : []
  })
  return [...missing, ...found]
}

function referred(whole: Schema, reference: string): unknown {
  const parts = reference.replace(/^#\//, '').split('/')
  return parts.reduce<unknown>((part, key) => (part as Schema | undefined)?.[key.replaceAll('~1', '/')], whole)
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    default:
      return typeof value === type
  }
}

/** How far into the value the first problem lies. */
function depth(problems: readonly string[]): number {
  return problems[0]?.split(/[.[]/).length ?? Number.MAX_SAFE_INTEGER
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
