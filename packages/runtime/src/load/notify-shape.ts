// The shape of notifiers: what all of them can be told, and the options of those that come along.
import * as z from 'zod/mini'
import { longerThanZero, secretRef, text } from './shape.ts'

const isFunction = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function')
const template = z.union([text, isFunction], { error: 'must be a text, or a function' })

/** What a notifier may tell of. */
export const occasions = ['start', 'success', 'failure', 'partial', 'recovery', 'stale', 'undo'] as const

const name = z
  .string()
  .check(z.regex(/^[A-Za-z0-9][\w.-]{0,62}$/, { error: 'must be at most 63 letters, digits, and ". _ -"' }))

const settings = {
  name: z.optional(name),
  on: z.optional(z.array(z.enum(occasions)).check(z.minLength(1))),
  errorTexts: z.optional(z.boolean()),
  subject: z.optional(template),
  text: z.optional(template),
  timeout: z.optional(longerThanZero),
}

/** What all notifiers can be told. */
export const notifierSettings = z.strictObject(settings)

const address = z.string().check(
  z.refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
    error: 'must be a URL that begins with https:// or http://, or a reference: { env: NAME } or { file: PATH }',
  }),
  z.refine((value) => !URL.canParse(value) || new URL(value).password === '', {
    error: 'holds a password, so it must be a reference: { env: NAME } or { file: PATH }',
  }),
)
const url = z.union([address, secretRef])
const mailboxError = 'must be an address of mail, or a reference to one: { env: NAME } or { file: PATH }'
const mailbox = z.union([z.string().check(z.regex(/^[^\r\n]+@[^\r\n]+$/, { error: mailboxError })), secretRef], {
  error: mailboxError,
})

const json = z.union([z.json(), isFunction], { error: 'must be JSON, or a function that returns some' })

const webhookSettings = {
  url,
  method: z.optional(z.enum(['POST', 'PUT'])),
  headers: z.optional(z.record(z.string().check(z.regex(/^[\w!#$%&'*+.^`|~-]+$/)), z.union([text, secretRef]))),
  ca: z.optional(text),
}
const webhook = z.strictObject({ ...webhookSettings, body: z.optional(json) })

const slack = z.strictObject({
  url: secretRef,
  channel: z.optional(text),
  username: z.optional(text),
  ca: z.optional(text),
})

const email = z
  .strictObject({
    host: text,
    port: z.optional(z.int().check(z.gte(1), z.lte(65_535))),
    security: z.optional(z.enum(['starttls', 'tls', 'none'])),
    user: z.optional(z.union([text, secretRef])),
    password: z.optional(secretRef),
    from: mailbox,
    to: z.union([mailbox, z.array(mailbox).check(z.minLength(1))], { error: mailboxError }),
    ca: z.optional(text),
  })
  .check(
    z.refine(({ user, password }) => (user === undefined) === (password === undefined), {
      error: 'must have both `user` and `password`, or neither',
    }),
    z.refine(({ password, security }) => password === undefined || security !== 'none', {
      error: 'would send the password for everybody to read: `security` must be starttls or tls',
    }),
  )

const ping = z
  .strictObject({
    url: z.optional(url),
    path: z.optional(text),
    start: z.optional(url),
    success: z.optional(url),
    fail: z.optional(url),
    method: z.optional(z.enum(['GET', 'HEAD', 'POST'])),
    ca: z.optional(text),
  })
  .check(
    z.refine(({ url: base, start, success, fail }) => (base ?? start ?? success ?? fail) !== undefined, {
      error: 'must have a `url`, or at least one of `start`, `success` and `fail`',
    }),
    z.refine(
      ({ url: base, path, start, success, fail }) =>
        path === undefined || base !== undefined || (start ?? success ?? fail) === undefined,
      {
        error: 'has a `path` and no `url` that it would follow',
      },
    ),
  )

/** The options of the notifiers that come along. */
export const notifierShapes = { webhook, slack, email, ping }

/** The names of the options of one that comes along; `undefined` for any other. */
export function optionNames(kind: string): readonly string[] | undefined {
  return Object.hasOwn(notifierShapes, kind)
    ? Object.keys(notifierShapes[kind as keyof typeof notifierShapes].shape)
    : undefined
}

/** What a file can say that is no code. */
const written = { ...settings, subject: z.optional(text), text: z.optional(text) }
// JSON of any kind has a schema that refers to itself, and says nothing.
const writtenShapes = {
  ...notifierShapes,
  webhook: z.strictObject({ ...webhookSettings, body: z.optional(z.unknown()) }),
}

/** Our notifiers in YAML, for its schema. */
export const writtenNotifiers = Object.entries(writtenShapes).map(([kind, options]) =>
  z.strictObject({ [kind]: options, ...written }),
)

/** The settings of a notifier in YAML, for its schema. */
export const writtenSettings = z.strictObject(written)
