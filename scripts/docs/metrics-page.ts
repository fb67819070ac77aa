import type { RegisteredMetric, RegisteredMetrics } from './metrics.ts'

/** `docs/reference/metrics.md`: every metric, as the code registers it. */
export function renderMetrics({ daemon, cluster, benji }: RegisteredMetrics): string {
  return `# Metrics, by name

<!-- Generated from what the code registers by \`npm run docs\`. -->

Every metric with its type, its labels, and its help, as a scrape has it. What their values mean, when series begin and end, and how they
get to a Pushgateway: [metrics](../metrics.md). What fires on them: [alerts](../alerts.md).

## Of a daemon

${table(daemon)}

## In a cluster

${table(cluster)}

## Of the plugin for Benji

${table(benji)}
`
}

function table(metrics: readonly RegisteredMetric[]): string {
  const rows = metrics.map(({ name, kind, labels, help }) => {
    const shown = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${kind} | ${shown} | ${help.replace(/\.$/, '')} |`
  })
  return `| metric | type | labels | help |\n| --- | --- | --- | --- |\n${rows.join('\n')}`
}
