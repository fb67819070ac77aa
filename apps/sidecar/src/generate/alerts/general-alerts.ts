import { ageAlerts } from './age-alerts.ts'
import type { Alert } from './alert.ts'
import { contentAlerts } from './content-alerts.ts'
import { drillAlerts } from './drill-alerts.ts'
import { heldAlerts } from './held-alerts.ts'
import { runAlerts } from './run-alerts.ts'
import { watchAlerts } from './watch-alerts.ts'

/** For any configuration: what they need to know of it the metrics say. `files/alerts.yaml` of the chart is made of them. */
export const generalAlerts: readonly Alert[] = [
  ...runAlerts,
  ...ageAlerts,
  ...heldAlerts,
  ...contentAlerts,
  ...drillAlerts,
  ...watchAlerts,
]
