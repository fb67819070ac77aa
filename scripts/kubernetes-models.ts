// Checks Kubernetes objects without a cluster, against the models of the client that we use: every field must be known,
// be of the right type, and be there if it must. They know no rules beyond that (names, formats, what excludes what).
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as everyModel from '@kubernetes/client-node/dist/gen/models/all.js'
import { monitoringModels } from './monitoring-models.ts'

/** A field of a model. */
export interface Field {
  readonly name: string
  /** `string`, `Array<V1EnvVar>`, `{ [key: string]: string; }`, … */
  readonly type: string
  /** `int32`, `date-time`, …; empty where there is none. */
  readonly format: string
  readonly required: boolean
}

/** The fields of a model by its name (`V1Container`); `undefined` when there is none. */
export function fieldsOf(model: string): readonly Field[] | undefined {
  const known = fields.get(model) ?? monitoringModels[model] ?? readFields(model)
  if (known) fields.set(model, known)
  return known
}

/**
 * What a model says about itself or about one of its fields, as one line of text.
 *
 * @param field - without it, the model itself
 */
export function describeModel(model: string, field?: string): string {
  const text = declarationOf(model)
  const what = field === undefined ? `export declare class ${model} ` : `'${field}'?: `
  const comments = text.matchAll(/\/\*\*\n((?:(?!\*\/)[^])*)\*\/\s*(export declare class \S+ |'\w+'\??: )/g)
  for (const [, comment = '', subject = ''] of comments) {
    if (subject.replace("': ", "'?: ") !== what) continue
    const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trim())
    return lines.join(' ').trim().replaceAll(/\\(.)/g, '$1')
  }
  return ''
}

/** Kinds that can be checked, `apiVersion kind` → model. */
const kinds: Readonly<Record<string, string>> = {
  'v1 ConfigMap': 'V1ConfigMap',
  'v1 Event': 'CoreV1Event',
  'v1 Namespace': 'V1Namespace',
  'v1 PersistentVolume': 'V1PersistentVolume',
  'v1 PersistentVolumeClaim': 'V1PersistentVolumeClaim',
  'v1 Pod': 'V1Pod',
  'v1 PodTemplate': 'V1PodTemplate',
  'v1 Secret': 'V1Secret',
  'v1 Service': 'V1Service',
  'v1 ServiceAccount': 'V1ServiceAccount',
  'apps/v1 DaemonSet': 'V1DaemonSet',
  'apps/v1 Deployment': 'V1Deployment',
  'apps/v1 StatefulSet': 'V1StatefulSet',
  'batch/v1 CronJob': 'V1CronJob',
  'batch/v1 Job': 'V1Job',
  'coordination.k8s.io/v1 Lease': 'V1Lease',
  'monitoring.coreos.com/v1 PodMonitor': 'PodMonitor',
  'monitoring.coreos.com/v1 PrometheusRule': 'PrometheusRule',
  'monitoring.coreos.com/v1 ServiceMonitor': 'ServiceMonitor',
  'networking.k8s.io/v1 NetworkPolicy': 'V1NetworkPolicy',
  'policy/v1 PodDisruptionBudget': 'V1PodDisruptionBudget',
  'rbac.authorization.k8s.io/v1 ClusterRole': 'V1ClusterRole',
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': 'V1ClusterRoleBinding',
  'rbac.authorization.k8s.io/v1 Role': 'V1Role',
  'rbac.authorization.k8s.io/v1 RoleBinding': 'V1RoleBinding',
}

/**
 * What is wrong with an object, one line each: `Deployment shop: spec.replica is unknown`. A kind that isn't known
 * here is wrong, too.
 */
