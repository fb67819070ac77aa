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
  /** Begins a series at 0, before anything is recorded. */
  begin(labels: Labels): void
  /** Drops the series that have all these labels. */
  remove(labels: Labels): void
  /**
   * What prom-client's formatter needs of a metric.
   *
   * @param only - of the series with these labels. Default: of all
   */
  get(only?: (labels: Labels) => boolean): ReadMetric
}

/** A metric as it is now. */
export interface ReadMetric {
  readonly name: string
  readonly help: string
  readonly type: MetricKind
  readonly values: Iterable<SampleValue>
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
  /** Called with a label that was given and is none of the metric's. */
  readonly onUnknown?: ((label: string) => void) | undefined
}): Series {
  const { kind, name, help, labels: names, bounds, onFull, onUnknown } = options
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
      const unknown = Object.keys(given).find((label) => !names.includes(label))
      if (unknown !== undefined) onUnknown?.(unknown)
      const labels = Object.fromEntries(names.map((label, at) => [label, values[at] ?? '']))
      entry = { labels, value: 0, buckets: bounds.map(() => 0), count: 0 }
      entries.set(key, entry)
    }
    return entry
  }

  function* valuesOf(only: (labels: Labels) => boolean): Iterable<SampleValue> {
    for (const entry of entries.values()) {
      if (!only(entry.labels)) continue
      if (kind === 'histogram') yield* histogramValues(name, entry, bounds)
      else yield { sharedLabels: entry.labels, value: entry.value }
    }
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
    begin: (labels) => void entryOf(labels),
    remove(labels) {
      for (const [key, entry] of entries) {
        if (Object.entries(labels).every(([label, value]) => entry.labels[label] === value)) entries.delete(key)
      }
    },
    get: (only = everything) => asRead({ name, help, kind, values: () => valuesOf(only) }),
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

  function* valuesOf(only: (labels: Labels) => boolean): Iterable<SampleValue> {
    for (const { value, labels: given } of samples()) {
      if (!Number.isFinite(value)) continue
      const labels: Record<string, string> = {}
      for (const label of names) labels[label] = labelValue(given[label])
      if (only(labels)) yield { value, labels }
    }
  }

  return {
    kind: 'gauge',
    labels: names,
    record: nothing,
    begin: nothing,
    remove: nothing,
    get: (only = everything) => asRead({ name, help, kind: 'gauge', values: () => valuesOf(only) }),
  }
}

/** Plugins in JavaScript hand over anything; what is no sound text would break the whole page (fault F53). */
function labelValue(given: unknown): string {
  if (typeof given === 'string') return given.toWellFormed()
  return typeof given === 'number' || typeof given === 'boolean' ? `${given}` : ''
}

/**
 * prom-client's own type wants the name on every value and its enum of kinds; its formatter wants neither. Nor does it
 * want a list: it goes through the values once, and a thousand plans have fifty thousand of them.
 */
function asRead(metric: {
  readonly name: string
  readonly help: string
  readonly kind: MetricKind
  readonly values: () => Iterable<SampleValue>
}): ReadMetric {
  const { name, help, kind, values } = metric
  return { name, help, type: kind, values: { [Symbol.iterator]: () => values()[Symbol.iterator]() } }
}

/** One line of a metric. */
export interface SampleValue {
  readonly metricName?: string
  readonly labels?: Readonly<Record<string, string | number>>
  /** The same object at every reading: the formatter keeps what it made of it, which is most of its work. */
  readonly sharedLabels?: Labels
  readonly value: number
}

const everything = (): boolean => true

function* histogramValues(
  name: string,
  { labels: sharedLabels, value, buckets, count }: Entry,
  bounds: readonly number[],
): Iterable<SampleValue> {
  let below = 0
  const metricName = `${name}_bucket`
  for (const [at, le] of bounds.entries()) {
    below += buckets[at] ?? 0
    yield { metricName, labels: { le }, sharedLabels, value: below }
  }
  yield { metricName, labels: { le: '+Inf' }, sharedLabels, value: count }
  yield { metricName: `${name}_sum`, sharedLabels, value }
  yield { metricName: `${name}_count`, sharedLabels, value: count }
}
