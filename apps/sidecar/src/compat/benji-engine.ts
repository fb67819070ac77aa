import type { BenjiBackupOptions, BenjiEngineOptions } from '@holdfast/plugin-benji'

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
  'HOLDFAST_KUBELET_ROOT',
  'HOLDFAST_SYS_ROOT',
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

/**
 * How filesystems are frozen, where a command line says nothing of it: where the kubelet's directory and the node's sysfs
 * are, as the chart says it to its agents too.
 */
export function benjiFreeze(
  environment: Variables,
  own: Readonly<Record<string, string>> = {},
): BenjiBackupOptions['freeze'] {
  const { HOLDFAST_KUBELET_ROOT: kubeletRoot, HOLDFAST_SYS_ROOT: sysRoot } = { ...environment, ...own }
  const roots = { ...(kubeletRoot && { kubeletRoot }), ...(sysRoot && { sysRoot }) }
  return Object.keys(roots).length === 0 ? undefined : roots
}
