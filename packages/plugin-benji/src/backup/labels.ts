import { instanceOf, type BenjiEngine } from '../engine.ts'
import { labelNames, ownLabelNames, planLabel } from '../labels.ts'
import type { RbdImage } from '../rbd/image.ts'
import type { Claim } from '../target.ts'

/** The labels of a new version: Benji's tools' own, and what a restore into a new claim needs. */
export function labelsOf(
  { claim, image, plan }: { readonly claim: Claim | undefined; readonly image: RbdImage; readonly plan: string },
  engine: BenjiEngine | undefined,
): Readonly<Record<string, string>> {
  return {
    [labelNames.instance]: instanceOf(engine),
    [labelNames.pool]: image.pool,
    [labelNames.namespace]: image.namespace,
    [labelNames.image]: image.name,
    [ownLabelNames.plan]: planLabel(plan),
    ...(claim && {
      [labelNames.pvcNamespace]: claim.namespace,
      [labelNames.pvc]: claim.name,
      ...(claim.pv !== undefined && { [labelNames.pv]: claim.pv }),
      ...(claim.storageClass !== undefined && { [ownLabelNames.storageClass]: claim.storageClass }),
      [ownLabelNames.accessModes]: claim.accessModes.join('+'),
      [ownLabelNames.volumeMode]: claim.volumeMode,
    }),
  }
}
