import type { StandardSchemaV1 } from '@standard-schema/spec'
import { errors } from '../errors.ts'
import { suggest } from './did-you-mean.ts'
import type { ConfigDraft } from './draft.ts'
import { knownConfigKeys } from './json-schema.ts'
import { isPlainObject } from './plain-object.ts'
import { formatPath, type Path, type Problems } from './problems.ts'
import { describeIssue } from './schema-issue.ts'

/** What came of checking a configuration's shape. */
export interface CheckedShape {
  /** Whether everything at and below a path is right. */
  sound(path: Path): boolean
}

/** Checks keys, types and ranges of a whole configuration; whatever is wrong is among the problems. */
export async function checkShape(
  { value, form: written }: Pick<ConfigDraft, 'value' | 'form'>,
  problems: Pick<Problems, 'add'>,
): Promise<CheckedShape> {
  // Imported here, so that a command that loads no configuration does without it.
  const { crontabShape, listShape, mapShape } = await import('./shape.ts')
  const form = isPlainObject(value) && isPlainObject(value['plans']) ? 'map' : 'list'
  const ofList = written === 'crontab' ? crontabShape : listShape
  const { error } = (form === 'map' ? mapShape : ofList).safeParse(value)
  const issues = [...(error?.issues ?? []), ...(await drillIssues(value))]
  const wrong: Path[] = []
  for (const issue of issues.flatMap((each) => describeIssue(each, value))) {
    const { path } = issue
    wrong.push(path)
    if (issue.kind === 'unknown-key') {
      const known = await knownConfigKeys(path.slice(0, -1), form)
      const params = { key: issue.key, parent: formatPath(path.slice(0, -1)) }
      const suggestion = suggest(issue.key, known)
      problems.add(errors.CONFIG_UNKNOWN_KEY({ ...params, suggestion, known: known.join(', ') }), { path, part: 'key' })
    } else {
      const shown = path.length === 0 ? 'the configuration' : formatPath(path)
      problems.add(errors.CONFIG_VALUE({ path: shown, reason: issue.reason, fix: issue.suggestion?.trim() }), { path })
    }
  }
  return {
    sound: (path) =>
      !wrong.some((found) => path.every((part, index) => index >= found.length || found[index] === part)),
  }
}

/** Drills have a form of their own: a list, or a map. */
async function drillIssues(value: unknown): Promise<readonly StandardSchemaV1.Issue[]> {
  const drills = isPlainObject(value) ? value['drills'] : undefined
  if (drills === undefined) return []
  const { drillListShape, drillMapShape } = await import('./drill-shape.ts')
  const { error } = (isPlainObject(drills) ? drillMapShape : drillListShape).safeParse({ drills })
  return error?.issues ?? []
}
