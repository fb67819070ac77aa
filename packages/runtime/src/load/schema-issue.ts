import type { StandardSchemaV1 } from '@standard-schema/spec'
import { didYouMean } from './did-you-mean.ts'
import type { Path } from './problems.ts'

/** One thing that a schema found, in our words. */
export type SchemaIssue =
  | { readonly kind: 'unknown-key'; readonly path: Path; readonly key: string }
  | {
      readonly kind: 'value'
      readonly path: Path
      /** Follows the path: `must be a number, not text`. */
      readonly reason: string
      readonly suggestion: string | undefined
    }

// What zod says beyond the standard.
interface ZodIssue extends StandardSchemaV1.Issue {
  readonly code?: string
  readonly keys?: readonly string[]
  readonly expected?: string
  readonly values?: readonly unknown[]
  readonly minimum?: number
  readonly origin?: string
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
  function: 'a function',
  null: 'empty',
  undefined: 'absent',
}

/**
 * Puts what a Standard Schema found into words. Values are never repeated, but for misspelt ones of a fixed set: an
 * option may hold a secret by mistake.
 *
 * @param value - what was validated
 */
export function describeIssue(issue: StandardSchemaV1.Issue, value: unknown): readonly SchemaIssue[] {
  const { code, keys, expected, values, minimum, origin } = issue as ZodIssue
  const path = (issue.path ?? []).map((part) => pathPart(typeof part === 'object' ? part.key : part))
  if (code === 'unrecognized_keys' && keys !== undefined) {
    return keys.map((key) => ({ kind: 'unknown-key', path: [...path, key], key }))
  }
  const found = valueAt(value, path)
  const say = (reason: string, suggestion?: string): readonly SchemaIssue[] => [
    { kind: 'value', path, reason, suggestion },
  ]
  if (found === undefined && path.length > 0 && code !== 'custom') return say('is missing')
  if (code === 'invalid_type' && expected !== undefined) {
    return say(`must be ${kinds[expected] ?? expected}, not ${kindOf(found)}`)
  }
  if (code === 'invalid_value' && values !== undefined) {
    const words = values.map(String)
    const meant = typeof found === 'string' ? didYouMean(found, words) : undefined
    return say(`must be ${oneOf(words)}`, meant === undefined ? undefined : `Did you mean "${meant}"? `)
  }
  if (code === 'too_small' && minimum !== undefined) {
    if (origin === 'array') return say('must not be an empty list')
    return say(origin === 'string' ? 'must not be empty' : `must be at least ${minimum}`)
  }
  // A message that begins in lower case goes on from the path, as ours do.
  return say(/^[a-z]/.test(issue.message) ? issue.message : `is not valid: ${issue.message}`)
}

function pathPart(part: PropertyKey): string | number {
  return typeof part === 'symbol' ? String(part) : part
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? `"${words[0]}"` : `one of ${words.map((word) => `"${word}"`).join(', ')}`
}

/** What is at a path; `undefined` when nothing is. */
export function valueAt(value: unknown, path: Path): unknown {
  let found = value
  for (const part of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined
    found = (found as Record<string | number, unknown>)[part]
  }
  return found
}

/** The kind of a value, for people. */
export function kindOf(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number' && Number.isNaN(value)) return 'not a number'
  const name = typeof value
  return kinds[name] ?? name
}
