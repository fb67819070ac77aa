// Labels of a version, as Benji's Kubernetes tools set them, so that both tools find each other's versions.

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

/** Labels of ours: what a restore into a new claim needs to know, how a version was made, and what a comparison found. */
export const ownLabelNames = {
  storageClass: 'holdfast.dev/storage-class',
  /** Names as in PersistentVolumeClaims, joined by `+`: a value may have no comma. */
  accessModes: 'holdfast.dev/access-modes',
  volumeMode: 'holdfast.dev/volume-mode',
  /** `full` or `differential`: how it was made. Benji counts only what it looked at, and hints leave out what is empty. */
  mode: 'holdfast.dev/mode',
  /** Set when the stored data and the source differed: never a base, and restored only with `--force`. */
  sourceMismatch: 'holdfast.dev/source-mismatch',
} as const
