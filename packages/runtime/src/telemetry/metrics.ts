import type { Logger, Meter } from '@holdfast/sdk'
import type { Metric, Registry } from 'prom-client'
import { reasonOf } from '../failure.ts'
import { computedSeries, createSeries, type Labels, type MetricKind, type Sample, type Series } from './series.ts'

type Histogram = ReturnType<Meter['histogram']> & { begin(labels: Labels): void }

/** The SDK's meter, and what the endpoint needs. */
export interface Metrics extends Meter {
  /** As of the SDK's meter; `begin` shows a series at 0 before anything was observed, as `add(0)` does of a counter. */
  histogram(name: string, help: string, labels?: readonly string[]): Histogram
  /** Of {@link Metrics.text}, for an HTTP header. */
  readonly contentType: string
  /**
   * Everything that was recorded, in Prometheus' text format.
   *
   * @param only - the series with these labels, and no metric that has none of them. Default: everything
   */
  text(only?: (labels: Labels) => boolean): Promise<string>
  /** Drops every series with all these labels: what belongs to a plan that is gone. */
  remove(labels: Labels): void
  /**
   * A gauge whose series are worked out whenever they are read: it costs nothing before, and what is gone is not there.
   * The same name again takes the place of the first.
   *
   * @param samples - each set of labels at most once
   */
  computed(name: string, help: string, labels: readonly string[], samples: () => Iterable<Sample>): void
  /** Called before everything is read: for what nobody needs earlier. What it throws is logged, once. */
  beforeRead(prepare: () => unknown): void
}

/** Options of {@link createMetrics}. */
export interface CreateMetricsOptions {
  /** Hears about metrics that can't be registered. */
  readonly log?: Pick<Logger, 'warn'> | undefined
}

/** Seconds: a run takes from one second to a day. */
const durationBounds = [1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200, 86_400]
/** 1 KiB to 1 TiB. */
const sizeBounds = Array.from({ length: 11 }, (_, at) => 1024 * 8 ** at)
const plainBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100]

/**
 * Creates a meter with a registry of its own. It counts by itself and hands its counts to prom-client only when they
 * are asked for. The same name gives the same metric; a name that is not valid, or is registered with another kind or
 * other labels, is reported once and counts nothing: no metric may fail a backup.
 */
export function createMetrics({ log }: CreateMetricsOptions = {}): Metrics {
  const all = new Map<string, Series>()
  const refused = new Set<string>()
  const sources = new Map<string, () => Iterable<Sample>>()
  const preparations: (() => unknown)[] = []
  let registry: Promise<Registry> | undefined

  const warnOnce = (name: string, message: string, fields: Record<string, unknown>): void => {
    if (!refused.has(name)) log?.warn(message, fields)
    refused.add(name)
  }
  const refuse = (name: string, problem: string): void =>
    warnOnce(name, `the metric "${name}" is not counted: ${problem}`, { metric: name })

  const add = (name: string, series: Series): Series => {
    all.set(name, series)
    void registry?.then((opened) => opened.registerMetric(asMetric(name, series)))
    return series
  }

  const register = (
    kind: MetricKind,
    name: string,
    help: string,
    labels: readonly string[] = [],
  ): Series | undefined => {
    const there = all.get(name)
    const problem = there ? conflict(there, kind, labels) : invalid(name, labels)
    if (problem !== undefined) {
      refuse(name, problem)
      return undefined
    }
    if (there) return there
    const bounds = kind === 'histogram' ? boundsOf(name) : []
    const onFull = (): void =>
      warnOnce(name, `the metric "${name}" has 20,000 series already: no new ones are counted`, { metric: name })
    const onUnknown = (label: string): void =>
      warnOnce(
        name,
        `the metric "${name}" has no label "${label}", and is counted without it; it was made with ${labels.join(', ') || 'none'}`,
        { metric: name },
      )
    return add(name, createSeries({ kind, name, help, labels, bounds, onFull, onUnknown }))
  }

  const prepare = async (): Promise<void> => {
    for (const [index, preparation] of preparations.entries()) {
      try {
        await preparation()
      } catch (error) {
        warnOnce(`preparation ${index}`, `metrics may be incomplete: ${reasonOf(error)}`, { error })
      }
    }
  }

  const open = (): Promise<Registry> =>
    (registry ??= import('prom-client/lib/registry.js').then(({ default: PromRegistry }) => {
      const made = new PromRegistry()
      for (const [name, series] of all) made.registerMetric(asMetric(name, series))
      return made
    }))

  const openPart = async (only: (labels: Labels) => boolean): Promise<Registry> => {
    const { default: PromRegistry } = await import('prom-client/lib/registry.js')
    const part = new PromRegistry()
    for (const [name, series] of all) {
      const read = series.get(only)
      const values = [...read.values]
      if (values.length === 0) continue
      part.registerMetric({ name, get: () => Promise.resolve({ ...read, values }) } as unknown as Metric)
    }
    return part
  }

  return {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    counter(name, help, labels) {
      const series = register('counter', name, help, labels)
      return { add: (n = 1, values) => series?.record(n, values) }
    },
    gauge(name, help, labels) {
      const series = register('gauge', name, help, labels)
      return { set: (n, values) => series?.record(n, values) }
    },
    histogram(name, help, labels) {
      const series = register('histogram', name, help, labels)
      return {
        record: (n, values) => series?.record(n, values),
        begin: (values) => series?.begin(values),
      }
    },
    computed(name, help, labels, samples) {
      const there = all.get(name)
      const problem = there ? conflict(there, 'gauge', labels) : invalid(name, labels)
      if (problem !== undefined) return refuse(name, problem)
      if (there && !sources.has(name)) return refuse(name, 'it is registered as a plain gauge already')
      sources.set(name, samples)
      if (!there) add(name, computedSeries({ name, help, labels, samples: () => sources.get(name)?.() ?? [] }))
    },
    beforeRead: (preparation) => void preparations.push(preparation),
    async text(only) {
      await prepare()
      const opened = await (only ? openPart(only) : open())
      // One after the other, not all at once as the registry does it: then the parts of one are gone before the next,
      // which is what takes long with a thousand plans.
      const pages: string[] = []
      for (const { name } of opened.getMetricsAsArray()) pages.push(await opened.getSingleMetricAsString(name))
      return `${pages.join('\n\n')}\n`
    },
    remove(labels) {
      for (const series of all.values()) {
        if (Object.keys(labels).every((label) => series.labels.includes(label))) series.remove(labels)
      }
    },
  }
}

/** A registry asks its metrics for their values by `get()`; that is all it needs of them. */
function asMetric(name: string, series: Series): Metric {
  return { name, get: () => Promise.resolve(series.get()) } as unknown as Metric
}

function boundsOf(name: string): readonly number[] {
  if (name.endsWith('_seconds')) return durationBounds
  return name.endsWith('_bytes') ? sizeBounds : plainBounds
}

function conflict(there: Series, kind: MetricKind, labels: readonly string[]): string | undefined {
  if (there.kind !== kind) return `it is registered as a ${there.kind} already`
  const same = there.labels.length === labels.length && labels.every((label) => there.labels.includes(label))
  return same ? undefined : `it is registered with the labels ${there.labels.join(', ') || '(none)'} already`
}

function invalid(name: string, labels: readonly string[]): string | undefined {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) return 'a name has letters, digits, underscores and colons only'
  const bad = labels.find(
    (label) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label.startsWith('__') || label === 'le',
  )
  return bad === undefined ? undefined : `"${bad}" is no name for a label`
}
