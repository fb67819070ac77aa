import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyOfObject, objectOfKey, objectsOfPrefix } from '../src/keys.ts'

const character = fc.constantFrom('a', 'B', '0', '-', '_', '.', '~', '%20', '%C3')
const short = fc.string({ unit: character, minLength: 1, maxLength: 8 })
// Around the lengths at which a part is cut.
const long = fc
  .tuple(fc.integer({ min: 198, max: 203 }), fc.integer({ min: 0, max: 1 }), short)
  .map(([length, more, end]) => 'x'.repeat(length + more * 200) + end.replaceAll('%', '%2'.slice(0, 1)))
const part = fc
  .oneof(short, long)
  .filter((text) => /^(?:[\w.~-]|%[0-9A-F]{2})+$/.test(text) && text !== '.' && text !== '..')
const key = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const prefix = fc.constantFrom('', 'backups', 'a/b')

test('every key is read back from its object, and no name is longer than file systems take', () => {
  fc.assert(
    fc.property(prefix, key, (store, text) => {
      fc.pre(text.length < 1000)
      const object = objectOfKey(store, text)
      expect(keyOfObject(store, object)).toBe(text)
      expect(Math.max(...object.split('/').map((name) => name.length))).toBeLessThanOrEqual(201)
    }),
  )
})

test('the objects of a prefix are those whose keys begin with it', () => {
  fc.assert(
    fc.property(prefix, key, fc.nat(), (store, text, at) => {
      fc.pre(text.length < 1000)
      const beginning = text.slice(0, at % (text.length + 1))
      expect(objectOfKey(store, text).startsWith(objectsOfPrefix(store, beginning))).toBe(true)
    }),
  )
})

test('keys are laid out as the driver for directories does it, so that a store can be copied', () => {
  const name = 'n'.repeat(200)
  expect(objectOfKey('', 'shop/orders/dump.data.zst')).toBe('shop/orders/dump.data.zst')
  expect(objectOfKey('', `a/${name}/b`)).toBe(`a/${name}%/%/b`)
  expect(objectOfKey('', `a/${name}more`)).toBe(`a/${name}%/more`)
})

test.each(['', '/a', 'a/', 'a//b', '.', 'a/..', 'a b', 'ü', 'a%2', 'a\\b'])('%j is no key', (text) => {
  expect(() => objectOfKey('', text)).toThrow(expect.objectContaining({ code: 'STORAGE_KEY_INVALID' }))
})

test('a key that is too long together with the prefix is refused before anything is sent', () => {
  expect(() => objectOfKey('p'.repeat(200), 'x'.repeat(900))).toThrow(/more than 1024 bytes/)
  expect(objectOfKey('p'.repeat(100), 'x'.repeat(900))).toHaveLength(101 + 900 + 8)
})
