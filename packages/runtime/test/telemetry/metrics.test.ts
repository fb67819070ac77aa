import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../src/telemetry/metrics.ts'

describe('metrics', () => {
  it('count before and after they are asked for', async () => {
    const metrics = createMetrics()
    const runs = metrics.counter('holdfast_runs_total', 'Runs', ['plan', 'result'])
    runs.add(0, { plan: 'nightly', result: 'failed' })
    runs.add(2, { plan: 'nightly', result: 'succeeded' })
    metrics.gauge('holdfast_up', 'Up').set(1)
    expect(await metrics.text()).toBe(
      '# HELP holdfast_runs_total Runs\n# TYPE holdfast_runs_total counter\n' +
        'holdfast_runs_total{plan="nightly",result="failed"} 0\n' +
        'holdfast_runs_total{plan="nightly",result="succeeded"} 2\n\n' +
        '# HELP holdfast_up Up\n# TYPE holdfast_up gauge\nholdfast_up 1\n',
    )
    runs.add(1, { plan: 'nightly', result: 'succeeded' })
    metrics.counter('later_total', 'Later').add()
    const text = await metrics.text()
    expect(text).toContain('holdfast_runs_total{plan="nightly",result="succeeded"} 3')
    expect(text).toContain('later_total 1')
  })

  it('sort observations into buckets', async () => {
    const metrics = createMetrics()
    const duration = metrics.histogram('holdfast_run_duration_seconds', 'Duration', ['plan'])
    for (const seconds of [0.2, 1, 59, 7200, 100_000]) duration.record(seconds, { plan: 'a' })
    const text = await metrics.text()
    const value = (series: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(series))
          ?.split(' ')[1],
      )
    expect(value('holdfast_run_duration_seconds_bucket{le="1",plan="a"}')).toBe(2)
    expect(value('holdfast_run_duration_seconds_bucket{le="60",plan="a"}')).toBe(3)
    expect(value('holdfast_run_duration_seconds_bucket{le="86400",plan="a"}')).toBe(4)
    expect(value('holdfast_run_duration_seconds_bucket{le="+Inf",plan="a"}')).toBe(5)
    expect(value('holdfast_run_duration_seconds_count{plan="a"}')).toBe(5)
    expect(value('holdfast_run_duration_seconds_sum{plan="a"}')).toBeCloseTo(107_260.2)
  })

  it('are there before anything was observed, when they have begun', async () => {
    const metrics = createMetrics()
    const duration = metrics.histogram('holdfast_run_duration_seconds', 'Duration', ['plan'])
    expect(await metrics.text()).not.toContain('plan="a"')
    duration.begin({ plan: 'a' })
    expect(await metrics.text()).toContain('holdfast_run_duration_seconds_count{plan="a"} 0')
    duration.record(3, { plan: 'a' })
    duration.begin({ plan: 'a' })
    const text = await metrics.text()
    expect(text).toContain('holdfast_run_duration_seconds_bucket{le="5",plan="a"} 1')
    expect(text).toContain('holdfast_run_duration_seconds_sum{plan="a"} 3')
  })

  it('are the same when registered twice, also by two plugins', async () => {
    const metrics = createMetrics()
    metrics.counter('x_total', 'X', ['a']).add(1, { a: '1' })
    metrics.counter('x_total', 'another help', ['a']).add(1, { a: '1' })
    expect(await metrics.text()).toContain('x_total{a="1"} 2')
  })

  it('never fail a backup: mistakes are reported once and count nothing', async () => {
    const warnings: string[] = []
    const metrics = createMetrics({ log: { warn: (message) => warnings.push(message) } })
    metrics.counter('x_total', 'X', ['a'])
    for (let again = 0; again < 3; again++) metrics.gauge('x_total', 'X', ['a']).set(9)
    metrics.counter('x_total', 'X', ['b']).add()
    metrics.counter('bad name', 'X').add()
    metrics.gauge('bad_label', 'X', ['le']).set(1)
    const good = metrics.counter('good_total', 'G', ['plan'])
    good.add(Number.NaN, { plan: 'a' })
    good.add(-1, { plan: 'a' })
    good.add(1, { plan: 'a', surplus: 'b' })
    good.add(1)
    expect(warnings).toEqual([
      'the metric "x_total" is not counted: it is registered as a counter already',
      'the metric "bad name" is not counted: a name has letters, digits, underscores and colons only',
      'the metric "bad_label" is not counted: "le" is no name for a label',
      'the metric "good_total" has no label "surplus", and is counted without it; it was made with plan',
    ])
    const text = await metrics.text()
    expect(text).toContain('good_total{plan="a"} 1\ngood_total{plan=""} 1')
    expect(text).not.toContain('bad')
  })

  it('escape odd label values', async () => {
    const metrics = createMetrics()
    metrics.gauge('g', 'G', ['x']).set(1, { x: 'a"b\\c\nd{}=,é' })
    expect(await metrics.text()).toContain('g{x="a\\"b\\\\c\\nd{}=,é"} 1')
  })

  it('of a plan that is gone can be dropped', async () => {
    const metrics = createMetrics()
    const size = metrics.gauge('size_bytes', 'S', ['plan', 'target'])
    size.set(1, { plan: 'old', target: 'a' })
    size.set(2, { plan: 'kept', target: 'a' })
    metrics.gauge('unrelated', 'U').set(5)
    metrics.remove({ plan: 'old' })
    const text = await metrics.text()
    expect(text).not.toContain('old')
    expect(text).toContain('size_bytes{plan="kept",target="a"} 2')
    expect(text).toContain('unrelated 5')
  })

  it('that are computed are worked out when they are read; the same name again takes the place of the first', async () => {
    const warnings: string[] = []
    const metrics = createMetrics({ log: { warn: (message) => warnings.push(message) } })
    let plans = ['a', 'b']
    metrics.computed('g', 'G', ['plan'], () => plans.map((plan, value) => ({ value, labels: { plan } })))
    expect(await metrics.text()).toContain('g{plan="a"} 0\ng{plan="b"} 1\n')
    plans = ['b']
    expect(await metrics.text()).not.toContain('"a"')
    // Whoever sets it or drops a part of it changes nothing.
    metrics.gauge('g', 'G', ['plan']).set(7, { plan: 'c' })
    metrics.remove({ plan: 'b' })
    expect(await metrics.text()).toBe('# HELP g G\n# TYPE g gauge\ng{plan="b"} 0\n')
    metrics.computed('g', 'G', ['plan'], () => [
      { value: Number.NaN, labels: { plan: 'none' } },
      { value: 3, labels: { plan: '"' } },
    ])
    expect(await metrics.text()).toBe('# HELP g G\n# TYPE g gauge\ng{plan="\\""} 3\n')
    expect(warnings).toEqual([])
    metrics.gauge('plain', 'P').set(1)
    metrics.computed('plain', 'P', [], () => [])
    metrics.computed('bad name', 'P', [], () => [])
    expect(warnings).toHaveLength(2)
    expect(await metrics.text()).toContain('plain 1')
  })

  it('are prepared before they are read; what fails there is said once, and the rest is read', async () => {
    const warnings: string[] = []
    const metrics = createMetrics({ log: { warn: (message) => warnings.push(message) } })
    const counter = metrics.counter('x_total', 'X', ['a'])
    metrics.beforeRead(() => Promise.reject(new Error('no luck')))
    metrics.beforeRead(() => counter.add(0, { a: '1' }))
    for (let again = 0; again < 3; again++) expect(await metrics.text()).toContain('x_total{a="1"} 0')
    expect(warnings).toEqual(['metrics may be incomplete: no luck'])
  })

  it('fault F53: have 20,000 series at most, whatever a plugin does', async () => {
    const warnings: string[] = []
    const metrics = createMetrics({ log: { warn: (message) => warnings.push(message) } })
    const counter = metrics.counter('x_total', 'X', ['run'])
    for (let run = 0; run < 20_010; run++) counter.add(1, { run: `${run}` })
    counter.add(1, { run: '7' })
    const text = await metrics.text()
    expect(text.match(/^x_total/gm)).toHaveLength(20_000)
    expect(text).toContain('x_total{run="7"} 2')
    expect(warnings).toEqual(['the metric "x_total" has 20,000 series already: no new ones are counted'])
  })

  it('fault F53: take labels of any kind from plugins in JavaScript', async () => {
    const metrics = createMetrics()
    const counter = metrics.counter('x_total', 'X', ['a'])
    const throwing = {
      toString: () => {
        throw new Error('gotcha')
      },
    }
    for (const a of ['\ud800', 7, true, { toString: () => '"' }, throwing, null, undefined, Symbol('x')]) {
      counter.add(1, { a } as unknown as Record<string, string>)
    }
    expect(await metrics.text()).toContain(
      'x_total{a="\ufffd"} 1\nx_total{a="7"} 1\nx_total{a="true"} 1\nx_total{a=""} 5\n',
    )
  })

  it('of two engines in one process are apart', async () => {
    const [one, two] = [createMetrics(), createMetrics()]
    one.counter('a_total', 'A').add()
    expect(await two.text()).not.toContain('a_total')
  })
})
