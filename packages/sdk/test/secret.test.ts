import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { createSecret, isSecret } from '../src/index.ts'

test('a secret shows its value through reveal() only', () => {
  const secret = createSecret('hunter2')
  expect(secret.reveal()).toBe('hunter2')
  const shown = [
    String(secret),
    `${secret as unknown as string}`,
    JSON.stringify({ secret }),
    inspect(secret, { showHidden: true, depth: 5 }),
    inspect({ nested: [secret] }),
    JSON.stringify(Object.entries(secret)),
    JSON.stringify(structuredCloneable(secret)),
  ]
  expect(shown.join('\n')).not.toContain('hunter2')
  expect(shown[0]).toBe('[secret]')
})

test('secrets of another copy of the SDK are recognised', () => {
  const foreign = Object.defineProperty({ reveal: () => 'x' }, Symbol.for('holdfast.secret'), { value: true })
  expect(isSecret(foreign)).toBe(true)
  expect(isSecret({ reveal: () => 'x' })).toBe(false)
  expect(isSecret('x')).toBe(false)
})

function structuredCloneable(secret: object): unknown {
  return { ...secret }
}
