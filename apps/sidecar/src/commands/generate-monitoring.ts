import { basename } from 'node:path'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { ruleOf, runbooks } from '../generate/alerts/alert.ts'
import { alertsOf } from '../generate/alerts/plan-alerts.ts'
import { dashboard } from '../generate/dashboard/dashboard.ts'
import { toYaml } from '../generate/yaml.ts'
import { formatJson } from '../output/format.ts'

/** What `holdfast generate monitoring` prints. */
export const monitoringForms = ['rules', 'prometheusrule', 'dashboard'] as const

/** Options of `holdfast generate monitoring`. */
export interface GenerateMonitoringOptions {
  readonly form: (typeof monitoringForms)[number]
  readonly runbookUrl?: string | undefined
  readonly name: string
  readonly namespace?: string | undefined
  readonly label?: readonly string[] | undefined
}

/** `holdfast generate monitoring`: alerts for a configuration, or the dashboard. */
export async function runGenerateMonitoringCommand(
  context: CommandContext,
  options: GenerateMonitoringOptions,
): Promise<number> {
  const { form, runbookUrl = runbooks, name, namespace } = options
  if (form !== 'prometheusrule') {
    for (const option of ['namespace', 'label'] as const) {
      if (options[option] === undefined) continue
      const reason = 'what is printed is no object of Kubernetes'
      throw errors.OPTION_CONFLICT({ option: `--${option}`, other: `--form ${form}`, reason })
    }
  }
  if (form === 'dashboard') {
    context.print(formatJson(dashboard()))
    return exitCode.ok
  }
  const labels = labelsOf(options.label ?? [])
  const { config } = await openConfiguration(context)
  const rules = alertsOf(config).map((alert) => ruleOf(alert, runbookUrl))
  const groups = [{ name, rules }]
  const value =
    form === 'rules'
      ? { groups }
      : {
          apiVersion: 'monitoring.coreos.com/v1',
          kind: 'PrometheusRule',
          metadata: { name, ...(namespace !== undefined && { namespace }), ...(labels && { labels }) },
          spec: { groups },
        }
  if (context.settings.json) context.print(formatJson(value))
  else {
    const header = `Alerts for the plans of ${basename(config.source)}. Made by holdfast generate monitoring; make it again when plans change.`
    context.print(toYaml([{ value, header }]))
  }
  return exitCode.ok
}

function labelsOf(pairs: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (pairs.length === 0) return undefined
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, value] = /^([\w./-]+)=([\w.-]*)$/.exec(pair) ?? []
      if (key !== undefined && value !== undefined) return [key, value]
      throw errors.OPTION_INVALID({ option: '--label', value: pair, allowed: 'KEY=VALUE' })
    }),
  )
}
