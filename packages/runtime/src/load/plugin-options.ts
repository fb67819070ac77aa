import type { StandardSchemaV1 } from '@standard-schema/spec'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { suggest } from './did-you-mean.ts'
import { inputSchema, knownKeys } from './json-schema.ts'
import { formatPath, type Path, type Problems } from './problems.ts'
import { describeIssue } from './schema-issue.ts'

/** What a plugin made of its options. */
export interface ValidatedOptions {
  readonly value: unknown
}

/**
 * Validates a plugin's options by its own schema.
 *
 * @param path - where the options are
 * @returns `undefined` when they are not valid; every issue is among the problems
 */
export async function validateOptions(
  plugin: string,
  schema: StandardSchemaV1,
  options: unknown,
  path: Path,
  problems: Pick<Problems, 'add'>,
): Promise<ValidatedOptions | undefined> {
  let result: StandardSchemaV1.Result<unknown>
  try {
    result = await schema['~standard'].validate(options)
  } catch (error) {
    const reason = `can't be checked: ${reasonOf(error)}`
    problems.add(errors.PLUGIN_OPTIONS_INVALID({ plugin, path: 'its options', reason }, { cause: error }), { path })
    return undefined
  }
  if (result.issues === undefined) return { value: result.value }
  const json = inputSchema(schema)
  for (const issue of result.issues.flatMap((found) => describeIssue(found, options))) {
    const known = json && knownKeys(json, issue.path.slice(0, -1))
    const key = issue.path.at(-1)
    // Schemas that don't say that a key is unknown say that its value should not be there.
    const isUnknown =
      issue.kind === 'unknown-key' || (known !== undefined && typeof key === 'string' && !known.includes(key))
    const shown = issue.path.length === 0 ? 'what it was given' : formatPath(issue.path)
    const params = isUnknown
      ? { reason: 'is no option of it', suggestion: suggestOption(String(key), known) }
      : { reason: issue.reason, suggestion: issue.suggestion }
    problems.add(errors.PLUGIN_OPTIONS_INVALID({ plugin, path: shown, ...params }), {
      path: [...path, ...issue.path],
      part: isUnknown ? 'key' : 'value',
    })
  }
  return undefined
}

function suggestOption(key: string, known: readonly string[] | undefined): string | undefined {
  return known && `${suggest(key, known)}Its options here: ${known.join(', ')}. `
}
