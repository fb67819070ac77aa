import * as z from 'zod/mini'
import { listShape, mapShape } from './shape.ts'

/** The shape whose plans are a list, as JSON Schema. */
export function listSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(listShape, options)
}

/** The shape whose plans are a map, as JSON Schema. */
export function mapSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(mapShape, options)
}

const options = { target: 'draft-7', io: 'input', unrepresentable: 'any' } as const
