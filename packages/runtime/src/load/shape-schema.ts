import * as z from 'zod/mini'
import { writtenDrills } from './drill-shape.ts'
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

const options = { target: 'draft-7', io: 'input', unrepresentable: 'any' } as const
