// What a scrape is compared with: prom-client alone, with the same metrics as a page that is given to it, behind a bare
// HTTP server. Its arguments are the page's file and the socket; it says `ready` on its standard output.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

const [page = '', socket = ''] = process.argv.slice(2)
const registry = new Registry()

interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly lines: { readonly name: string; readonly labels: Record<string, string>; readonly value: number }[]
}

for (const family of familiesOf(readFileSync(page, 'utf8'))) {
  const { name, help, type, lines } = family
  // A metric of prom-client's without labels has a series at once.
  if (lines.length === 0) continue
  const labelNames = [...new Set(lines.flatMap(({ labels }) => Object.keys(labels)))].filter((label) => label !== 'le')
  const registers = [registry]
  if (type === 'histogram') {
    const bounds = new Set(lines.flatMap(({ labels: { le } }) => (le === undefined || le === '+Inf' ? [] : Number(le))))
    const buckets = [...bounds].toSorted((a, b) => a - b)
    const histogram = new Histogram({ name, help, labelNames, buckets, registers })
    for (const { labels, value } of lines.filter((line) => line.name === `${name}_count`)) {
      histogram.zero(labels)
      for (let n = 0; n < value; n++) histogram.observe(labels, 0.5)
    }
  } else if (type === 'counter') {
    const counter = new Counter({ name, help, labelNames, registers })
    for (const { labels, value } of lines) counter.inc(labels, value)
  } else {
    const gauge = new Gauge({ name, help, labelNames, registers })
    for (const { labels, value } of lines) gauge.set(labels, value)
  }
}

createServer((_, response) => {
  void registry.metrics().then((text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text))
}).listen(socket, () => process.stdout.write('ready\n'))

function familiesOf(text: string): readonly Family[] {
  const families: Family[] = []
  let help = ''
  for (const line of text.split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === 'HELP') help = rest
    if (keyword === 'TYPE') families.push({ name, help, type: rest, lines: [] })
    const [, sample = '', pairs = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (keyword !== undefined || value === undefined) continue
    const labels = Object.fromEntries(
      [...pairs.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', labelled = '']) => [label, labelled]),
    )
    families.at(-1)?.lines.push({ name: sample, labels, value: Number(value) })
  }
  return families
}
