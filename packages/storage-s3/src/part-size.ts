/** S3 takes this many parts of an upload. */
export const mostParts = 10_000

/** And no part but the last may be smaller, and none larger. */
export const smallestPart = 5 * 2 ** 20
const largestPart = 5 * 2 ** 30

/** Up to this part all have the size that was asked for; then it doubles every {@link step} parts. */
const half = mostParts / 2
const step = 450

/**
 * How large a part is. A stream says nothing of its length, 10,000 parts of 8 MiB end at 78 GiB, and a dump that fails
 * after that many hours helps nobody; nor does one that takes a gigabyte of memory from its beginning. So the first half
 * of the parts is as small as was asked for, and the second half reaches more than 5 TiB.
 *
 * @param number - of the part, from 1
 * @param first - bytes of the first ones
 */
export function partSize(number: number, first: number): number {
  const doublings = number <= half ? 0 : Math.ceil((number - half) / step)
  return Math.max(first, Math.min(first * 2 ** doublings, largestPart))
}

/**
 * How many parts are in memory at once: as many as `concurrency` while that takes no more than it does for the first ones,
 * and never fewer than two, one that is sent and one that is being filled.
 */
export function partsInMemory(size: number, first: number, concurrency: number): number {
  return Math.max(2, Math.floor((first * concurrency) / size))
}
