/** Bytes of an RBD object, and of Benji's blocks: what contents are counted in here. */
export const objectSize = 4 * 2 ** 20

/** What is in an image: one word per object of 4 MiB. What isn't there is zeros. */
export type Contents = ReadonlyMap<number, string>

/** A snapshot in a {@link FakeImage}. */
export interface FakeSnapshot {
  readonly id: number
  readonly name: string
  readonly size: number
  readonly contents: Contents
  protected: boolean
}

/** An image of a fake Ceph. */
export interface FakeImage {
  /** `pool/[ns/]image`. */
  readonly path: string
  readonly id: string
  size: number
  readonly contents: Map<number, string>
  readonly snapshots: FakeSnapshot[]
  /** Addresses of those who have it open. */
  readonly watchers: string[]
}

/** An extent as `rbd diff` prints it. */
export interface FakeExtent {
  readonly offset: number
  readonly length: number
  readonly exists: 'true' | 'false'
}

/** `pool//image` and `pool/image` are the same. */
export function normalPath(path: string): string {
  return path.replace('//', '/')
}

/** Objects of an image of that size. */
export function objectsOf(size: number): number[] {
  return Array.from({ length: Math.ceil(size / objectSize) }, (_, index) => index)
}

/** What differs between two states of an image, as `rbd diff` says it: beyond the smaller size nothing is said. */
export function extentsOf(
  before: { readonly contents: Contents } | undefined,
  after: { readonly contents: Contents; readonly size: number },
  wholeObject: boolean,
): readonly FakeExtent[] {
  return objectsOf(after.size).flatMap((index): FakeExtent[] => {
    const was = before?.contents.get(index)
    const is = after.contents.get(index)
    if (was === is) return []
    const offset = index * objectSize
    const whole = Math.min(objectSize, after.size - offset)
    // Without --whole-object the part of the object that was written; here its first 64 KiB.
    const length = wholeObject ? whole : Math.min(65_536, whole)
    return [{ offset, length, exists: is === undefined ? 'false' : 'true' }]
  })
}
