import fc from 'fast-check'

function field(low: number, high: number, names: readonly string[] = []): fc.Arbitrary<string> {
  const value = fc.integer({ min: low, max: high })
  const range = fc.tuple(value, value).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
  const part = fc.oneof(
    { weight: 4, arbitrary: value.map(String) },
    { weight: 1, arbitrary: value.map((n) => String(n).padStart(2, '0')) },
    { weight: 2, arbitrary: range.map(([a, b]) => `${a}-${b}`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(range, fc.integer({ min: 1, max: Math.min(high, 9) }))
        .map(([[a, b], step]) => `${a}-${b}/${step}`),
    },
    ...(names.length > 0 ? [{ weight: 2, arbitrary: fc.constantFrom(...names) }] : []),
  )
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    { weight: 2, arbitrary: fc.integer({ min: 2, max: Math.min(high, 20) }).map((step) => `*/${step}`) },
    { weight: 5, arbitrary: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(',')) },
  )
}

const hours = field(0, 23)
const dates = fc.oneof({ weight: 3, arbitrary: fc.constant('*') }, { weight: 2, arbitrary: field(1, 31) })
const months = fc.oneof(
  { weight: 4, arbitrary: fc.constant('*') },
  { weight: 1, arbitrary: field(1, 12, ['JAN', 'mar', 'Oct']) },
)
const weekdays = fc.oneof(
  { weight: 3, arbitrary: fc.constant('*') },
  { weight: 2, arbitrary: field(0, 7, ['SUN', 'mon', 'Sat']) },
)

/** Expressions of every form that cron knows. Some never fire. */
export const expressions: fc.Arbitrary<string> = fc
  .tuple(field(0, 59), hours, dates, months, weekdays)
  .map((fields) => fields.join(' '))

/** Expressions with a slot or two a day, at the hours in which clocks change. */
export const nightly: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('0', '15', '30', '0,30', '45', '59', '*/20'),
    fc.constantFrom('0', '1', '2', '3', '23', '1-3', '*/2', '2,14'),
    dates,
    months,
    weekdays,
  )
  .map((fields) => fields.join(' '))
