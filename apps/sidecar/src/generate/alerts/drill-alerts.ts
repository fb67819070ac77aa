import type { Alert } from './alert.ts'
import { endedAs, isStuck, missedSlots, ofDrills } from './expressions.ts'

/** Of restore drills. */
export const drillAlerts: readonly Alert[] = [
  {
    name: 'RestoreDrillFailed',
    severity: 'warning',
    expr: endedAs(ofDrills, 'failed|aborted'),
    summary: 'The restore drill {{ $labels.drill }} failed',
    description:
      'A backup could not be restored, or what came back was not as expected: do not count on it. `holdfast history` says why; `holdfast drill {{ $labels.drill }}` tries it again.',
  },
  {
    name: 'RestoreDrillMissed',
    severity: 'warning',
    expr: missedSlots(ofDrills),
    summary: 'The restore drill {{ $labels.drill }} was not run when it should have been',
    description:
      'Nothing ran at the time, or the one before it still went on. If the latter is usual, it needs a longer interval.',
  },
  {
    name: 'RestoreDrillStuck',
    severity: 'critical',
    expr: isStuck(ofDrills),
    summary: 'The restore drill {{ $labels.drill }} goes on past its deadline',
    description:
      'It can neither end nor be ended, and what it reads is not pruned meanwhile. A restart of the pod ends it, and cleans up after it.',
  },
]
