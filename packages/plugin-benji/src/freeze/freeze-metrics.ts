import type { Meter } from '@holdfast/sdk'
import type { Claim } from '../target.ts'

/** What is told of a frozen filesystem. */
export interface FreezeMetrics {
  /** It is frozen, or may be, since then. */
  frozen(since: Date): void
  /** It is thawed, or was never frozen. */
  thawed(): void
  /** For how long it was, in milliseconds. */
  took(ms: number): void
}

const labels = ['pvc_namespace', 'pvc']

/** The metrics of one claim's filesystem. */
export function freezeMetrics(meter: Meter, { namespace, name }: Pick<Claim, 'namespace' | 'name'>): FreezeMetrics {
  const values = { pvc_namespace: namespace, pvc: name }
  const isFrozen = meter.gauge(
    'holdfast_filesystem_frozen',
    'Whether a filesystem is frozen: 1 until it is known to be thawed.',
    labels,
  )
  const frozenSince = meter.gauge(
    'holdfast_filesystem_frozen_since_timestamp_seconds',
    'Since when a filesystem is frozen; 0 when it is not.',
    labels,
  )
  const duration = meter.histogram(
    'holdfast_filesystem_freeze_duration_seconds',
    'How long a filesystem was frozen.',
    labels,
  )
  return {
    frozen(since) {
      isFrozen.set(1, values)
      frozenSince.set(since.getTime() / 1000, values)
    },
    thawed() {
      isFrozen.set(0, values)
      frozenSince.set(0, values)
    },
    took: (ms) => duration.record(ms / 1000, values),
  }
}
