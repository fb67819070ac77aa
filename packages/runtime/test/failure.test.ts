import * as z from 'zod'
import { expect, test } from 'vitest'
import { reasonOf, toFailure } from '../src/failure.ts'

test('what a schema throws in a hook is told by its issues, and not as the bracket that its message begins with', () => {
  const schema = z.strictObject({ url: z.string(), retries: z.array(z.number()) })
  const thrown = schema.safeParse({ urll: 'x', retries: [1, 'two'] }).error
  expect(reasonOf(thrown)).toBe(
    'url: Invalid input: expected string, received undefined; retries.1: Invalid input: expected number, received string; Unrecognized key: "urll"',
  )
  expect(toFailure(thrown, { hook: 'backups', plugin: 'shop' }).message).toMatch(
    /^backups of "shop" failed: url: Invalid input/,
  )
})

test('issues of valibot, whose path has objects, are told as well; other errors by their first line', () => {
  const issues = [{ message: 'must be a port', path: [{ key: 'servers' }, { key: 0 }, { key: 'port' }] }]
  expect(reasonOf(Object.assign(new Error('bad'), { issues }))).toBe('servers.0.port: must be a port')
  expect(reasonOf(Object.assign(new Error('bad\nand more'), { issues: ['a', 'b'] }))).toBe('bad')
  expect(reasonOf(Object.assign(new Error('bad'), { issues: [] }))).toBe('bad')
  // Whatever is thrown, telling it must not throw.
  expect(reasonOf(Object.assign(new Error('bad'), { issues: [{ message: 'odd', path: [null, Symbol('s')] }] }))).toBe(
    'null.Symbol(s): odd',
  )
})
