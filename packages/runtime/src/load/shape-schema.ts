import * as z from 'zod/mini'
import { writtenDrills } from './drill-shape.ts'
import { writtenNotifiers, writtenSettings } from './notify-shape.ts'
import { listShape, mapShape } from './shape.ts'

/** The shape whose plans are a list, as JSON Schema. */
export function listSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(listShape, options)
}

/** The shape whose plans are a map, as JSON Schema. */
export function mapSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(mapShape, options)
}

/** Drills in YAML, as JSON Schema: a list, or a map. */
export function drillSchemas(): {
  readonly list: Readonly<Record<string, unknown>>
  readonly map: Readonly<Record<string, unknown>>
} {
  return { list: z.toJSONSchema(writtenDrills.list, options), map: z.toJSONSchema(writtenDrills.map, options) }
}

/** Notifiers in YAML, as JSON Schema: ours, and the settings of any. */
export function notifierSchemas(): {
  readonly ours: readonly Readonly<Record<string, unknown>>[]
  readonly settings: Readonly<Record<string, unknown>>
} {
  const ours = writtenNotifiers.map((shape) => withoutDialect(z.toJSONSchema(shape, options)))
  return { ours, settings: withoutDialect(z.toJSONSchema(writtenSettings, options)) }
}

/** It is a part of a schema that says which dialect it is in. */
function withoutDialect({
  $schema: _,
  ...schema
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return schema
}

const options = { target: 'draft-7', io: 'input', unrepresentable: 'any' } as const
