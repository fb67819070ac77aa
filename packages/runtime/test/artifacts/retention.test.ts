import type { RestorePoint, Retention } from '@holdfast/sdk'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatRetention, parseRetention, planRetention } from '../../src/artifacts/retention.ts'
import { slowRetention } from './retention.oracle.ts'
import { failure } from './support.ts'

const now = new Date('2026-11-23T12:30:00Z')
const hour = 3_600_000
const day = 24 * hour

function point(ageMs: number, changes: Partial<RestorePoint> = {}): RestorePoint {
  const createdAt = new Date(now.getTime() - ageMs)
  return {
    id: createdAt.toISOString(),
    target: 'orders',
    createdAt,
    state: 'valid',
    verifiedAt: createdAt,
    ref: null,
    ...changes,
  }
}

const kept = (points: readonly RestorePoint[], retention: Retention, at = now, zone = 'UTC'): string[] =>
  planRetention(points, retention, at, zone)
    .keep.map(({ point: { id } }) => id)
    .toSorted()

describe("Benji's rules", () => {
  const hourly = Array.from({ length: 10 }, (_, n) => point(n * hour))

  test('hours3 covers four buckets: the current hour and three before it', () => {
    expect(kept(hourly, { hours: 3 })).toEqual(
      hourly
        .slice(0, 4)
        .map(({ id }) => id)
        .toSorted(),
    )
  })

  test('of one bucket the oldest stays', () => {
    const points = [point(0), point(10 * 60_000), point(20 * 60_000), point(hour), point(hour + 60_000)]
    // The newest verified one stays besides.
    expect(kept(points, { hours: 5 })).toEqual([points[0]!.id, points[2]!.id, points[4]!.id].toSorted())
  })

  test('latest are taken away first, whatever their buckets', () => {
    expect(kept(hourly, { latest: 2, hours: 4 })).toEqual(
      hourly
        .slice(0, 5)
        .map(({ id }) => id)
        .toSorted(),
    )
    expect(kept(hourly, { latest: 3 })).toEqual(
      hourly
        .slice(0, 3)
        .map(({ id }) => id)
        .toSorted(),
    )
  })

  test('each point belongs to the first category that reaches back to it', () => {
    const points = [point(0), point(2 * day), point(2 * day + hour), point(40 * day), point(400 * day)]
    const plan = planRetention(points, { hours: 24, days: 30, months: 3 }, now, 'UTC')
    expect(plan.keep.map(({ point: { id }, rule, index }) => [id, rule, index])).toEqual(
      expect.arrayContaining([
        [points[0]!.id, 'hours', 0],
        [points[2]!.id, 'days', 2],
        [points[3]!.id, 'months', 1],
      ]),
    )
    expect(plan.expire).toEqual([
      { point: points[4], rule: 'too-old', category: undefined },
      { point: points[1], rule: 'superseded', category: 'days' },
    ])
  })

  test('weeks begin on Monday', () => {
    // 2026-11-23 is a Monday.
    const sunday = point(day, { id: 'sunday' })
    const monday = point(7 * day, { id: 'monday' })
    const plan = planRetention([point(0), sunday, monday], { weeks: 1 }, now, 'UTC')
    expect(plan.keep.map(({ point: { id }, index }) => [id, index])).toEqual(expect.arrayContaining([['monday', 1]]))
    expect(plan.expire.map(({ point: { id } }) => id)).toEqual(['sunday'])
  })

  test('days are those of the time zone', () => {
    const before = point(0, { id: 'before', createdAt: new Date('2026-11-22T22:30:00Z') })
    const after = point(0, { id: 'after', createdAt: new Date('2026-11-22T23:30:00Z') })
    const newest = point(0, { id: 'newest' })
    expect(kept([newest, before, after], { days: 5 }, now, 'UTC')).toEqual(['before', 'newest'])
    expect(kept([newest, before, after], { days: 5 }, now, 'Europe/Berlin')).toEqual(['after', 'before', 'newest'])
  })

  test('every target is judged by itself', () => {
    const points = [point(0), point(hour, { target: 'users' }), point(2 * hour)]
    expect(kept(points, { latest: 1 })).toEqual([points[0]!.id, points[1]!.id].toSorted())
  })
})

describe('fault F50', () => {
  test('points from the future stay, and take nobody’s place', () => {
    const future = [point(-day), point(-365 * day)]
    const past = [point(0), point(hour), point(2 * hour)]
    const plan = planRetention([...future, ...past], { latest: 2 }, now, 'UTC')
    expect(plan.keep.filter(({ rule }) => rule === 'future').map((each) => each.point)).toEqual(future)
    expect(plan.expire.map((each) => each.point)).toEqual([past[2]])
  })

  test('when all are too old, the newest verified one stays', () => {
    const points = [point(400 * day, { verifiedAt: undefined }), point(401 * day), point(500 * day)]
    const plan = planRetention(points, { days: 14 }, now, 'UTC')
    expect(plan.keep).toEqual([{ point: points[1], rule: 'newest-verified' }])
  })

  test('while nothing is verified, nothing goes', () => {
    const points = Array.from({ length: 5 }, (_, n) => point(n * day, { verifiedAt: undefined }))
    const plan = planRetention(points, { latest: 1 }, now, 'UTC')
    expect(plan.expire).toEqual([])
    expect(plan.keep.every(({ rule }) => rule === 'nothing-verified')).toBe(true)
  })

  test('only valid points are judged; the others stay and count for nothing', () => {
    const bad = (['suspect', 'invalid', 'incomplete'] as const).map((state, n) => point(n, { state, id: state }))
    const plan = planRetention([...bad, point(hour), point(2 * hour)], { latest: 1 }, now, 'UTC')
    expect(plan.keep.map(({ point: { id }, rule }) => [id, rule])).toEqual([
      ['suspect', 'suspect'],
      ['invalid', 'invalid'],
      ['incomplete', 'incomplete'],
      [point(hour).id, 'latest'],
    ])
    expect(plan.expire).toHaveLength(1)
  })

  test('a set of failures only is left alone', () => {
    const points = Array.from({ length: 5 }, (_, n) => point(n * 100 * day, { state: n % 2 ? 'suspect' : 'invalid' }))
    expect(planRetention(points, { latest: 1 }, now).expire).toEqual([])
  })

  test('a date that cannot be read is left alone', () => {
    const undated = point(0, { id: 'undated', createdAt: new Date(Number.NaN) })
    const plan = planRetention([undated, point(0), point(day)], { latest: 1 }, now, 'UTC')
    expect(plan.keep[0]).toEqual({ point: undated, rule: 'undated' })
    expect(plan.expire).toHaveLength(1)
  })

  test('no rules: nothing goes', () => {
    const points = [point(0), point(4000 * day)]
    expect(planRetention(points, {}, now).expire).toEqual([])
  })
})

