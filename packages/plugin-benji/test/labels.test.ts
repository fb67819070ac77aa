import fc from 'fast-check'
import { expect, it } from 'vitest'
import { whyNoValue } from '../src/benji/names.ts'
import { planLabel } from '../src/labels.ts'

it('the name of a plan is the value of its label wherever Benji takes it', () => {
  expect(planLabel('benji-backup-pvc-3fa2c1')).toBe('benji-backup-pvc-3fa2c1')
  expect(planLabel('nightly/shop')).toBe('nightly/shop')
})

it('any other name becomes one that Benji takes, and different names stay different', () => {
  expect(planLabel('Läden & Lager')).toMatch(/^L_den_Lager\.[0-9a-f]{8}$/)
  expect(planLabel('a b')).not.toBe(planLabel('a_b'))
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }), (name) => {
      const label = planLabel(name)
      expect(whyNoValue(label)).toBeUndefined()
      expect(label.length).toBeLessThanOrEqual(255)
    }),
  )
})
