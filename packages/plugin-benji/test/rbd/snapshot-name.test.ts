import { expect, test } from 'vitest'
import { freeSnapshotName, isSnapshotName, snapshotName } from '../../src/rbd/snapshot-name.ts'

const at = new Date('2026-01-31T23:59:59.999Z')

test('a snapshot is named after the time, in UTC, as Benji’s tools do it', () => {
  expect(snapshotName(at)).toBe('b-2026-01-31T23:59:59Z')
  expect(isSnapshotName(snapshotName(at))).toBe(true)
})

test('K9: two backups in one second have snapshots of their own', () => {
  const taken = [{ name: 'b-2026-01-31T23:59:59Z' }, { name: 'b-2026-02-01T00:00:00Z' }, { name: 'other' }]
  expect(freeSnapshotName(at, taken.slice(1))).toBe('b-2026-01-31T23:59:59Z')
  expect(freeSnapshotName(at, taken)).toBe('b-2026-02-01T00:00:01Z')
})

test.for([
  ['b-2026-01-31T23:59:59Z', true],
  ['b-mine', true],
  ['backup', false],
  ['B-2026-01-31T23:59:59Z', false],
  ['x-b-1', false],
] as const)('"%s" may be a backup’s: %s', ([name, is]) => expect(isSnapshotName(name)).toBe(is))
