import type { KubernetesObject } from '@holdfast/sdk'
import { badRequest } from './status.ts'

/** Whether an object is meant. */
export type Selector = (object: KubernetesObject) => boolean

/**
 * A `labelSelector`: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas.
 *
 * @throws StatusError 400 when it can't be read
 */
export function labelSelector(text: string): Selector {
  const requirements = text
    .split(/,(?![^(]*\))/)
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map(requirement)
  return ({ metadata: { labels = {} } }) => requirements.every((matches) => matches(labels))
}

type Requirement = (labels: Readonly<Record<string, string>>) => boolean

function requirement(text: string): Requirement {
  const set = /^([^\s!=(),]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text)
  if (set) {
    const [, key = '', operator, list = ''] = set
    const values = list.split(',').map((each) => each.trim())
    return (labels) => values.includes(labels[key] ?? '\0') === (operator === 'in')
  }
  const equal = /^([^\s!=(),]+)\s*(==?|!=)\s*([^\s!=(),]*)$/.exec(text)
  if (equal) {
    const [, key = '', operator, value] = equal
    return (labels) => (labels[key] === value) === (operator !== '!=')
  }
  const exists = /^(!?)\s*([^\s!=(),]+)$/.exec(text)
  if (!exists) throw badRequest(`unable to parse requirement: found '${text}', expected: identifier`)
  const [, not, key = ''] = exists
  return (labels) => key in labels === (not === '')
}

/**
 * A `fieldSelector`: `status.phase=Running`, `metadata.name!=x`, joined by commas. Any path of plain fields is read, more
 * than a real server has indexed.
 *
 * @throws StatusError 400 when it can't be read
 */
export function fieldSelector(text: string): Selector {
  const terms = text.split(',').filter((each) => each !== '')
  const requirements = terms.map((term) => {
    const parts = /^([\w.]+)(==?|!=)(.*)$/.exec(term)
    if (!parts) throw badRequest(`Unable to find "${term}" that match label selector`)
    const [, path = '', operator, value] = parts
    return (object: KubernetesObject) => (fieldOf(object, path) === value) === (operator !== '!=')
  })
  return (object) => requirements.every((matches) => matches(object))
}

function fieldOf(object: unknown, path: string): string {
  let value: unknown = object
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key]
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value)
}
