import { BenjiFailure, type FakeVersion } from './fake-versions.ts'

const categories = ['hours', 'days', 'weeks', 'months', 'years'] as const
type Category = (typeof categories)[number]

/**
 * What Benji's enforce lets go of one volume's versions, in UTC.
 *
 * @throws BenjiFailure 64 or 70 for rules that are none
 */
export function dismissed(rules: string, versions: readonly FakeVersion[], now: Date): readonly FakeVersion[] {
  const counts = parse(rules)
  const newestFirst = versions.toSorted((a, b) => b.date.getTime() - a.date.getTime())
  const rest = newestFirst.slice(counts.get('latest') ?? 0).filter(({ date }) => date <= now)
  const slots = new Map<string, FakeVersion[]>()
  const gone: FakeVersion[] = []
  for (const version of rest) {
    const category = categories.find((each) => ageIn(each, version.date, now) <= (counts.get(each) ?? -1))
    if (category === undefined) gone.push(version)
    else {
      const slot = `${category}${ageIn(category, version.date, now)}`
      slots.set(slot, [...(slots.get(slot) ?? []), version])
    }
  }
  // Of each slot the oldest stays.
  return [...gone, ...[...slots.values()].flatMap((slot) => slot.slice(0, -1))].toReversed()
}

function parse(rules: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const rule of rules.split(',')) {
    const [, name = rule, count = ''] = /^([a-z]+)(-?\d+)$/.exec(rule) ?? []
    if (name !== 'latest' && !(categories as readonly string[]).includes(name)) {
      throw new BenjiFailure(70, `ValueError: Time category ${name} in retention policy is invalid.`)
    }
    if (counts.has(name)) {
      throw new BenjiFailure(70, `ValueError: Time category ${name} listed more than once in retention policy.`)
    }
    if (Number(count) <= 0) {
      throw new BenjiFailure(64, `UsageError: Count of time category ${name} must be a positive integer.`)
    }
    counts.set(name, Number(count))
  }
  return counts
}

function ageIn(category: Category, date: Date, now: Date): number {
  const months = (at: Date): number => at.getUTCFullYear() * 12 + at.getUTCMonth()
  const whole = (ms: number, offset = 0) =>
    Math.floor((now.getTime() + offset) / ms) - Math.floor((date.getTime() + offset) / ms)
  if (category === 'hours') return whole(3_600_000)
  if (category === 'days') return whole(86_400_000)
  // 1970 began on a Thursday; weeks begin on Mondays.
  if (category === 'weeks') return whole(604_800_000, 3 * 86_400_000)
  return category === 'months' ? months(now) - months(date) : now.getUTCFullYear() - date.getUTCFullYear()
}
