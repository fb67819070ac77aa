import { expect, test } from 'vitest'
import { formatBytes, parseQuantity } from '../../src/discovery/quantity.ts'

test.for([
  ['1Gi', 1_073_741_824],
  ['1.5Gi', 1_610_612_736],
  ['.5Ki', 512],
  ['0.1Ki', 103],
  ['10G', 10_000_000_000],
  ['1e9', 1_000_000_000],
  ['1E3', 1000],
  ['1E', undefined],
  ['1.5e-1', 1],
  ['1k', 1000],
  ['128974848000m', 128_974_848],
  ['1500m', 2],
  ['8388608', 8_388_608],
  ['0', 0],
  ['', undefined],
  ['Gi', undefined],
  ['1GiB', undefined],
  ['-1Gi', undefined],
  ['1K', undefined],
  ['1e', undefined],
  ['8Ei', undefined],
] as const)('K16: the quantity "%s" is %s bytes', ([text, bytes]) => {
  expect(parseQuantity(text)).toBe(bytes)
})

test('bytes for people, exact where rounding hides something', () => {
  expect([0, 512, 1536, 8_388_608, 8_388_609, 2 ** 40].map(formatBytes)).toEqual([
    '0 bytes',
    '512 bytes',
    '1.5 KiB',
    '8 MiB',
    '8 MiB (8388609 bytes)',
    '1 TiB',
  ])
})
