import fc from 'fast-check'
import { expect, test } from 'vitest'
import { didYouMean, editDistance, suggest } from '../../src/load/did-you-mean.ts'

test.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['abc', 'abc', 0],
  ['retnetion', 'retention', 1],
  ['kitten', 'sitting', 3],
  ['ca', 'abc', 3],
])('between %j and %j lie %i edits', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits)
})

test('the distance is a distance', () => {
  const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') })
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b)
      expect(distance).toBe(editDistance(b, a))
      expect(distance === 0).toBe(a === b)
      expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
      // A swap of neighbours counts once.
      expect(editDistance(`${a}xy`, `${a}yx`)).toBe(1)
    }),
  )
})

const hooks = ['beforeBackups', 'backups', 'afterBackups', 'verifyBackups', 'maintain']

test.each([
  ['backup', 'backups'],
  ['before_backups', 'beforeBackups'],
  ['BEFOREBACKUP', 'beforeBackups'],
  ['after-backups', 'afterBackups'],
  ['mantain', 'maintain'],
  ['veryfyBakups', 'verifyBackups'],
  ['quiesce', undefined],
  ['x', undefined],
  ['', undefined],
])('%s means %s', (word, meant) => {
  expect(didYouMean(word, hooks)).toBe(meant)
})

test('a suggestion is a sentence, or nothing', () => {
  expect(suggest('backup', hooks)).toBe('Did you mean "backups"? ')
  expect(suggest('quiesce', hooks)).toBe('')
})
