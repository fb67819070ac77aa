import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { NotifierInternals } from '@holdfast/sdk/internal'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { suggest } from './did-you-mean.ts'
import { inputSchema, knownKeys } from './json-schema.ts'
import { formatPath, type Path, type Problems } from './problems.ts'
import { describeIssue } from './schema-issue.ts'

/** What is validated. */
export interface WrittenNotifier extends NotifierInternals {
  readonly kind: string
  readonly path: Path
  readonly optionsPath: Path
}

/**
 * Validates what a notifier was given: its options by its own schema, and its settings by ours.
 *
 * @returns `undefined` when something is wrong; all of it is among the problems
 */
export async function validateNotifier(
  { kind, definition, options, settings, path, optionsPath }: WrittenNotifier,
  problems: Pick<Problems, 'add'>,
): Promise<{ readonly config: unknown } | undefined> {
  const { notifierSettings, notifierShapes, optionNames } = await import('./notify-shape.ts')
  const own = (notifierShapes as Readonly<Record<string, StandardSchemaV1>>)[kind]
  const schema = definition?.config ?? own
  const { issues: wrongSettings } = await notifierSettings['~standard'].validate(settings)
  report(wrongSettings ?? [], settings, path, () => Object.keys(notifierSettings.shape))
  if (!schema) return undefined
  try {
    const result = await schema['~standard'].validate(options)
    report(result.issues ?? [], options, optionsPath, (at) => namesAt(schema, at) ?? optionNames(kind) ?? [])
    return result.issues || wrongSettings ? undefined : { config: result.value }
  } catch (error) {
    const reason = `its options can't be checked: ${reasonOf(error)}`
    problems.add(errors.NOTIFIER_OPTIONS({ notifier: kind, reason }, { cause: error }), { path: optionsPath })
    return undefined
  }

  function report(
    issues: readonly StandardSchemaV1.Issue[],
    value: unknown,
    from: Path,
    namesOf: (at: Path) => readonly string[],
  ): void {
    for (const issue of issues.flatMap((found) => describeIssue(found, value))) {
      const where = { path: [...from, ...issue.path], part: issue.kind === 'unknown-key' ? 'key' : 'value' } as const
      if (issue.kind === 'unknown-key') {
        const known = namesOf(issue.path.slice(0, -1))
        const reason = `unknown key "${issue.key}"`
        const suggestion = `${suggest(issue.key, known)}${known.length > 0 ? `Known here: ${known.join(', ')}. ` : ''}`
        problems.add(errors.NOTIFIER_OPTIONS({ notifier: kind, reason, suggestion }), where)
      } else {
        const shown = issue.path.length === 0 ? 'it' : formatPath(issue.path)
        const { suggestion } = issue
        problems.add(errors.NOTIFIER_OPTIONS({ notifier: kind, reason: `${shown} ${issue.reason}`, suggestion }), where)
      }
    }
  }
}

/** The keys that a schema knows, if it can say. */
function namesAt(schema: StandardSchemaV1, at: Path): readonly string[] | undefined {
  const json = inputSchema(schema)
  return json && knownKeys(json, at)
}
