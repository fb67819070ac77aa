/** Which volumes are backed up. */
export interface VolumeSelection {
  /** Claims of every namespace. */
  readonly all?: boolean | undefined
  /** Claims of these namespaces. */
  readonly namespaces?: readonly string[] | undefined
  /** Label selector, for claims of `all` and `namespaces`. */
  readonly selector?: string | undefined
  /** Field selector, for claims of `all` and `namespaces`. */
  readonly fieldSelector?: string | undefined
  /** These claims: `[namespace/]name`; without a namespace, our own. */
  readonly pvcs?: readonly string[] | undefined
  /** These images, for which Kubernetes is not needed: `pool/[namespace/]image`. */
  readonly images?: readonly string[] | undefined
}

/** Whether it takes the API of Kubernetes to know which volumes these are. */
export function needsKubernetes({ all, namespaces = [], pvcs = [] }: VolumeSelection): boolean {
  return all === true || namespaces.length > 0 || pvcs.length > 0
}