const retentions = fc.record(
  Object.fromEntries(
    ['latest', 'hours', 'days', 'weeks', 'months', 'years'].map((rule) => [rule, fc.integer({ min: 1, max: 30 })]),
  ),
  { requiredKeys: [] },
) as fc.Arbitrary<Retention>
const ages = fc.oneof(
  fc.integer({ min: -2 * day, max: 3 * day }),
  fc.integer({ min: 0, max: 800 * day }),
  fc.integer({ min: 0, max: 100 }).map((n) => n * 30 * 60_000),
)
const points = fc.array(
  fc.record({
    age: ages,
    state: fc.constantFrom('valid', 'valid', 'valid', 'suspect', 'invalid', 'incomplete' as const),
    verified: fc.boolean(),
    target: fc.constantFrom('orders', 'users'),
  }),
  { maxLength: 60 },
)
const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Santiago')
const instants = fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true })

function cases(
  list: readonly { age: number; state: string; verified: boolean; target: string }[],
  at: Date,
): RestorePoint[] {
  return list.map(({ age, state, verified, target }, n) => {
    const createdAt = new Date(at.getTime() - age)
    return {
      id: `${n}`.padStart(3, '0'),
      target,
      createdAt,
      state: state as 'valid',
      verifiedAt: verified ? createdAt : undefined,
      ref: null,
    }
  })
}

test('the same as a slow and simple reading of the rules', () => {
  fc.assert(
    fc.property(points, retentions, instants, zones, (list, retention, at, zone) => {
      const all = cases(list, at)
      const plan = planRetention(all, retention, at, zone)
      expect(plan.expire.map(({ point: { id } }) => id).toSorted()).toEqual(slowRetention(all, retention, at, zone))
    }),
    { numRuns: process.env['HOLDFAST_TEST_LONG'] ? 5000 : 300 },
  )
})

test('promise P5: the newest verified point never goes, and every point is in one list', () => {
  fc.assert(
    fc.property(points, retentions, instants, zones, (list, retention, at, zone) => {
      const all = cases(list, at)
      const { keep, expire } = planRetention(all, retention, at, zone)
      expect([...keep, ...expire].map((each) => each.point.id).toSorted()).toEqual(all.map(({ id }) => id))
      for (const target of ['orders', 'users']) {
        const verified = all
          .filter((each) => each.target === target && each.state === 'valid' && each.verifiedAt)
          .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
        const gone = new Set(expire.map((each) => each.point))
        if (verified[0]) expect(gone.has(verified[0])).toBe(false)
        // Nor the newest of those that aren't from the future.
        const present = verified.find(({ createdAt }) => createdAt <= at)
        if (present) expect(gone.has(present)).toBe(false)
      }
      expect(expire.every(({ point: { state } }) => state === 'valid')).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('what was kept stays kept when nothing has changed: pruning twice is pruning once', () => {
  fc.assert(
    fc.property(points, retentions, instants, zones, (list, retention, at, zone) => {
      const { keep } = planRetention(cases(list, at), retention, at, zone)
      expect(
        planRetention(
          keep.map((each) => each.point),
          retention,
          at,
          zone,
        ).expire,
      ).toEqual([])
    }),
    { numRuns: 200 },
  )
})

test('rules are written as Benji reads them', async () => {
  expect(parseRetention('latest3,hours24,days30,months3')).toEqual({ latest: 3, hours: 24, days: 30, months: 3 })
  expect(formatRetention({ months: 3, latest: 3 })).toBe('latest3,months3')
  fc.assert(
    fc.property(
      retentions.filter((rules) => Object.keys(rules).length > 0),
      (rules) => {
        expect(parseRetention(formatRetention(rules))).toEqual(rules)
      },
    ),
  )
  for (const [text, reason] of [
    ['', 'not a rule and a number'],
    ['latest', 'not a rule and a number'],
    ['latest3 ,days2', 'not a rule and a number'],
    ['latest3,', 'not a rule and a number'],
    ['seconds3', '"seconds" is not a rule'],
    ['constructor1', '"constructor" is not a rule'],
    ['days0', 'keeps nothing'],
    ['days99999999999999999999', 'keeps nothing'],
    ['days1,days2', 'there twice'],
    ['days-1', 'not a rule and a number'],
  ] as const) {
    const error = await failure((async () => parseRetention(text))())
    expect(error.code).toBe('RETENTION_INVALID')
    expect(error.message).toContain(reason)
  }
})
