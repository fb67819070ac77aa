import { describe, expect, test } from 'vitest'
import { mostParts, partSize, partsInMemory } from '../src/part-size.ts'

const MiB = 2 ** 20
const GiB = 2 ** 30
const TiB = 2 ** 40

/** How many bytes so many parts hold. */
function reach(first: number, parts = mostParts): number {
  let sum = 0
  for (let number = 1; number <= parts; number++) sum += partSize(number, first)
  return sum
}

describe('a stream of which nobody knows how long it is', () => {
  test.each([5 * MiB, 8 * MiB, 16 * MiB, 64 * MiB, GiB, 5 * GiB])(
    'fits up to 5 TiB with parts of %i bytes',
    (first) => {
      expect(reach(first)).toBeGreaterThanOrEqual(5 * TiB)
    },
  )

  test('keeps the size that was asked for, for the first half of the parts', () => {
    expect(new Set(Array.from({ length: 5000 }, (_, n) => partSize(n + 1, 8 * MiB)))).toEqual(new Set([8 * MiB]))
    expect(partSize(5001, 8 * MiB)).toBe(16 * MiB)
  })

  test('no part is larger than S3 takes, nor smaller than the one before', () => {
    for (const first of [5 * MiB, 8 * MiB, 3 * GiB]) {
      for (let number = 2; number <= mostParts; number++) {
        expect(partSize(number, first)).toBeLessThanOrEqual(5 * GiB)
        expect(partSize(number, first)).toBeGreaterThanOrEqual(partSize(number - 1, first))
      }
    }
  })
})

test('memory stays what was asked for while two parts fit into it; docs/s3.md has this table', () => {
  const memory = (bytes: number): number => {
    let sum = 0
    for (let number = 1; ; number++) {
      const size = partSize(number, 8 * MiB)
      sum += size
      if (sum >= bytes) return (size * partsInMemory(size, 8 * MiB, 4)) / MiB
    }
  }
  const rows = [39, 46, 60, 88, 144, 256, 480, 930].map((size) => [size, memory(size * GiB)])
  expect(rows).toEqual([
    [39, 32],
    [46, 32],
    [60, 64],
    [88, 128],
    [144, 256],
    [256, 512],
    [480, 1024],
    [930, 2048],
  ])
})
