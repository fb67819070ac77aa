import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createExtentReader } from '../../src/rbd/extents.ts'

function read(text: string, cut = text.length): number {
  const reader = createExtentReader()
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += Math.max(1, cut)) reader.push(bytes.subarray(at, at + Math.max(1, cut)))
  return reader.end()
}

const extent = fc.record({
  offset: fc.nat(),
  length: fc.nat(),
  exists: fc.constantFrom('true', 'false', true, false),
})
const lists = fc.array(extent, { maxLength: 20 })
const spacing = fc.constantFrom(undefined, 2, '\n')

test('as many extents are counted as there are, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(lists, spacing, fc.integer({ min: 1, max: 50 }), (list, space, cut) => {
      expect(read(`${JSON.stringify(list, null, space)}\n`, cut)).toBe(list.length)
    }),
  )
})

test('fault F44: a list that is cut off anywhere is an error, never a shorter list', () => {
  fc.assert(
    fc.property(lists, spacing, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (list, space, where) => {
      const text = JSON.stringify(list, null, space)
      expect(() => read(text.slice(0, Math.floor(text.length * where)))).toThrow(/does not come to its end/)
    }),
  )
})

test.for([
  ['nothing', ''],
  ['blanks', ' \n'],
  ['an object', '{}'],
  ['a message', 'rbd: warning\n[]'],
  ['something behind it', '[]\nrbd: done'],
  ['two lists', '[][]'],
  ['a comma too many', '[{"offset":0,"length":1,"exists":"true"},]'],
  ['no comma', '[{"offset":0,"length":1,"exists":"true"}{"offset":1,"length":1,"exists":"true"}]'],
  ['a comma alone', '[,]'],
  ['an extent without a length', '[{"offset":0,"exists":"true"}]'],
  ['a negative offset', '[{"offset":-1,"length":1,"exists":"true"}]'],
  ['an offset as text', '[{"offset":"0","length":1,"exists":"true"}]'],
  ['an existence that is none', '[{"offset":0,"length":1,"exists":"maybe"}]'],
  ['numbers', '[1,2]'],
  ['an extent that does not end', `[{"offset":0,${'"x":1,'.repeat(2000)}`],
])('fault F44: %s is no list of extents', ([, text = '']) => {
  expect(() => read(text)).toThrow(/, after \d+ extents$/)
})

test('fault F44: whatever it is, it counts as JSON does or is an error', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('[', ']', '{', '}', ',', ' ', '"offset":1', '"length":2', '"exists":"true"') }),
      (text) => {
        let count: number | undefined
        try {
          count = read(text, 3)
        } catch {
          return
        }
        expect(JSON.parse(text)).toHaveLength(count)
      },
    ),
  )
})
