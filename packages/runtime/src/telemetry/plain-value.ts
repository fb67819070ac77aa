import { isHoldfastError, isSecret } from '@holdfast/sdk'
import { secretAsText } from '@holdfast/sdk/internal'

/** Options of {@link plainValue}. */
export interface PlainValueOptions {
  /** Whether errors keep their stack. @defaultValue false */
  readonly stack?: boolean | undefined
}

/** Deeper values are only named: nobody reads them in a log line, and cycles end here at the latest. */
const deepest = 8
const mostEntries = 1000

/**
 * A value as plain data: every string passed through `text`, errors as objects with code, message, hint, details and
 * cause chain, what JSON has no word for as a string. Keys are kept. Never throws.
 */
export function plainValue(value: unknown, text: (value: string) => string, options: PlainValueOptions = {}): unknown {
  const above = new Set<object>()

  const object = (input: object, depth: number): unknown => {
    if (isSecret(input)) return secretAsText
    if (input instanceof Date) return Number.isNaN(input.getTime()) ? 'Invalid Date' : input.toISOString()
    if (ArrayBuffer.isView(input)) return `[${input.byteLength} bytes]`
    if (input instanceof URL || input instanceof RegExp) return text(String(input))
    if (input instanceof Error) return record(errorFields(input, options), depth)
    if ('toJSON' in input && typeof input.toJSON === 'function') return any(input.toJSON(''), depth)
    if (input instanceof Map) return record(Object.fromEntries(entriesOf(input)), depth)
    if (input instanceof Set || Array.isArray(input)) return list([...input], depth)
    return record(input, depth)
  }

  const list = (input: readonly unknown[], depth: number): unknown[] => {
    const items = input.slice(0, mostEntries).map((item) => any(item, depth))
    return input.length > mostEntries ? [...items, `[${input.length - mostEntries} entries cut]`] : items
  }

  const record = (input: object, depth: number): Record<string, unknown> => {
    const out: Record<string, unknown> = {}
    const entries = Object.entries(input)
    for (const [key, field] of entries.slice(0, mostEntries)) {
      if (field !== undefined && typeof field !== 'function') out[key] = any(field, depth)
    }
    if (entries.length > mostEntries) out['cut'] = `[${entries.length - mostEntries} entries cut]`
    return out
  }

  const any = (input: unknown, depth: number): unknown => {
    if (typeof input === 'string') return text(input)
    if (typeof input === 'bigint' || typeof input === 'symbol') return text(String(input))
    if (typeof input === 'number') return Number.isFinite(input) ? input : String(input)
    if (typeof input === 'function') return '[function]'
    if (typeof input !== 'object' || input === null) return input
    if (above.has(input)) return '[circular]'
    if (depth >= deepest) return Array.isArray(input) ? '[array]' : '[object]'
    above.add(input)
    try {
      return object(input, depth + 1)
    } catch {
      // A getter or toJSON of somebody else's object: a log line must not fail for it.
      return '[unreadable]'
    } finally {
      above.delete(input)
    }
  }

  return any(value, 0)
}

function entriesOf(map: ReadonlyMap<unknown, unknown>): [string, unknown][] {
  return [...map].map(([key, field]) => [String(key), field])
}

/** What a person needs of an error: for ours all it says, for others also what the system call was about. */
function errorFields(error: Error & { code?: unknown }, options: PlainValueOptions): Record<string, unknown> {
  const { message, stack, cause } = error
  const fields: Record<string, unknown> = { code: error.code, message }
  if (isHoldfastError(error)) {
    const { hint, plugin, hook, target, run, details } = error
    Object.assign(fields, { hint, plugin, hook, target, run })
    if (Object.keys(details).length > 0) fields['details'] = details
  } else {
    if (error.name !== 'Error') fields['name'] = error.name
    for (const key of ['errno', 'syscall', 'path', 'address', 'port', 'statusCode', 'hint'] as const) {
      fields[key] = (error as unknown as Record<string, unknown>)[key]
    }
  }
  if (cause !== undefined) fields['cause'] = cause
  if (error instanceof AggregateError) fields['errors'] = error.errors
  if (options.stack) fields['stack'] = stack
  return fields
}
