import * as z from 'zod'
import { errors } from '../errors.ts'
import type { BenjiVersion } from './version.ts'

const bytes = z.int().nonnegative()
const statistic = bytes.nullish().transform((value) => value ?? undefined)

// Members that a later Benji adds are let pass.
const versionSchema = z
  .object({
    uid: z.string().min(1),
    date: z
      .string()
      .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/)
      .transform((text) => new Date(text))
      .refine((date) => !Number.isNaN(date.getTime())),
    volume: z.string(),
    snapshot: z.string(),
    size: bytes,
    block_size: bytes,
    status: z.enum(['incomplete', 'valid', 'invalid']),
    protected: z.boolean(),
    storage: z.string(),
    labels: z.record(z.string(), z.string()),
    bytes_read: statistic,
    bytes_written: statistic,
    bytes_deduplicated: statistic,
    bytes_sparse: statistic,
    duration: statistic,
  })
  .transform((version): BenjiVersion => ({
    uid: version.uid,
    date: version.date,
    volume: version.volume,
    snapshot: version.snapshot,
    size: version.size,
    blockSize: version.block_size,
    status: version.status,
    protected: version.protected,
    storage: version.storage,
    labels: version.labels,
    bytesRead: version.bytes_read,
    bytesWritten: version.bytes_written,
    bytesDeduplicated: version.bytes_deduplicated,
    bytesSparse: version.bytes_sparse,
    durationSeconds: version.duration,
  }))

const listSchema = z.object({ versions: z.array(versionSchema) })
const scrubSchema = z.object({ versions: z.array(versionSchema), errors: z.array(versionSchema) })
const uidsSchema = z.array(z.string().min(1))

/** What `ls`, `backup` and `enforce` print. @throws HoldfastError `BENJI_OUTPUT` */
export function parseVersions(text: string, what: string): readonly BenjiVersion[] {
  return parse(listSchema, text, what).versions
}

/** What scrubs print. @throws HoldfastError `BENJI_OUTPUT` */
export function parseScrub(text: string, what: string): z.output<typeof scrubSchema> {
  return parse(scrubSchema, text, what)
}

/** What `metadata-ls` prints. @throws HoldfastError `BENJI_OUTPUT` */
export function parseUids(text: string, what: string): readonly string[] {
  return parse(uidsSchema, text, what)
}

/** All of it or nothing: a list with something left out is worse than an error. */
function parse<Schema extends z.ZodType>(schema: Schema, text: string, what: string): z.output<Schema> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const problem = text.trim() === '' ? 'nothing' : `no JSON: ${JSON.stringify(text.slice(0, 200))}`
    throw errors.BENJI_OUTPUT({ what, problem }, { cause })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const problem = issue === undefined ? 'something else' : `${issue.message} at ${issue.path.join('.') || 'its top'}`
  throw errors.BENJI_OUTPUT({ what, problem }, { cause: parsed.error })
}
