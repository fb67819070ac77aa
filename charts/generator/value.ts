/** A JSON Schema, draft-07. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** A value of the chart: what `values.yaml`, `values.schema.json` and the table in the README say about it. */
export interface Value {
  /** For the person who sets it. */
  readonly description: string
  /** Of a value without {@link Value.fields}. */
  readonly schema?: JsonSchema
  /** Without one it isn't set, and `values.yaml` shows it as a comment. */
  readonly default?: unknown
  /** YAML that shows how it may be set. */
  readonly example?: string
  readonly fields?: Values
}

/** Values by name, in the order in which they are shown. */
export type Values = Readonly<Record<string, Value>>

/** Text, one line. */
export function text(description: string, options: Omit<Value, 'description'> = {}): Value {
  return { description, schema: { type: 'string' }, default: '', ...options }
}

/** One of a few words. */
export function oneOf(words: readonly string[], description: string, initially?: string): Value {
  return { description, schema: { enum: words }, default: initially }
}

/** True or false. */
export function flag(description: string, initially: boolean): Value {
  return { description, schema: { type: 'boolean' }, default: initially }
}

/** A whole number; without a default it isn't set. */
export function count(description: string, initially?: number, minimum = 0): Value {
  return { description, schema: { type: 'integer', minimum }, default: initially }
}

/** A part of a Kubernetes object, by the name of its model. */
export function part(model: string, description: string, options: Partial<Value> = {}): Value {
  return { description, schema: { $ref: `#/definitions/${model}` }, default: {}, ...options }
}

/** A list of parts of Kubernetes objects. */
export function parts(model: string, description: string, options: Partial<Value> = {}): Value {
  return { description, schema: listOf({ $ref: `#/definitions/${model}` }), default: [], ...options }
}

/** Text by name: labels and annotations. */
export function texts(description: string): Value {
  return { description, schema: mapOf({ type: 'string' }), default: {} }
}

/** Values that belong together. */
export function group(description: string, fields: Values): Value {
  return { description, fields }
}

/** The schema of a list. */
export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}

/** The schema of a map. */
export function mapOf(entry: JsonSchema): JsonSchema {
  return { type: 'object', additionalProperties: entry }
}

/** The schema of an object that has these fields and no others. */
export function objectOf(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  }
}
