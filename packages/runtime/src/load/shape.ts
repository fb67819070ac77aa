// The shape of a configuration, whatever it is written in. `zod/mini`, because it shrinks to what is used when bundled
// (1 MB of memory; all of zod is 18 MB).
import { isDuration, parseDuration } from '@holdfast/sdk'
import * as z from 'zod/mini'
import { listenForms, parseListenAddress } from '../telemetry/listen-address.ts'
import { gatewayForms, parseGateway } from '../telemetry/push/gateway-address.ts'

const durationText = /^\d+(\.\d+)?(ms|s|m|h|d)$/
const durationError = "must be a duration: milliseconds, or a number with ms, s, m, h or d, such as '5m'"

const anyDuration = z.union(
  [z.number().check(z.gte(0, { abort: true })), z.string().check(z.regex(durationText, { abort: true }))],
  { error: durationError },
)
const duration = anyDuration.check(z.refine((value) => isDuration(value), { error: durationError }))
/** A duration that is one. */
export const longerThanZero = anyDuration.check(
  z.refine((value) => isDuration(value) && parseDuration(value) > 0, { error: 'must be a duration longer than 0' }),
)

const listenError = `must be ${listenForms}`

/** A text that says something. */
export const text = z.string().check(z.minLength(1))
const count = z.int().check(z.gte(0))

/** Where a secret is. */
export const secretRef = z.union([z.strictObject({ env: text }), z.strictObject({ file: text })], {
  error: 'must be a reference: { env: NAME } or { file: PATH }, never the secret itself',
})

const hostForms =
  'a name such as holdfast.example.com, .example.com for every one below it, or *, without scheme or port'
const host = z.string().check(z.regex(/^(?:\*|\.?[\w-]+(?:\.[\w-]+)*)$/, { error: `must be ${hostForms}` }))

const reference = 'a reference: { env: NAME } or { file: PATH }'
const gateway = z.string().check(
  z.refine((value) => parseGateway(value) !== undefined, { error: `must be ${gatewayForms}, or ${reference}` }),
  z.refine((value) => !parseGateway(value)?.password, { error: `holds a password, so it must be ${reference}` }),
)

/** When something runs by itself. */
export const schedule = z.strictObject({
  cron: z.string(),
  timeZone: z.optional(z.string()),
  jitter: z.optional(duration),
  overlap: z.optional(z.enum(['skip', 'queue', 'replace'])),
  misfire: z.optional(z.enum(['skip', 'run-once'])),
  paused: z.optional(z.boolean()),
})

const encoding = z.strictObject({
  compression: z.optional(z.enum(['zstd', 'gzip', 'none'])),
  recipients: z.optional(z.array(z.string())),
  identity: z.optional(secretRef),
})

const retry = z.strictObject({ attempts: z.int().check(z.gte(1)), backoff: z.optional(duration) })

const retention = z
  .strictObject({
    latest: z.optional(count),
    hours: z.optional(count),
    days: z.optional(count),
    weeks: z.optional(count),
    months: z.optional(count),
    years: z.optional(count),
  })
  .check(
    z.refine((value) => Object.values(value).some((kept) => (kept ?? 0) > 0), {
      error: 'keeps nothing: say how many to keep, such as { latest: 3, days: 14 }',
    }),
  )

const planSettings = {
  schedule: z.optional(schedule),
  use: z.array(z.unknown()).check(z.minLength(1)),
  concurrency: z.optional(z.int().check(z.gte(1))),
  budget: z.optional(longerThanZero),
  retry: z.optional(retry),
  retention: z.optional(retention),
  allowEmpty: z.optional(z.boolean()),
  encoding: z.optional(encoding),
  copies: z.optional(z.array(z.unknown())),
  /** Their shapes are their own: notify-shape.ts. */
  notify: z.optional(z.array(z.unknown())),
}

const plan = z.strictObject(planSettings)
const namedPlan = z.strictObject({ name: z.string(), ...planSettings })

const settings = {
  instance: z.optional(z.string()),
  storage: z.optional(z.unknown()),
  encoding: z.optional(encoding),
  copies: z.optional(z.array(z.unknown())),
  notify: z.optional(z.array(z.unknown())),
  metrics: z.optional(
    z.strictObject({
      listen: z.optional(
        z.union(
          [
            z.string().check(z.refine((value) => parseListenAddress(value) !== undefined, { error: listenError })),
            z.int().check(z.gte(0), z.lte(65_535)),
          ],
          { error: listenError },
        ),
      ),
      allowedHosts: z.optional(z.array(host)),
      pushgateway: z.optional(z.union([gateway, secretRef])),
    }),
  ),
  replicas: z.optional(z.enum(['each', 'leader'])),
  undoMirror: z.optional(z.enum(['on', 'off'])),
  /** Their shape is their own: drill-shape.ts. */
  drills: z.optional(z.unknown()),
}

/** A configuration whose plans are a list, each with its name. */
export const listShape = z.strictObject({ ...settings, plans: z.array(namedPlan).check(z.minLength(1)) })

/** The same of a crontab: one without a line is there to be filled. */
export const crontabShape = z.strictObject({ ...settings, plans: z.array(namedPlan) })

/** A configuration whose plans are a map from name to plan. */
export const mapShape = z.strictObject({ ...settings, plans: z.record(z.string(), plan) })

/** What a hook may be other than a function. */
export const hookEntryShape = z.strictObject({
  handler: z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function', {
    error: 'must be a function',
  }),
  order: z.optional(z.enum(['pre', 'post'])),
  timeout: z.optional(longerThanZero),
  retry: z.optional(retry),
})
