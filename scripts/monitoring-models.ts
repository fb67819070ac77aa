// The parts of the Prometheus operator's kinds that we write, in the form of the client's models: their definitions
// (monitoring.coreos.com/v1) are in no package.
import type { Field } from './kubernetes-models.ts'

const field = (name: string, type: string, { required = false, format = '' } = {}): Field => ({
  name,
  type,
  format,
  required,
})
const must = { required: true }
const object = (spec: string): readonly Field[] => [
  field('apiVersion', 'string', must),
  field('kind', 'string', must),
  field('metadata', 'V1ObjectMeta', must),
  field('spec', spec, must),
]
const texts = '{ [key: string]: string; }'
const endpoint: readonly Field[] = [
  field('port', 'string'),
  field('targetPort', 'IntOrString'),
  field('path', 'string'),
  field('scheme', 'string'),
  field('interval', 'string'),
  field('scrapeTimeout', 'string'),
  field('honorLabels', 'boolean'),
  field('honorTimestamps', 'boolean'),
  field('filterRunning', 'boolean'),
  field('relabelings', 'Array<RelabelConfig>'),
  field('metricRelabelings', 'Array<RelabelConfig>'),
]
const monitor: readonly Field[] = [
  field('jobLabel', 'string'),
  field('selector', 'V1LabelSelector', must),
  field('namespaceSelector', 'NamespaceSelector'),
]

/** Model → fields. */
export const monitoringModels: Readonly<Record<string, readonly Field[]>> = {
  PodMonitor: object('PodMonitorSpec'),
  PodMonitorSpec: [
    ...monitor,
    field('podTargetLabels', 'Array<string>'),
    field('podMetricsEndpoints', 'Array<PodMetricsEndpoint>', must),
  ],
  PodMetricsEndpoint: [...endpoint, field('portNumber', 'number', { format: 'int32' })],
  ServiceMonitor: object('ServiceMonitorSpec'),
  ServiceMonitorSpec: [
    ...monitor,
    field('targetLabels', 'Array<string>'),
    field('podTargetLabels', 'Array<string>'),
    field('endpoints', 'Array<MonitorEndpoint>', must),
  ],
  MonitorEndpoint: endpoint,
  NamespaceSelector: [field('any', 'boolean'), field('matchNames', 'Array<string>')],
  RelabelConfig: [
    field('sourceLabels', 'Array<string>'),
    field('separator', 'string'),
    field('targetLabel', 'string'),
    field('regex', 'string'),
    field('modulus', 'number', { format: 'int64' }),
    field('replacement', 'string'),
    field('action', 'string'),
  ],
  PrometheusRule: object('PrometheusRuleSpec'),
  PrometheusRuleSpec: [field('groups', 'Array<RuleGroup>')],
  RuleGroup: [
    field('name', 'string', must),
    field('interval', 'string'),
    field('labels', texts),
    field('rules', 'Array<Rule>'),
  ],
  Rule: [
    field('alert', 'string'),
    field('record', 'string'),
    field('expr', 'IntOrString', must),
    field('for', 'string'),
    field('keep_firing_for', 'string'),
    field('labels', texts),
    field('annotations', texts),
  ],
}
