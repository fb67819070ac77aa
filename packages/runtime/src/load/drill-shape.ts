// The shape of drills. They may be a list or a map, whatever plans are.
import * as z from 'zod/mini'
import { longerThanZero, schedule, text } from './shape.ts'

const isFunction = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function')
const optionValues = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
const optionsError = 'must be a map of texts, numbers and true or false, or a function that returns one'
const codeError =
  'must be a function, or the path of a module, a script or a directory of scripts, such as ./drills/shop'

const permission = z.strictObject({
  apiGroup: z.string(),
  resource: text,
  verbs: z.array(text).check(z.minLength(1)),
  scope: z.enum(['namespace', 'cluster']),
  why: text,
})

function settingsOf<Code extends z.core.$ZodType, Options extends z.core.$ZodType>(code: Code, options: Options) {
  return {
    plan: text,
    schedule: z.optional(schedule),
    select: z.optional(z.enum(['newest', 'random'])),
    target: z.optional(text),
    options: z.optional(options),
    bytes: z.optional(z.boolean()),
    expect: code,
    cleanup: z.optional(code),
    scratch: z.optional(
      z.string().check(z.refine((path) => path.startsWith('/'), { error: 'must be an absolute path' })),
    ),
    budget: z.optional(longerThanZero),
    timeouts: z.optional(z.strictObject({ expect: z.optional(longerThanZero), cleanup: z.optional(longerThanZero) })),
    permissions: z.optional(z.array(permission)),
    notify: z.optional(z.array(z.unknown())),
  }
}

const settings = settingsOf(
  z.union([text, isFunction], { error: codeError }),
  z.union([isFunction, optionValues], { error: optionsError }),
)
/** What a file can say that is no code. */
const written = settingsOf(text, optionValues)

/** Drills that are a list, each with its name. */
export const drillListShape = z.object({ drills: z.array(z.strictObject({ name: text, ...settings })) })

/** Drills that are a map from name to drill. */
export const drillMapShape = z.object({ drills: z.record(z.string(), z.strictObject(settings)) })

/** The same in YAML, for its schema. */
export const writtenDrills = {
  list: z.array(z.strictObject({ name: text, ...written })),
  map: z.record(z.string(), z.strictObject(written)),
}
