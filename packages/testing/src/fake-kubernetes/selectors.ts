import type { KubernetesObject } from '@holdfast/sdk'
import type { FakeKind } from './kinds.ts'
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
  if (!exists) throw badRequest(`unable to parse requirement: found '${text}', expected: in, notin, =, ==, !=, gt, lt`)
  const [, not, key = ''] = exists
  return (labels) => key in labels === (not === '')
}

const podFields = ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName']
/** Fields that can be selected by, besides name and namespace. */
const selectable: Readonly<Record<string, readonly string[]>> = {
  pods: [...podFields, 'spec.hostNetwork', 'status.phase', 'status.podIP', 'status.nominatedNodeName'],
  events: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].flatMap((field) => [
      `involvedObject.${field}`,
      `regarding.${field}`,
    ]),
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  jobs: ['status.successful'],
  namespaces: ['status.phase'],
  nodes: ['spec.unschedulable'],
  secrets: ['type'],
}

/**
 * A `fieldSelector`: `status.phase=Running`, `metadata.name!=x`, joined by commas.
 *
 * @throws StatusError 400 when it can't be read, or the kind can't be selected by that field
 */
export function fieldSelector({ resource }: Pick<FakeKind, 'resource'>, text: string): Selector {
  const terms = text.split(',').filter((each) => each !== '')
  const requirements = terms.map((term) => {
    const parts = /^([\w.]+)(==?|!=)(.*)$/.exec(term)
    if (!parts) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, path = '', operator, value] = parts
    const known = selectable[resource] ?? []
    if (path !== 'metadata.name' && path !== 'metadata.namespace' && !known.includes(path)) {
      throw badRequest(
        known.length > 0
          ? `field label not supported: ${path}`
          : `"${path}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
      )
    }
    return (object: KubernetesObject) => (fieldOf(object, path) === value) === (operator !== '!=')
  })
  return (object) => requirements.every((matches) => matches(object))
}

function fieldOf(object: unknown, path: string): string {
  let value: unknown = object
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key]
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value)
}
