import type { Json, ObjectRef } from '@holdfast/sdk'
import type { RbdImage } from '../rbd/image.ts'

/**
 * Where a version goes: looked at and found fit, nothing done yet. Making one throws for everything that can be known
 * before.
 */
export interface Destination {
  /** For people: `the claim web/data`. */
  readonly name: string
  /** What `open` would do, a line each. */
  readonly steps: readonly string[]
  /** A claim that has to be taken back when the restore fails: what its undo needs. */
  readonly creates?: NewClaimMark | undefined
  /** Makes it ready to be written to. What it makes is armed before. */
  open(): Promise<OpenDestination>
}

/** A claim that a restore makes, told by a mark that nothing else has: its uid isn't known before it is there. */
export interface NewClaimMark {
  readonly namespace: string
  readonly name: string
  readonly mark: string
}

/** A destination that can be written to. */
export interface OpenDestination {
  readonly url: string
  /** Known to be new and empty: what is zeros in the version need not be written. Elsewhere old data would stay. */
  readonly isEmpty: boolean
  /** Whether Benji has to be told to write over it. */
  readonly exists: boolean
  /** The image, where it is one. */
  readonly image?: RbdImage | undefined
  /** The claim that events are about. */
  readonly claim?: ObjectRef | undefined
  /** What `holdfast restore` prints. */
  readonly where: Json
  /** Looks once more, right before the first byte, whether it is in use. */
  check?(): Promise<void>
}
