import { flag, group, listOf, parts, text, texts, type Value, type Values } from '../value.ts'

const duration = { schema: { type: 'string', pattern: String.raw`^(\d+(ms|s|m|h|d|w|y))*$` } }

function monitor(description: string): Value {
  return group(description, {
    enabled: flag('Whether there is one.', false),
    labels: texts('Its labels; Prometheus may look for some.'),
    interval: text("How often is scraped. Default: Prometheus'.", duration),
    scrapeTimeout: text("How long that may take. Default: Prometheus'.", duration),
    relabelings: parts('RelabelConfig', 'Changes of the labels of targets.'),
    metricRelabelings: parts('RelabelConfig', 'Changes of the labels of metrics.'),
  })
}

/** How it is watched. */
export const metricsValues: Values = {
  metrics: group('How it is watched. Pods of CronJobs are not scraped: they push.', {
    port: {
      description: 'Where /metrics is, in place of what config says (default there: 9480). 0 is off.',
      schema: { type: 'integer', minimum: 0, maximum: 65_535 },
      example: '9480',
    },
    annotations: flag('prometheus.io/… on pods, where neither monitor is enabled.', true),
    pushgateway: text('URL of a Pushgateway, unless config names one. With a password: in config, as { env: NAME }.'),
    service: group('A headless Service for the port.', {
      enabled: flag('Whether there is one. A ServiceMonitor brings it along.', false),
      annotations: texts('Its annotations.'),
    }),
    podMonitor: monitor('A PodMonitor of the Prometheus operator.'),
    serviceMonitor: monitor('A ServiceMonitor of the Prometheus operator.'),
    prometheusRule: group('Alerts, as a PrometheusRule of the Prometheus operator.', {
      enabled: flag('Whether there is one.', false),
      labels: texts('Its labels; Prometheus may look for some.'),
      runbookUrl: text(
        'Where your runbook is: each alert gets runbook_url with its name in lower case after a #. Default: the page of the documentation.',
      ),
      disabled: {
        description: 'Names of alerts that are left out.',
        schema: { ...listOf({ type: 'string', minLength: 1 }), uniqueItems: true },
        default: [],
      },
    }),
    dashboard: group("A dashboard as a ConfigMap, which Grafana's sidecar looks for.", {
      enabled: flag('Whether there is one.', false),
      labels: { ...texts('Its labels; the sidecar looks for some.'), default: { grafana_dashboard: '1' } },
      annotations: texts('Its annotations, such as the folder: grafana_folder.'),
    }),
  }),
}
