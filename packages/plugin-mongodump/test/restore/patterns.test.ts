import { expect, test } from 'vitest'
import { escapePattern, matchesAny, renamed } from '../../src/restore/patterns.ts'

test.each([
  ['*', 'shop.orders', true],
  ['shop.*', 'shop.orders', true],
  ['shop.*', 'shopping.orders', false],
  ['*.orders', 'shop.orders', true],
  ['shop.orders', 'shop.orders2', false],
  ['s*p.o*s', 'shop.orders', true],
  [String.raw`shop.a\*`, 'shop.a*', true],
  [String.raw`shop.a\*`, 'shop.ab', false],
  ['shop.a.b', 'shop.aXb', false],
])('%s on %s: %s', (pattern, namespace, matches) => {
  expect(matchesAny([pattern], namespace)).toBe(matches)
})

test.each([
  ['shop.*', 'copy.*', 'shop.orders', 'copy.orders'],
  ['shop.*', 'copy.*', 'other.orders', 'other.orders'],
  ['*.orders', '*.orders_old', 'shop.orders', 'shop.orders_old'],
  ['a.*.*', 'b.*.*', 'a.x.y', 'b.x.y'],
  ['$db$.$name$', '$name$.$db$', 'shop.orders', 'orders.shop'],
  ['shop.orders', 'shop.$1', 'shop.orders', 'shop.$1'],
  ['shop.*', 'sh$&op.*', 'shop.orders', 'sh$&op.orders'],
])('%s to %s makes of %s: %s', (from, to, namespace, expected) => {
  expect(renamed([{ from, to }], namespace)).toBe(expected)
})

test('of several that match, the last counts', () => {
  const renames = [
    { from: '*.orders', to: '*.first' },
    { from: 'shop.*', to: 'second.*' },
  ]
  expect(renamed(renames, 'shop.orders')).toBe('second.orders')
  expect(renamed(renames, 'other.orders')).toBe('other.first')
})

test.each([
  ['shop.*', 'copy.orders', 'differ in how many *'],
  ['$a$.$a$', 'x.$a$', 'names something twice'],
  ['$a$.x', '$b$.x', 'uses a name'],
  ['$a.x', 'b.x', 'a $ without another'],
])('%s to %s is refused', (from, to, problem) => {
  expect(() => renamed([{ from, to }], 'a.b')).toThrow(problem)
})

test('a name can be meant as it is', () => {
  for (const name of ['a*b', String.raw`a\b`, '*']) {
    expect(matchesAny([`${escapePattern(name)}.*`], `${name}.c`)).toBe(true)
    expect(matchesAny([`${escapePattern(name)}.*`], 'other.c')).toBe(false)
  }
})
