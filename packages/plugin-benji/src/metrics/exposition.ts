import type { Gauge } from './groups.ts'

/** The path of a group below the Pushgateway's address: `/metrics/job/benji-k8s/pvc_name/data/pvc_namespace/shop`. */
export function groupPath(job: string, grouping: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(grouping).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `/metrics/${[['job', job] as const, ...pairs].map(([key, value]) => segment(key, value)).join('/')}`
}

/** What can't be one part of a path, because it is empty, has a slash or is a path's own word, goes in base64. */
function segment(key: string, value: string): string {
  if (value === '') return `${key}@base64/=`
  if (value.includes('/') || /^\.{1,2}$/.test(value)) {
    return `${key}@base64/${Buffer.from(value).toString('base64url')}`
  }
  // A blank as %20: a plus would stay a plus (K28).
  return `${key}/${encodeURIComponent(value)}`
}

/** Prometheus' text format 0.0.4. */
export function formatGauges(gauges: readonly Gauge[]): string {
  return gauges
    .map(({ name, help, labels, value }) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`)
      const series = pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
      return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${series} ${value}\n`
    })
    .join('')
}

function escape(text: string): string {
  return text
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('"', String.raw`\"`)
}
