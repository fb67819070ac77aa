// Who uses a plan's part of the store: one small object per holder, under <instance>/<plan>/.owner/. No target has such
// a part, because encodePart hides none.
import type { StorageDriver } from '@holdfast/sdk'
import { encodePart, keyPrefix } from './keys.ts'
import { isRecord } from './manifest.ts'
import { getText, putText } from './objects.ts'

/** Who backs up. */
export interface StoreHolder {
  /** Names the state directory. */
  readonly stateId: string
  readonly podUid?: string | undefined
  readonly host: string
}

/** A holder's record. */
export interface OwnerRecord {
  readonly schema: 1
  readonly holder: StoreHolder
  readonly run: string
  /** Unique per claim: tells a holder's own later claim from this one. */
  readonly claim: string
  /** `choosing`: about to have a number. `claimed`: has one. `free`: was released. */
  readonly phase: 'choosing' | 'claimed' | 'free'
  /** The place in the queue; 0 while there is none. */
  readonly number: number
  /** ISO 8601, UTC: when it was last renewed. */
  readonly at: string
  /** Claims that this one took over. */
  readonly took: readonly string[]
}

/** Where a plan's records lie. */
export interface OwnerPlace {
  readonly driver: StorageDriver
  readonly instance: string
  readonly plan: string
}

/**
 * What tells holders apart. A pod that gets the state of another, or a copied state directory on another host, is
 * another holder.
 */
export function holderId({ stateId, podUid, host }: StoreHolder): string {
  return `${encodePart(stateId)}~${encodePart(podUid ?? host)}`
}

/** A holder for people: `host (state 3f9a…)`. */
export function describeHolder({ stateId, podUid, host }: StoreHolder): string {
  return `${host} (state ${stateId}${podUid === undefined ? '' : `, pod ${podUid}`})`
}

function ownerPrefix({ instance, plan }: OwnerPlace): string {
  return `${keyPrefix(instance, plan)}.owner/`
}

/** The key of a holder's record. */
export function ownerKey(place: OwnerPlace, holder: string): string {
  return `${ownerPrefix(place)}${holder}.json`
}

/** Writes a record over the holder's last one. */
export async function putRecord(place: OwnerPlace, record: OwnerRecord, signal: AbortSignal): Promise<void> {
  await putText(
    place.driver,
    ownerKey(place, holderId(record.holder)),
    `${JSON.stringify(record, undefined, 2)}\n`,
    signal,
  )
}

/** A record as it lies there. */
export interface FoundRecord {
  readonly text: string
  /** `undefined`: not one that this version understands. */
  readonly record: OwnerRecord | undefined
}

/** One holder's record; `undefined` where there is none. */
export async function getRecord(
  place: OwnerPlace,
  holder: string,
  signal: AbortSignal,
): Promise<FoundRecord | undefined> {
  const text = await getText(place.driver, ownerKey(place, holder), signal)
  return text === undefined ? undefined : { text, record: parseRecord(text) }
}

/** Every record but one holder's own, by holder. */
export async function getOthers(
  place: OwnerPlace,
  own: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FoundRecord>> {
  const prefix = ownerPrefix(place)
  const others = new Map<string, FoundRecord>()
  for await (const { key } of place.driver.list(prefix, { signal })) {
    const holder = /^([^/]+)\.json$/.exec(key.slice(prefix.length))?.[1]
    if (holder === undefined || holder === own) continue
    const found = await getRecord(place, holder, signal)
    if (found) others.set(holder, found)
  }
  return others
}

/** Removes a holder's record. */
export async function deleteRecord(place: OwnerPlace, holder: string, signal: AbortSignal): Promise<void> {
  await place.driver.delete(ownerKey(place, holder), { signal })
}

function parseRecord(text: string): OwnerRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value) || !isRecord(value['holder']) || !Array.isArray(value['took'])) return undefined
  const right =
    value['schema'] === 1 &&
    ['run', 'claim', 'at'].every((field) => typeof value[field] === 'string') &&
    ['choosing', 'claimed', 'free'].includes(value['phase'] as string) &&
    Number.isSafeInteger(value['number']) &&
    !Number.isNaN(Date.parse(value['at'] as string))
  return right ? (value as unknown as OwnerRecord) : undefined
}
