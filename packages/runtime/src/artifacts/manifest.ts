// The manifest is what makes data an artifact: written last, as plain JSON, readable without Holdfast.
import type { Encoding, Json } from '@holdfast/sdk'
import { sdkVersion } from '@holdfast/sdk/internal'
import { errors } from '../errors.ts'
import { parseArtifactId } from './keys.ts'

/** The schema that this version writes; newer ones are refused. */
export const manifestSchema = 1

/**
 * A manifest as it lies in the store.
 *
 * @example
 * ```sh
 * jq -r '[.createdAt, .target, .name, .size, .state] | @tsv' $(find /backup -name '*.manifest.json')
 * ```
 */
export interface Manifest {
  readonly schema: 1
  /** `<plan>/<target>/<time>-<run>/<name>`, each part percent-encoded. */
  readonly id: string
  /** The installation that wrote it. */
  readonly instance: string
  readonly plan: string
  readonly target: string
  readonly run: string
  readonly name: string
  /** ISO 8601, UTC: when the run began. */
  readonly startedAt: string
  /** ISO 8601, UTC: when the artifact was committed. */
  readonly createdAt: string
  /** Bytes before encoding. */
  readonly size: number
  /** Hex, of the bytes before encoding. */
  readonly sha256: string
  /** Bytes in the store. */
  readonly storedSize: number
  /** Hex, of the bytes in the store. */
  readonly storedSha256: string
  /** In the order in which they were applied. */
  readonly encoding: readonly Encoding[]
  /** As it was committed; a suspect artifact may have been accepted later (`….accepted.json` beside it). */
  readonly state: 'valid' | 'suspect'
  /** Why it is suspect, in one line. */
  readonly reason?: string | undefined
  /** It is the third of a new size in a row: from it on, sizes are compared with the new ones. */
  readonly newSize?: boolean | undefined
  /** Where a plan was tried again: which try it was of, from 2. */
  readonly attempt?: number | undefined
  /** What its producer said about it. */
  readonly meta: Readonly<Record<string, Json>>
  /** The version of Holdfast that wrote it. */
  readonly holdfast: string
}

/** A manifest as text; one line per field. */
export function formatManifest(manifest: Omit<Manifest, 'schema' | 'holdfast'>): string {
  const { id, ...rest } = manifest
  const complete: Manifest = { schema: manifestSchema, id, ...rest, holdfast: sdkVersion }
  return `${JSON.stringify(complete, undefined, 2)}\n`
}

/**
 * Reads a manifest.
 *
 * @param text - as stored
 * @param where - its key, and the id that the key stands for
 * @throws HoldfastError `MANIFEST_INVALID`, `MANIFEST_NEWER`
 */
export function parseManifest(text: string, { key, id }: { readonly key: string; readonly id: string }): Manifest {
  const invalid = (reason: string, cause?: unknown): Error => errors.MANIFEST_INVALID({ key, reason }, { cause })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid('it is not JSON', error)
  }
  if (!isRecord(value)) throw invalid('it is not a JSON object')
  const { schema } = value
  if (typeof schema !== 'number' || !Number.isSafeInteger(schema) || schema < 1)
    throw invalid('it has no schema number')
  if (schema > manifestSchema) throw errors.MANIFEST_NEWER({ key, found: schema, known: manifestSchema })
  const wrong = Object.entries(fields).find(([field, isRight]) => !isRight(value[field]))
  if (wrong) throw invalid(`its field "${wrong[0]}" is ${wrong[0] in value ? 'not valid' : 'missing'}`)
  const manifest = value as unknown as Manifest
  const place = parseArtifactId(id)
  if (
    manifest.id !== id ||
    manifest.plan !== place?.plan ||
    manifest.target !== place.target ||
    manifest.name !== place.name
  )
    throw invalid(`it belongs to ${manifest.id}`)
  return manifest
}

/** Whether a value is an object with named members. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value))
const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isSha256 = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const isAbsentOr = (isRight: (value: unknown) => boolean) => (value: unknown) => value === undefined || isRight(value)

const fields: { readonly [Field in Exclude<keyof Manifest, 'schema'>]-?: (value: unknown) => boolean } = {
  id: isText,
  instance: isText,
  plan: isText,
  target: isText,
  run: isText,
  name: isText,
  startedAt: isTime,
  createdAt: isTime,
  size: isSize,
  sha256: isSha256,
  storedSize: isSize,
  storedSha256: isSha256,
  encoding: (value) => Array.isArray(value) && value.every((each) => ['zstd', 'gzip', 'age'].includes(each as string)),
  state: (value) => value === 'valid' || value === 'suspect',
  reason: isAbsentOr(isText),
  newSize: isAbsentOr((value) => typeof value === 'boolean'),
  attempt: isAbsentOr(isSize),
  meta: isRecord,
  holdfast: isText,
}
