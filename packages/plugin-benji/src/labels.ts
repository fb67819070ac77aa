// Labels of a version, as Benji's Kubernetes tools set them, so that both tools find each other's versions.
import { createHash } from 'node:crypto'

/** Of a value, in Benji's database. */
const longestValue = 255

/** Labels that Benji's Kubernetes tools set. */
export const labelNames = {
  instance: 'benji-backup.me/instance',
  pool: 'benji-backup.me/ceph-pool',
  namespace: 'benji-backup.me/ceph-namespace',
  image: 'benji-backup.me/ceph-rbd-image',
  pvcNamespace: 'benji-backup.me/k8s-pvc-namespace',
  pvc: 'benji-backup.me/k8s-pvc',
  pv: 'benji-backup.me/k8s-pv',
} as const

/**
 * A plan's name as the value of a label. What Benji takes in no value is replaced, and told apart by a few digits of a
 * digest.
 */
export function planLabel(plan: string): string {
  if (/^[\w.:/@+]([\w.:/@+-]*[\w.:/@+])?$/.test(plan) && plan.length <= longestValue) return plan
  const digits = createHash('sha256').update(plan).digest('hex').slice(0, 8)
  const readable = plan.replaceAll(/[^\w.:/@+]+/g, '_').slice(0, longestValue - digits.length - 1)
  return `${readable}.${digits}`
}

/** Labels of ours: what a restore into a new claim needs to know, how a version was made, and what a comparison found. */
export const ownLabelNames = {
  storageClass: 'holdfast.dev/storage-class',
  /** Names as in PersistentVolumeClaims, joined by `+`: a value may have no comma. */
  accessModes: 'holdfast.dev/access-modes',
  volumeMode: 'holdfast.dev/volume-mode',
  /** `full` or `differential`: how it was made. Benji counts only what it looked at, and hints leave out what is empty. */
  mode: 'holdfast.dev/mode',
  /** The plan whose retention lets it go. Versions without it, such as those of Benji's tools, are every plan's. */
  plan: 'holdfast.dev/plan',
  /** Set when the stored data and the source differed: never a base, and restored only with `--force`. */
  sourceMismatch: 'holdfast.dev/source-mismatch',
} as const
