import fc from 'fast-check'
import { expect, it } from 'vitest'
import { whyNoValue } from '../src/benji/names.ts'
import { planLabel } from '../src/labels.ts'

it('the name of a plan is the value of its label wherever Benji takes it', () => {
  expect(planLabel('benji-backup-pvc-3fa2c1')).toBe('benji-backup-pvc-3fa2c1')
  expect(planLabel('nightly/shop')).toBe('nightly/shop')
})

/**
 * Any character. For `unit: 'binary'` fast-check makes a table of them all, of 200 MB, which every later start of a process
 * pays for.
 */
const character = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))

it('any other name becomes one that Benji takes, and different names stay different', () => {
  expect(planLabel('Läden & Lager')).toMatch(/^L_den_Lager\.[0-9a-f]{8}$/)
  expect(planLabel('a b')).not.toBe(planLabel('a_b'))
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 300, unit: character }), (name) => {
      const label = planLabel(name)
      expect(whyNoValue(label)).toBeUndefined()
      expect(label.length).toBeLessThanOrEqual(255)
    }),
  )
})
