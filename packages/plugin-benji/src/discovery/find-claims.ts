import type { Kubernetes } from '@holdfast/sdk'
import { knownVolume, type KnownVolume } from './claim-volume.ts'
import type { PersistentVolume, PersistentVolumeClaim } from './objects.ts'
import type { VolumeSelection } from './selection.ts'

/** Up to so many objects are asked for one by one; for more, all are listed, which is a request per 500 of them. */
const few = 20

/** A claim that is asked for, and may not be there. */
export interface FoundClaim {
  readonly namespace: string
  readonly name: string
  /** `undefined`: there is no such claim. */
  readonly object: PersistentVolumeClaim | undefined
}

/** The claims that a selection means, each once: in the API's order, or in that of `pvcs`. */
export async function findClaims(kubernetes: Kubernetes, selection: VolumeSelection): Promise<readonly FoundClaim[]> {
  const found = new Map<string, FoundClaim>()
  for (const namespace of namespacesOf(selection)) {
    const { selector: labelSelector, fieldSelector } = selection
    for await (const object of kubernetes.list<PersistentVolumeClaim>('persistentvolumeclaims', {
      ...(namespace !== undefined && { namespace }),
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
    })) {
      add(found, { namespace: object.metadata.namespace ?? '', name: object.metadata.name, object })
    }
  }
  const named = (selection.pvcs ?? []).map((text) => claimName(text, kubernetes.namespace))
  for (const claim of await getNamed(kubernetes, named)) add(found, claim)
  return [...found.values()]
}

/** Namespaces that are listed; `undefined` stands for all of them at once. */
function namespacesOf({ all, namespaces = [] }: VolumeSelection): readonly (string | undefined)[] {
  return all === true ? [undefined] : [...new Set(namespaces)]
}

interface ClaimName {
  readonly namespace: string
  readonly name: string
}

/** Reads `[namespace/]name`. */
export function claimName(text: string, ownNamespace: string): ClaimName {
  const slash = text.indexOf('/')
  return slash === -1
    ? { namespace: ownNamespace, name: text }
    : { namespace: text.slice(0, slash), name: text.slice(slash + 1) }
}

async function getNamed(kubernetes: Kubernetes, named: readonly ClaimName[]): Promise<readonly FoundClaim[]> {
  const objects = new Map<string, PersistentVolumeClaim | undefined>()
  for (const [namespace, wanted] of Map.groupBy(named, (claim) => claim.namespace)) {
    if (wanted.length > few) {
      for await (const object of kubernetes.list<PersistentVolumeClaim>('persistentvolumeclaims', { namespace })) {
        objects.set(`${namespace}/${object.metadata.name}`, object)
      }
      continue
    }
    const got = await Promise.all(
      wanted.map(({ name }) => kubernetes.get<PersistentVolumeClaim>('persistentvolumeclaims', name, { namespace })),
    )
    for (const [index, { name }] of wanted.entries()) objects.set(`${namespace}/${name}`, got[index])
  }
  return named.map(({ namespace, name }) => ({ namespace, name, object: objects.get(`${namespace}/${name}`) }))
}

/** The PersistentVolumes of claims, by name; those that don't exist are missing. */
export async function findVolumes(
  kubernetes: Kubernetes,
  claims: readonly FoundClaim[],
): Promise<ReadonlyMap<string, KnownVolume>> {
  const wanted = new Set(claims.flatMap(({ object }) => object?.spec?.volumeName || []))
  const known = new Map<string, KnownVolume>()
  const keep = (volume: PersistentVolume): void => void known.set(volume.metadata.name, knownVolume(volume))
  if (wanted.size <= few) {
    const got = await Promise.all(
      [...wanted].map((name) => kubernetes.get<PersistentVolume>('persistentvolumes', name)),
    )
    for (const volume of got) if (volume) keep(volume)
    return known
  }
  for await (const volume of kubernetes.list<PersistentVolume>('persistentvolumes')) {
    if (wanted.has(volume.metadata.name)) keep(volume)
  }
  return known
}

function add(found: Map<string, FoundClaim>, claim: FoundClaim): void {
  const key = `${claim.namespace}/${claim.name}`
  if (!found.has(key)) found.set(key, claim)
}
