import { defineErrors } from '@holdfast/sdk'

/** Why metrics did not arrive. */
export const telemetryErrors = defineErrors(
  {
    METRICS_NOT_PUSHED: {
      message: (p: { gateway: string; reason: string }) =>
        `metrics did not get to the Pushgateway ${p.gateway}: ${p.reason}`,
      hint: 'Backups go on and are not affected. Until a push succeeds, the Pushgateway shows what was before: do not take its numbers for new ones.',
      retryable: true,
    },
  },
  'docs/errors.md',
)
