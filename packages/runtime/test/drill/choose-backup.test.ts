import type { RestorePoint } from '@holdfast/sdk'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseBackup, type Backup } from '../../src/drill/choose-backup.ts'

function backup(at: number, more: Partial<Backup> = {}): Backup {
  const { target = 't' } = more
  const point: RestorePoint = { id: `${target}-${at}`, target, createdAt: new Date(at), state: 'valid', ref: null }
  const isComplete = more.isVerified ?? true
  return { target, points: [point], at: new Date(at), isVerified: true, isComplete, damage: undefined, ...more }
}
const newest = { select: 'newest', target: undefined, random: () => 0 } as const

describe('the newest', () => {
  test('of those that were read back; what nobody has read may still be in the making', () => {
    const [old, young] = [backup(1), backup(2, { isVerified: false })]
    expect(chooseBackup([old, young], newest)).toEqual({ backup: old, passedOver: [young] })
  })

  test('not half of one that a run left which failed, although somebody has read that back', () => {
    const [old, half] = [backup(1), backup(2, { isComplete: false })]
    expect(chooseBackup([old, half], newest)).toEqual({ backup: old, passedOver: [half] })
    expect(chooseBackup([half], newest)?.backup).toBe(half)
  })

  test('of all, where none was ever read back', () => {
    const [old, young] = [backup(1, { isVerified: false }), backup(2, { isVerified: false })]
    expect(chooseBackup([young, old], newest)).toEqual({ backup: young, passedOver: [] })
  })

  test('also where it is known to be damaged: an older one would prove the wrong thing', () => {
    const damaged = backup(2, { isVerified: false, damage: 'flipped' })
    expect(chooseBackup([backup(1), damaged], newest)?.backup).toBe(damaged)
  })

  test('of the target that is asked for', () => {
    const [a, b] = [backup(1, { target: 'a' }), backup(2, { target: 'b' })]
    expect(chooseBackup([a, b], { ...newest, target: 'a' })?.backup).toBe(a)
    expect(chooseBackup([a, b], { ...newest, target: 'c' })).toBeUndefined()
  })

  test('of another target each time, where none is asked for', () => {
    const all = ['b', 'a', 'c'].flatMap((target) => [backup(1, { target }), backup(2, { target })])
    const chosen = [0, 0.34, 0.99].map(
      (number) => chooseBackup(all, { ...newest, random: () => number })?.backup.points[0]?.id,
    )
    expect(chosen).toEqual(['a-2', 'b-2', 'c-2'])
  })
})

describe('any', () => {
  test('of those that were read back and are not known to be damaged', () => {
    const sound = [backup(1), backup(2), backup(3)]
    const all = [...sound, backup(4, { isVerified: false }), backup(5, { damage: 'flipped' })]
    const chosen = new Set(
      Array.from({ length: 100 }, (_, number) => {
        return chooseBackup(all, { select: 'random', target: 't', random: () => number / 100 })?.backup
      }),
    )
    expect(chosen).toEqual(new Set(sound))
  })

  test('the newest damaged one where there is nothing else: the drill has to fail', () => {
    const damaged = [backup(1, { damage: 'x' }), backup(2, { damage: 'y' })]
    expect(chooseBackup(damaged, { select: 'random', target: 't', random: () => 0 })?.backup).toBe(damaged[1])
  })
})

test('whatever there is, one is chosen, it is the target’s, and nothing damaged is chosen at random beside something sound', () => {
  const backups = fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: 50 }),
      target: fc.constantFrom('a', 'b', 'c'),
      isVerified: fc.boolean(),
      damage: fc.constantFrom(undefined, 'damaged'),
    }),
  )
  const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(
      backups,
      fc.constantFrom('newest', 'random'),
      fc.constantFrom('a', undefined),
      chances,
      (all, select, target, chance) => {
        const made = all.map(({ at, ...more }) => backup(at, more))
        const chosen = chooseBackup(made, { select, target, random: () => chance })?.backup
        const own = made.filter((each) => target === undefined || each.target === target)
        expect(chosen === undefined).toBe(own.length === 0)
        if (!chosen) return
        expect(own).toContain(chosen)
        const others = made.filter((each) => each.target === chosen.target)
        const isSound = (each: Backup): boolean => each.isVerified && each.damage === undefined
        if (select === 'random' && others.some(isSound)) expect(isSound(chosen)).toBe(true)
        if (select === 'newest' && !chosen.isVerified && chosen.damage === undefined) {
          expect(others.every((each) => !each.isVerified && each.damage === undefined)).toBe(true)
        }
      },
    ),
  )
})
