import * as z from 'zod'
import { errors } from '../errors.ts'

// rbd prints some truths as text.
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])

/** `rbd snap ls --format=json`. */
export const snapshotsSchema = z.array(
  z.object({ id: z.int(), name: z.string(), size: z.int().nonnegative(), protected: flag.default(false) }),
)

/** `rbd info --format=json`. */
export const infoSchema = z.object({ size: z.int().nonnegative(), id: z.string() })

/** `rbd du --format=json`: an entry for each snapshot, and one for the image. */
export const usageSchema = z.object({ images: z.array(z.object({ used_size: z.int().nonnegative() })) })

/** `rbd status --format=json`. */
export const statusSchema = z.object({ watchers: z.array(z.object({ address: z.string() })).default([]) })

/**
 * Reads what `rbd` printed.
 *
 * @throws HoldfastError `RBD_OUTPUT`
 */
export function parseOutput<Schema extends z.ZodType>(schema: Schema, text: string, what: string): z.output<Schema> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw errors.RBD_OUTPUT({ what, problem: `no JSON: ${excerpt(text)}` }, { cause })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw errors.RBD_OUTPUT({ what, problem: z.prettifyError(parsed.error) }, { cause: parsed.error })
}

function excerpt(text: string): string {
  return text === '' ? 'nothing at all' : JSON.stringify(text.slice(0, 200))
}
