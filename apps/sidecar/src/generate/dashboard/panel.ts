/** A query of a panel. */
export interface Query {
  /** In PromQL, with the dashboard's variables. */
  readonly expr: string
  /** With labels as `{{plan}}`. */
  readonly legend: string
}

/** A panel of the dashboard. */
export interface Panel {
  readonly type: 'stat' | 'timeseries' | 'bargauge' | 'table'
  readonly title: string
  /** What it says, and when to worry. */
  readonly description: string
  readonly queries: readonly Query[]
  /** Grafana's name. Default: a plain number. */
  readonly unit?: 's' | 'bytes' | 'short' | undefined
  /** From here on it is red; below it is green. Default: never. */
  readonly redFrom?: number | undefined
  /** Of 24 columns. */
  readonly width: number
  /** Of a table: what its columns are called, by what they are made of. */
  readonly columns?: Readonly<Record<string, string>> | undefined
}

/** Panels under a heading. */
export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** What is chosen at the top of the page, as a matcher: of what has a plan, and of what has none. */
export const ofPlans = 'namespace=~"$namespace",plan=~"$plan"'
export const ofNamespaces = 'namespace=~"$namespace"'
