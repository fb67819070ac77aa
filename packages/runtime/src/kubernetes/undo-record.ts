// An armed undo as one ConfigMap, and the claim of whoever takes it over as another.
import type { KubernetesObject } from '@holdfast/sdk'
import type { ProcessRecord } from '../journal/records.ts'
import type { MirroredUndo } from '../journal/undo-mirror.ts'
import { labelValue } from './names.ts'

/** What `undo.json` and `claim.json` look like; added to, never changed. */
const schema = 1
/** The API server takes 1 MiB of data in a ConfigMap, names of its keys included. */
const mostBytes = 1_048_576 - 64

/** Labels of what is ours, by which it is found. */
export const labels = {
  undo: 'holdfast.dev/undo',
  claim: 'holdfast.dev/undo-claim',
  instance: 'holdfast.dev/instance',
} as const

/** Names of the ConfigMaps of an undo. */
export const nameOf = {
  undo: (id: string): string => `holdfast-undo-${id}`,
  claim: (id: string): string => `holdfast-claim-${id}`,
}

/** A ConfigMap, as far as it is used here. */
export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>
}

/** A claim that was read. */
export interface UndoClaim {
  readonly undo: string
  readonly holder: ProcessRecord
}

/**
 * The ConfigMap of an armed undo.
 *
 * @throws Error when it would be larger than an API server takes
 */
export function undoConfigMap(mirrored: MirroredUndo): ConfigMap {
  const { undo, run, runStartedAt, vars, owner } = mirrored
  const text = JSON.stringify({ schema, undo, run, runStartedAt, vars, owner }, undefined, 1)
  const bytes = Buffer.byteLength(text)
  if (bytes > mostBytes) {
    const least = Buffer.byteLength(JSON.stringify(vars))
    const part = least > bytes / 2 ? 'the variables of its run' : 'its input'
    throw new Error(
      `its record in the cluster would have ${bytes} bytes, and 1 MiB is what a ConfigMap takes; most of it is ${part}`,
    )
  }
  return {
    metadata: { name: nameOf.undo(undo.id), labels: labelsFor(labels.undo, undo.instance) },
    data: { 'undo.json': text },
  }
}

/** The ConfigMap of a claim. Where the pod is known, it goes with the pod. */
export function claimConfigMap(id: string, instance: string, holder: ProcessRecord): ConfigMap {
  const { pod, podName, namespace } = holder
  return {
    metadata: {
      name: nameOf.claim(id),
      labels: labelsFor(labels.claim, instance),
      ...(pod !== undefined &&
        podName !== undefined &&
        namespace !== undefined && {
          ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: podName, uid: pod }],
        }),
    },
    data: { 'claim.json': JSON.stringify({ schema, undo: id, holder }, undefined, 1) },
  }
}

/** Selects what all instances have in the namespace. */
export function anyInstance(label: string): string {
  return `${label}=true`
}

/** Selects what one instance has in the cluster. */
export function selectorFor(label: string, instance: string): string {
  return `${label}=true,${labels.instance}=${labelValue(instance)}`
}

/**
 * Reads the ConfigMap of an undo.
 *
 * @throws Error when it is none, or of a newer version
 */
export function readUndo({ metadata, data }: ConfigMap): MirroredUndo {
  const { undo, run, runStartedAt, vars, owner } = parse<Partial<MirroredUndo>>(metadata.name, data?.['undo.json'])
  if (!undo || !run || runStartedAt === undefined || !owner) throw notWhole(metadata.name)
  const { id, plan, instance, participant, undo: name, input, armedAt } = undo
  const needed: readonly unknown[] = [id, plan, instance, participant, name, input, armedAt, run.id, owner.id]
  if (!needed.every((part) => typeof part === 'string' && part !== '')) throw notWhole(metadata.name)
  if (nameOf.undo(id) !== metadata.name) throw new Error(`the ConfigMap ${metadata.name} is of the undo ${id}`)
  if (Number.isNaN(Date.parse(String(armedAt))) || !isJson(input)) {
    throw new Error(`the ConfigMap ${metadata.name} is damaged`)
  }
  return {
    undo: { ...undo, armedAt: new Date(undo.armedAt) },
    run: { ...run, scheduledFor: new Date(run.scheduledFor) },
    runStartedAt: new Date(runStartedAt),
    vars: vars ?? {},
    owner: readProcess(owner),
  }
}

/**
 * Reads the ConfigMap of a claim.
 *
 * @throws Error when it is none, or of a newer version
 */
export function readClaim({ metadata, data }: ConfigMap): UndoClaim {
  const { undo, holder } = parse<Partial<UndoClaim>>(metadata.name, data?.['claim.json'])
  if (undo === undefined || !holder) throw new Error(`the ConfigMap ${metadata.name} does not say who holds it`)
  return { undo, holder: readProcess(holder) }
}

function labelsFor(label: string, instance: string): Record<string, string> {
  return { 'app.kubernetes.io/managed-by': 'holdfast', [label]: 'true', [labels.instance]: labelValue(instance) }
}

function notWhole(name: string): Error {
  return new Error(`the ConfigMap ${name} is not whole`)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function parse<T>(name: string, text: string | undefined): T {
  let read: { schema?: unknown } | null
  try {
    read = JSON.parse(text ?? '') as { schema?: unknown } | null
  } catch (error) {
    throw new Error(`the ConfigMap ${name} is damaged`, { cause: error })
  }
  if (typeof read?.schema !== 'number') throw new Error(`the ConfigMap ${name} does not say its schema`)
  if (read.schema > schema) {
    throw new Error(`the ConfigMap ${name} has schema ${read.schema}, and this version knows ${schema}`)
  }
  return read as T
}

/** JSON leaves out what is undefined, and has no dates. */
function readProcess(read: ProcessRecord): ProcessRecord {
  const { id, pid, host, boot, pod, podName, namespace, workload } = read
  const { container, containerStart, processStart, startedAt } = read
  return {
    id,
    pid,
    host,
    boot,
    pod,
    podName,
    namespace,
    workload,
    container,
    containerStart,
    processStart,
    startedAt: new Date(startedAt),
  }
}