export function findManifestProblems(manifest: unknown): readonly string[] {
  if (!isObject(manifest)) return [`${JSON.stringify(manifest)} is no object`]
  const { apiVersion, kind, metadata } = manifest
  const name = isObject(metadata) ? String(metadata['name']) : '(without a name)'
  const model = kinds[`${String(apiVersion)} ${String(kind)}`]
  const problems = model === undefined ? [`no kind ${String(kind)} in ${String(apiVersion)} is known`] : []
  if (model !== undefined) problems.push(...findProblems(model, manifest))
  return problems.map((problem) => `${String(kind)} ${name}: ${problem}`)
}

/**
 * What is wrong with a part of an object, one line each: `containers[0].imagee is unknown`.
 *
 * @param model - such as `V1PodSpec`
 * @param at - the path that the lines begin with
 */
export function findProblems(model: string, value: unknown, at = ''): readonly string[] {
  const known = fieldsOf(model)
  if (!known) return [`${at}: there is no model ${model}`]
  if (!isObject(value)) return [`${at} must be an object`]
  const path = (name: string): string => (at === '' ? name : `${at}.${name}`)
  const names = new Set(known.map(({ name }) => name))
  return [
    ...Object.keys(value).flatMap((name) => (names.has(name) ? [] : [`${path(name)} is unknown`])),
    ...known.flatMap(({ name, type, format, required }) => {
      if (name in value) return checkType(type, value[name], { at: path(name), format, field: name })
      return required ? [`${path(name)} is missing`] : []
    }),
  ]
}

interface Place {
  readonly at: string
  readonly format: string
  readonly field: string
}

function checkType(type: string, value: unknown, place: Place): readonly string[] {
  const { at, format, field } = place
  const item = /^Array<(.+)>$/.exec(type)?.[1]
  if (item !== undefined) {
    if (!Array.isArray(value)) return [`${at} must be a list`]
    return value.flatMap((each: unknown, index) => checkType(item, each, { ...place, at: `${at}[${index}]` }))
  }
  const entry = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1]
  if (entry !== undefined) {
    if (!isObject(value)) return [`${at} must be an object`]
    return Object.entries(value).flatMap(([key, each]) => checkType(entry, each, { ...place, at: `${at}.${key}` }))
  }
  switch (type) {
    case 'any':
      return []
    case 'string':
      return typeof value === 'string' || (typeof value === 'number' && isQuantity(field)) ? [] : [`${at} must be text`]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${at} must be true or false`]
    case 'number':
      if (format.startsWith('int')) return Number.isInteger(value) ? [] : [`${at} must be a whole number`]
      return typeof value === 'number' ? [] : [`${at} must be a number`]
    case 'IntOrString':
      return Number.isInteger(value) || typeof value === 'string' ? [] : [`${at} must be a whole number or text`]
    case 'Date':
    case 'V1MicroTime':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? [] : [`${at} must be a time`]
    default:
      return findProblems(type, value, at)
  }
}

/** Whether a field holds quantities of resources, which the API also reads as numbers; the models say only `string`. */
export function isQuantity(field: string): boolean {
  return ['limits', 'requests', 'capacity', 'allocatable', 'overhead', 'sizeLimit', 'divisor', 'hard'].includes(field)
}

const fields = new Map<string, readonly Field[]>()

interface Model {
  getAttributeTypeMap?(): readonly {
    readonly name: string
    readonly baseName: string
    readonly type: string
    readonly format: string
  }[]
}

function readFields(model: string): readonly Field[] | undefined {
  const attributes = (everyModel as unknown as Readonly<Record<string, Model>>)[model]?.getAttributeTypeMap?.()
  if (!attributes) return undefined
  // What must be there is in the declarations only.
  const optional = new Set([...declarationOf(model).matchAll(/^\s*'(\w+)'\?: /gm)].map(([, name = '']) => name))
  return attributes.map(({ name, baseName, type, format }) => ({
    name: baseName,
    type,
    format,
    required: !optional.has(name),
  }))
}

function declarationOf(model: string): string {
  const index = fileURLToPath(import.meta.resolve('@kubernetes/client-node/dist/gen/models/all.js'))
  return readFileSync(index.replace(/all\.js$/, `${model}.d.ts`), 'utf8')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
