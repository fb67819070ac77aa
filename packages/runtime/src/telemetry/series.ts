import type { MetricObjectWithValues, MetricValueWithName } from 'prom-client'

/** Values of labels. */
export type Labels = Readonly<Record<string, string>>

/** Which kind of metric. */
export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** One value of a metric, as it is now. */
export interface Sample {
  readonly value: number
  readonly labels: Labels
}

/** One metric and all its series: our own counts, which a registry reads. */
export interface Series {
  readonly kind: MetricKind
  readonly labels: readonly string[]
  /** Adds to a counter, sets a gauge, observes in a histogram. Never throws: no metric may fail a backup. */
  record(value: number, labels: Labels | undefined): void
  /** Drops the series that have all these labels. */
  remove(labels: Labels): void
  /** As prom-client's own metrics give it. */
  get(): MetricObjectWithValues<MetricValueWithName<string>>
}

/** Beyond this a label isn't bounded, whatever its author thinks, and memory must be. */
const mostSeries = 20_000

interface Entry {
  readonly labels: Labels
  value: number
  /** Of a histogram: observations up to each bound. */
  readonly buckets: number[]
  count: number
}

/**
 * Creates the series of one metric.
 *
 * @param options - `bounds`: upper bounds of a histogram's buckets, ascending; `onFull`: called when a series is left out
 * because there are 20,000
 */
export function createSeries(options: {
  readonly kind: MetricKind
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly bounds: readonly number[]
  readonly onFull?: (() => void) | undefined
}): Series {
  const { kind, name, help, labels: names, bounds, onFull } = options
  const entries = new Map<string, Entry>()

  const entryOf = (given: Labels): Entry | undefined => {
    const values = names.map((label) => labelValue(given[label]))
    const key = JSON.stringify(values)
    let entry = entries.get(key)
    if (!entry) {
      if (entries.size >= mostSeries) {
        onFull?.()
        return undefined
      }
      const labels = Object.fromEntries(names.map((label, at) => [label, values[at] ?? '']))
      entry = { labels, value: 0, buckets: bounds.map(() => 0), count: 0 }
      entries.set(key, entry)
    }
    return entry
  }

  // Without labels there is one series, and it is there from the start.
  if (names.length === 0 && kind !== 'gauge') entryOf({})

  return {
    kind,
    labels: names,
    record(value, labels = {}) {
      if (!Number.isFinite(value) || (kind === 'counter' && value < 0)) return
      const entry = entryOf(labels)
      if (!entry) return
      if (kind === 'gauge') {
        entry.value = value
        return
      }
      entry.value += value
      entry.count++
      const bucket = bounds.findIndex((bound) => value <= bound)
      if (bucket !== -1) entry.buckets[bucket] = (entry.buckets[bucket] ?? 0) + 1
    },
    remove(labels) {
      for (const [key, entry] of entries) {
        if (Object.entries(labels).every(([label, value]) => entry.labels[label] === value)) entries.delete(key)
      }
    },
    get() {
      const values = [...entries.values()].flatMap((entry): SampleValue[] =>
        kind === 'histogram' ? histogramValues(name, entry, bounds) : [{ labels: entry.labels, value: entry.value }],
      )
      return asRead({ name, help, kind, values })
    },
  }
}

/**
 * A gauge whose series are worked out whenever somebody reads them.
 *
 * @param options - `samples`: each set of labels at most once
 */
export function computedSeries(options: {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly samples: () => Iterable<Sample>
}): Series {
  const { name, help, labels: names, samples } = options
  const nothing = (): void => {}
  return {
    kind: 'gauge',
    labels: names,
    record: nothing,
    remove: nothing,
    get() {
      const values: SampleValue[] = []
      for (const { value, labels } of samples()) {
        if (!Number.isFinite(value)) continue
        values.push({ value, labels: Object.fromEntries(names.map((label) => [label, labelValue(labels[label])])) })
      }
      return asRead({ name, help, kind: 'gauge', values })
    },
  }
}

/** Plugins in JavaScript hand over anything; what is no sound text would break the whole page (fault F53). */
function labelValue(given: unknown): string {
  if (typeof given === 'string') return given.toWellFormed()
  return typeof given === 'number' || typeof given === 'boolean' ? `${given}` : ''
}

/** prom-client's own type wants the name on every value and its enum of kinds; its formatter wants neither. */
function asRead(metric: {
  readonly name: string
  readonly help: string
  readonly kind: MetricKind
  readonly values: readonly SampleValue[]
}): ReturnType<Series['get']> {
  const { kind, ...rest } = metric
  return { ...rest, type: kind, aggregator: 'sum' } as unknown as ReturnType<Series['get']>
}

interface SampleValue {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

function histogramValues(
  name: string,
  { labels, value, buckets, count }: Entry,
  bounds: readonly number[],
): SampleValue[] {
  let below = 0
  return [
    ...bounds.map((bound, at) => {
      below += buckets[at] ?? 0
      return { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: below }
    }),
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
