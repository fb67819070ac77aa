/** An alert for Prometheus. */
export interface Alert {
  readonly name: string
  /** `critical`: backups are at stake now, somebody may be woken. `warning`: to be looked at in the morning. */
  readonly severity: 'critical' | 'warning'
  /** How long it must be so. Default: it fires at once. */
  readonly for?: string | undefined
  /** In PromQL. */
  readonly expr: string
  /** Of Prometheus' templates; one line. */
  readonly summary: string
  /** The same; what it means for the backups, and where to look. */
  readonly description: string
  /** Beside the severity. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/** A rule as Prometheus reads it. */
export interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** Where the runbooks of this project are published. */
export const runbooks = 'https://holdfast.dev/runbooks'

/** @param runbookUrl - the page; each alert has its name in lower case as the anchor. `undefined`: there is none */
export function ruleOf(alert: Alert, runbookUrl: string | undefined): Rule {
  const { name, severity, for: howLong, expr, summary, description, labels } = alert
  return {
    alert: name,
    expr,
    ...(howLong !== undefined && { for: howLong }),
    labels: { severity, ...labels },
    annotations: {
      summary,
      description,
      ...(runbookUrl !== undefined && { runbook_url: `${runbookUrl}#${name.toLowerCase()}` }),
    },
  }
}

/** A text as a string of PromQL, as YAML and JSON have it, too. */
export function promString(text: string): string {
  return JSON.stringify(text)
}
