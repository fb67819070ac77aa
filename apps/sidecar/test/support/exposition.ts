// A second opinion on Prometheus' text format (version 0.0.4): strict, and written from the format's description alone.

/** One line of a metric. */
export interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** One metric with all its lines. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: readonly ParsedSample[]
}

/** What a page says. */
export interface Exposition {
  readonly families: ReadonlyMap<string, Family>
  /** The one value with exactly these labels; `undefined`: there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined
  /** Of all lines of a metric. */
  samples(name: string): readonly ParsedSample[]
}

const types = ['counter', 'gauge', 'histogram', 'summary', 'untyped']

/**
 * Reads a page.
 *
 * @throws Error when anything about it is not as the format has it
 */
export function parseExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, Family & { readonly samples: ParsedSample[] }>()
  const seen = new Set<string>()
  let help: { readonly name: string; readonly text: string } | undefined
  let current: (Family & { readonly samples: ParsedSample[] }) | undefined

  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue
    const [, keyword, about = '', rest = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line) ?? []
    if (keyword === 'HELP') {
      if (help) throw new Error(`HELP of ${help.name} without its TYPE`)
      if (rest.replaceAll(/\\[\\n]/g, '').includes('\\')) throw new Error(`a wrong escape: ${line}`)
      help = { name: about, text: rest }
    } else if (keyword === 'TYPE') {
      if (help?.name !== about) throw new Error(`TYPE of ${about} without its HELP`)
      if (!types.includes(rest)) throw new Error(`no such type: ${line}`)
      if (families.has(about)) throw new Error(`${about} comes twice`)
      if (rest === 'counter' && !about.endsWith('_total')) throw new Error(`a counter that is not a _total: ${about}`)
      current = { name: about, help: help.text, type: rest, samples: [] }
      families.set(about, current)
      help = undefined
    } else {
      if (line.startsWith('#')) throw new Error(`a comment that nobody wrote: ${line}`)
      const sample = parseSample(line)
      if (!current || help || !belongs(sample, current)) throw new Error(`this line belongs to no metric: ${line}`)
      const labels = Object.entries(sample.labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
      const key = JSON.stringify([sample.name, labels])
      if (seen.has(key)) throw new Error(`this line comes twice: ${line}`)
      seen.add(key)
      if (current.type === 'counter' && !(sample.value >= 0)) throw new Error(`a counter below 0: ${line}`)
      current.samples.push(sample)
    }
  }
  if (help) throw new Error(`HELP of ${help.name} without its TYPE`)
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family)

  const samples = (name: string): readonly ParsedSample[] =>
    [...families.values()].flatMap((family) => family.samples.filter((sample) => sample.name === name))
  return {
    families,
    samples,
    value: (name, labels = {}) =>
      samples(name).find(
        (sample) =>
          Object.keys(sample.labels).length === Object.keys(labels).length &&
          Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      )?.value,
  }
}

function parseSample(line: string): ParsedSample {
  const [head = '', name = ''] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)/.exec(line) ?? []
  if (name === '') throw new Error(`no metric's name: ${line}`)
  const labels: Record<string, string> = {}
  let at = head.length
  if (line[at] === '{') {
    at++
    while (line[at] !== '}') {
      const [whole = '', label = '', value = ''] =
        /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\n"])*)"/.exec(line.slice(at)) ?? []
      if (whole === '') throw new Error(`no label at column ${at}: ${line}`)
      if (Object.hasOwn(labels, label)) throw new Error(`the label ${label} comes twice: ${line}`)
      labels[label] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
      at += whole.length
      if (line[at] === ',') at++
      else if (line[at] !== '}') throw new Error(`neither a comma nor an end at column ${at}: ${line}`)
    }
    at++
  }
  const [, number = ''] = /^ ([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/.exec(line.slice(at)) ?? []
  if (number === '') throw new Error(`no value: ${line}`)
  return { name, labels, value: Number(number.replace('Inf', 'Infinity')) }
}

function belongs({ name, labels }: ParsedSample, family: Family): boolean {
  if (family.type !== 'histogram') return name === family.name && !('le' in labels)
  return name === `${family.name}_bucket`
    ? 'le' in labels
    : [`${family.name}_sum`, `${family.name}_count`].includes(name)
}

function checkHistogram({ name, samples }: Family): void {
  const series = new Map<string, ParsedSample[]>()
  for (const sample of samples) {
    const key = JSON.stringify(Object.entries(sample.labels).filter(([label]) => label !== 'le'))
    series.set(key, [...(series.get(key) ?? []), sample])
  }
  for (const [key, all] of series) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('Inf', 'Infinity')))
    const counts = buckets.map(({ value }) => value)
    const ascending = (numbers: readonly number[]): boolean =>
      numbers.every((n, i) => i === 0 || (numbers[i - 1] ?? 0) <= n)
    if (!ascending(bounds) || !ascending(counts)) throw new Error(`buckets of ${name} that don't ascend: ${key}`)
    if (bounds.at(-1) !== Infinity) throw new Error(`${name} has no bucket for everything: ${key}`)
    const total = all.filter((sample) => sample.name === `${name}_count`)
    if (total.length !== 1 || total[0]?.value !== counts.at(-1)) throw new Error(`${name} does not add up: ${key}`)
    if (all.filter((sample) => sample.name === `${name}_sum`).length !== 1)
      throw new Error(`${name} has no sum: ${key}`)
  }
}
