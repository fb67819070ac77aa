import { expect, test } from 'vitest'
import { satisfies } from '../../src/load/resolve-participant.ts'

test.each<[version: string, range: string, fits: boolean]>([
  ['1.0.0', '^1.0', true],
  ['1.0.0', '^1.0.0', true],
  ['1.4.2', '^1.0', true],
  ['1.4.2', '^1.4.2', true],
  ['1.4.2', '^1.4.3', false],
  ['1.4.2', '^1.5', false],
  ['1.10.0', '^1.9', true],
  ['2.0.0', '^1.9', false],
  ['1.9.0', '^2.0', false],
  ['1.0.0', '^x', false],
  ['1.0.0', '', false],
])('version %s is in %s: %s', (version, range, fits) => {
  expect(satisfies(version, range)).toBe(fits)
})
