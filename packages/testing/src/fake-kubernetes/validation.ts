// The checks of a real server that clients of backups run into; not all that it has.
import type { KubernetesObject } from '@holdfast/sdk'
import type { FakeKind } from './kinds.ts'
import { badRequest, invalid, type FieldError } from './status.ts'

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const label = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/
const dataKey = /^[-._a-zA-Z0-9]+$/
const mebibyte = 1_048_576

/**
 * @throws StatusError 422 where the object breaks a rule, 400 where it can't even be read
 */
export function validate(kind: FakeKind, object: KubernetesObject, before?: KubernetesObject): void {
  readTimes(kind, object)
  const problems = [
    ...nameProblems(kind, object),
    ...labelProblems(object),
    ...dataProblems(kind, object),
    ...immutableProblems(object, before),
  ]
  if (kind.group === '' && kind.resource === 'events') problems.push(...eventProblems(object))
  if (problems.length > 0) throw invalid(kind, object.metadata.name, problems)
}

function nameProblems({ group }: FakeKind, { metadata: { name } }: KubernetesObject): FieldError[] {
  // Names of roles may be anything that a path can have.
  const isRole = group === 'rbac.authorization.k8s.io'
  if (isRole ? !/[/%]/.test(name) : subdomain.test(name) && name.length <= 253) return []
  const rule = isRole
    ? `may not contain '/' or '%'`
    : `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`
  return [{ field: 'metadata.name', reason: 'FieldValueInvalid', message: `Invalid value: "${name}": ${rule}` }]
}

function labelProblems({ metadata: { labels = {} } }: KubernetesObject): FieldError[] {
  return Object.values(labels).flatMap((value): FieldError[] => {
    if (label.test(value) && value.length <= 63) return []
    const rule =
      value.length > 63
        ? 'must be no more than 63 characters'
        : `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`
    return [{ field: 'metadata.labels', reason: 'FieldValueInvalid', message: `Invalid value: "${value}": ${rule}` }]
  })
}

function dataProblems({ resource }: FakeKind, object: KubernetesObject): FieldError[] {
  if (resource !== 'configmaps' && resource !== 'secrets') return []
  const plain = Object.entries((object['data'] ?? {}) as Readonly<Record<string, string>>)
  const binary = Object.entries((object['binaryData'] ?? {}) as Readonly<Record<string, string>>)
  const problems = [...plain, ...binary].flatMap(([key]): FieldError[] => {
    if (dataKey.test(key) && key.length <= 253) return []
    const message = `Invalid value: "${key}": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`
    return [{ field: `data[${key}]`, reason: 'FieldValueInvalid', message }]
  })
  const plainBytes = ([, value]: [string, string]): number =>
    resource === 'secrets' ? Buffer.from(value, 'base64').length : Buffer.byteLength(value)
  const size =
    plain.reduce((sum, entry) => sum + plainBytes(entry), 0) +
    binary.reduce((sum, [, value]) => sum + Buffer.from(value, 'base64').length, 0)
  if (size <= mebibyte) return problems
  const field = resource === 'secrets' ? 'data' : '[]'
  return [
    ...problems,
    { field, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${mebibyte} bytes` },
  ]
}

function immutableProblems(object: KubernetesObject, before: KubernetesObject | undefined): FieldError[] {
  if (before?.['immutable'] !== true) return []
  const changed = ['data', 'binaryData', 'immutable'].filter(
    (field) => JSON.stringify(object[field]) !== JSON.stringify(before[field]),
  )
  const message = 'Forbidden: field is immutable when `immutable` is set'
  return changed.map((field) => ({ field, reason: 'FieldValueForbidden', message }))
}

function eventProblems(object: KubernetesObject): FieldError[] {
  const about = (object['involvedObject'] ?? {}) as { readonly namespace?: string }
  const expected = about.namespace ?? 'default'
  if (object.metadata.namespace === expected) return []
  const message = `Invalid value: "${about.namespace ?? ''}": does not match event.namespace`
  return [{ field: 'involvedObject.namespace', reason: 'FieldValueInvalid', message }]
}

const microTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/

/** Go reads these times only with six digits after the point, which a JavaScript Date doesn't write. */
function readTimes(kind: FakeKind, object: KubernetesObject): void {
  const spec = (object['spec'] ?? {}) as Readonly<Record<string, unknown>>
  const times =
    kind.resource === 'leases'
      ? [spec['renewTime'], spec['acquireTime']]
      : kind.resource === 'events'
        ? [object['eventTime']]
        : []
  for (const time of times) {
    if (typeof time !== 'string' || microTime.test(time)) continue
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: parsing time "${time}" as ` +
        `"2006-01-02T15:04:05.000000Z07:00": cannot parse ${/^.{19}\.\d{7}/.test(time) ? `"${time.slice(26)}" as "Z07:00"` : `"${time.slice(19)}" as ".000000"`}`,
    )
  }
}
