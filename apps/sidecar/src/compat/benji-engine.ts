import type { BenjiEngineOptions } from '@holdfast/plugin-benji'

/** Variables, by name. */
export type Variables = Readonly<Record<string, string | undefined>>

/** What these variables mean is said by other options; what is left is for Benji and `rbd` themselves. */
const ours: ReadonlySet<string> = new Set([
  'BENJI_INSTANCE',
  'BENJI_LOG_LEVEL',
  'PROM_PUSH_GATEWAY',
  'SHELL',
  'MAILTO',
  'CRON_TZ',
])

/**
 * The engine that the variables of Benji's container mean.
 *
 * @param environment - of the process
 * @param own - of a crontab; they win
 */
export function benjiEngine(environment: Variables, own: Readonly<Record<string, string>> = {}): BenjiEngineOptions {
  const { BENJI_INSTANCE: instance, BENJI_LOG_LEVEL: level, PROM_PUSH_GATEWAY: gateway } = { ...environment, ...own }
  const env = Object.fromEntries(Object.entries(own).filter(([name]) => !ours.has(name)))
  return {
    instance: instance || 'benji-k8s',
    // Checked with the other options, where a wrong one is named.
    logLevel: (level?.toUpperCase() || undefined) as BenjiEngineOptions['logLevel'],
    compatMetrics: gateway?.trim() ? { gateway } : false,
    env: Object.keys(env).length === 0 ? undefined : env,
  }
}
