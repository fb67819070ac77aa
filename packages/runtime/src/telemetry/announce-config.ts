import { reportPendingUndos } from '../journal/pending-undos.ts'
import type { ResolvedConfig } from '../load/resolved.ts'
import type { Notifications } from '../notify/notifications.ts'
import type { Services } from '../services.ts'
import { forgetGone } from './forget-gone.ts'
import type { Metrics } from './metrics.ts'
import { announcePlans, undosOf } from './run-metrics.ts'
import { tell } from './tell.ts'

/** What {@link announceConfig} needs. */
export interface AnnounceConfigOptions {
  readonly services: Services
  readonly metrics: Metrics
  readonly notifications: Pick<Notifications, 'announce'>
}

/** Whatever configuration is in force when metrics are read, its counts begin at 0, and nothing is left of the one before. */
export function announceConfig({ services, metrics, notifications }: AnnounceConfigOptions): void {
  let announced: ResolvedConfig | undefined
  // With a thousand plans it takes a while, and nobody needs it before metrics are read.
  metrics.beforeRead(() => {
    const config = services.config()
    const isNew = announced !== config
    if (isNew && announced) forgetGone(metrics, announced, config)
    announced = config
    if (isNew) announcePlans(metrics, config.plans, config.drills)
    if (isNew) notifications.announce()
    // Every time: another process, or a person, may have given it back.
    tell(services.log, () => reportPendingUndos(services, isNew ? undosOf(config.plans, config.drills) : []))
  })
}
