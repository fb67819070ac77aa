import { expect, test } from 'vitest'
import { defineErrors, HoldfastError, isHoldfastError } from '../src/index.ts'

const errors = defineErrors(
  {
    DUMP_EMPTY: {
      message: (p: { database: string }) => `the dump of ${p.database} has no bytes`,
      hint: 'Nothing was stored.',
      retryable: true,
    },
    DUMP_SHORT: {
      message: (p: { bytes: number }) => `only ${p.bytes} bytes`,
      hint: (p) => `Expected more than ${p.bytes}.`,
    },
  },
  'docs/errors.md',
)

test('an error of a catalogue says what happened, what to do, and where to read more', () => {
  const cause = new Error('socket closed')
  const error = errors.DUMP_EMPTY({ database: 'shop' }, { cause, target: 'shop' })
  expect(error).toMatchObject({
    name: 'HoldfastError',
    code: 'DUMP_EMPTY',
    message: 'the dump of shop has no bytes',
    hint: 'Nothing was stored.',
    docs: 'docs/errors.md#dump_empty',
    retryable: true,
    target: 'shop',
    details: { database: 'shop' },
    cause,
  })
  expect(errors.DUMP_EMPTY.code).toBe('DUMP_EMPTY')
  expect(errors.DUMP_SHORT({ bytes: 3 })).toMatchObject({ hint: 'Expected more than 3.', retryable: false })
})

test('two copies of the SDK understand each other', () => {
  const foreign = Object.defineProperty(new Error('x'), Symbol.for('holdfast.error'), { value: true })
  expect(isHoldfastError(foreign)).toBe(true)
  expect(isHoldfastError(new Error('x'))).toBe(false)
  expect(isHoldfastError(new HoldfastError({ code: 'X', message: 'x' }))).toBe(true)
})
