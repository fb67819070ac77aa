import type { Blueprint } from './blueprint.ts'
import { inNamespace } from './in-namespace.ts'
import type { YamlPage } from './yaml.ts'

type Named = Pick<Blueprint, 'name' | 'namespace' | 'port'>

/** What a PodMonitor finds the pods by: a label that nobody else uses, because the pods are somebody else's. */
export function monitoringLabels({ name }: Pick<Named, 'name'>): Readonly<Record<string, string>> {
  return { 'holdfast.dev/metrics': name }
}

/** For a Prometheus that is not run by the operator. */
export function scrapeAnnotations({ port }: Pick<Named, 'port'>): Readonly<Record<string, string>> {
  return { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(port), 'prometheus.io/path': '/metrics' }
}

/** For the Prometheus operator. */
export function podMonitorPage({ name, namespace, port }: Named): YamlPage {
  const ip = '__meta_kubernetes_pod_ip'
  return {
    value: {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: { name, ...inNamespace(namespace) },
      spec: {
        selector: { matchLabels: monitoringLabels({ name }) },
        podMetricsEndpoints: [
          {
            path: '/metrics',
            relabelings: [
              { sourceLabels: ['__meta_kubernetes_pod_container_name'], regex: name, action: 'keep' },
              { sourceLabels: [ip], regex: '([^:]+)', targetLabel: '__address__', replacement: `$1:${port}` },
              { sourceLabels: [ip], regex: '(.+:.+)', targetLabel: '__address__', replacement: `[$1]:${port}` },
              { targetLabel: 'job', replacement: 'holdfast' },
            ],
          },
        ],
      },
    },
    comments: [
      {
        at: ['spec', 'podMetricsEndpoints', 0, 'relabelings'],
        text: 'No port is declared, because pods may share the network of their node: the address gets it here.',
      },
    ],
  }
}
