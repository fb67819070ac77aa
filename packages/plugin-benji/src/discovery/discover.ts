import type { CheckContext, ObjectRef, Target } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { formatImage, parseImage } from '../rbd/image.ts'
import type { Claim, Volume } from '../target.ts'
import { sharedImages, volumeOf } from './claim-volume.ts'
import { findClaims, findVolumes, type FoundClaim } from './find-claims.ts'
import { needsKubernetes, type VolumeSelection } from './selection.ts'

/** What discovery uses of its context. */
export type DiscoveryContext = Pick<CheckContext<unknown>, 'kubernetes' | 'log' | 'signal'>

/**
 * The volumes that a selection means, as targets: of a claim `<namespace>/<name>`, of an image its path. Claims and
 * PersistentVolumes are listed once each, a request per 500 of them, and joined here. Nothing is left out: what can't be
 * backed up is a target with the reason (`data.refused`), a claim that was named and doesn't exist too (K12).
 *
 * @throws HoldfastError `DISCOVERY_NO_KUBERNETES` when claims are asked for outside of a cluster, or what the API said
 */
export async function* discoverVolumes(
  ctx: DiscoveryContext,
  selection: VolumeSelection,
): AsyncGenerator<Target<Volume>> {
  const volumes = [...(needsKubernetes(selection) ? await volumesOfClaims(ctx, selection) : []), ...imagesOf(selection)]
  for (const { image, volumes: names } of sharedImages(volumes)) {
    ctx.log.warn(`${names.join(' and ')} are the same image, ${image}: each is backed up, and has the same data`, {
      image,
    })
  }
  for (const volume of volumes) yield targetOf(volume)
}

/** The target that a volume is. */
function targetOf(data: Volume): Target<Volume> {
  const { volume: id, claim } = data
  return {
    id,
    labels: claim ? { pvc_namespace: claim.namespace, pvc: claim.name } : {},
    data,
    object: claim && claimRef(claim),
  }
}

/** A claim as events refer to it; `undefined` when it doesn't exist. */
export function claimRef({ namespace, name, uid }: Claim): ObjectRef | undefined {
  return uid === undefined ? undefined : { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid }
}

async function volumesOfClaims(ctx: DiscoveryContext, selection: VolumeSelection): Promise<readonly Volume[]> {
  const { kubernetes, log, signal } = ctx
  if (!kubernetes) throw errors.DISCOVERY_NO_KUBERNETES({ asked: describe(selection) })
  const claims = await findClaims(kubernetes, selection)
  signal.throwIfAborted()
  const known = await findVolumes(kubernetes, claims)
  signal.throwIfAborted()
  for (const namespace of selection.namespaces ?? []) {
    if (!claims.some((claim) => claim.namespace === namespace)) {
      log.warn(`no PersistentVolumeClaim in the namespace ${namespace} is selected`, { namespace })
    }
  }
  return claims.map((claim) => {
    const { object } = claim
    return object ? volumeOf(object, known.get(object.spec?.volumeName ?? '')) : missing(claim)
  })
}

function missing({ namespace, name }: FoundClaim): Volume {
  return {
    volume: `${namespace}/${name}`,
    claim: { namespace, name, accessModes: [], volumeMode: 'Filesystem', freeze: false },
    refused: { as: 'failed', reason: `there is no PersistentVolumeClaim ${name} in the namespace ${namespace}` },
  }
}

function imagesOf({ images = [] }: VolumeSelection): readonly Volume[] {
  const volumes = images.map((text): Volume => {
    const image = parseImage(text)
    if (!image) {
      return { volume: text, refused: { as: 'failed', reason: `${text} is no image: write pool/[namespace/]image` } }
    }
    return { volume: formatImage(image), image }
  })
  return [...new Map(volumes.map((volume) => [volume.volume, volume])).values()]
}

function describe({ all, namespaces = [], pvcs = [] }: VolumeSelection): string {
  return [
    ...(all === true ? ['all claims'] : []),
    ...(namespaces.length > 0 ? [`the claims of ${namespaces.join(', ')}`] : []),
    ...(pvcs.length > 0 ? [`the claims ${pvcs.join(', ')}`] : []),
  ].join(' and ')
}
