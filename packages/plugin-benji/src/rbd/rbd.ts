import type { RbdImage } from './image.ts'

/** A snapshot of an image. */
export interface RbdSnapshot {
  /** Ceph's; grows with each snapshot. */
  readonly id: number
  readonly name: string
  /** Bytes that the image had. */
  readonly size: number
  readonly protected: boolean
}

/**
 * The `rbd` command, typed. Each call rejects with an `RBD_…` error: `RBD_NOT_FOUND` (no such image, snapshot or pool),
 * `RBD_FAILED`, `RBD_TIMEOUT`, `RBD_STOPPED` (told to stop, or killed), `RBD_OUTPUT`, `RBD_MISSING` when there is no such
 * program.
 */
export interface Rbd {
  /** By id, oldest first. */
  snapshots(image: RbdImage): Promise<readonly RbdSnapshot[]>
  /** @param options - `timeout` of this call alone */
  createSnapshot(
    image: RbdImage,
    snapshot: string,
    options?: { readonly timeout?: `${number}s` | number },
  ): Promise<void>
  /** A snapshot that isn't there counts as removed. */
  removeSnapshot(image: RbdImage, snapshot: string): Promise<void>
  /**
   * Writes what is in a snapshot, or has changed since another, as JSON to a file: Benji's hints. In constant memory.
   *
   * @returns how many extents there are
   */
  diff(request: {
    readonly image: RbdImage
    readonly snapshot: string
    readonly from?: string | undefined
    readonly wholeObject: boolean
    readonly file: string
  }): Promise<{ readonly extents: number }>
  /** `undefined` when there is no such image. */
  info(image: RbdImage): Promise<{ readonly size: number; readonly id: string } | undefined>
  /** Bytes that it and its snapshots take; 0 as long as nobody has written to it. */
  usedBytes(image: RbdImage): Promise<number>
  /** Who has it open, as `rbd status` says: addresses. */
  watchers(image: RbdImage): Promise<readonly string[]>
}
