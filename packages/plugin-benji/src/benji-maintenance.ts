import { definePlugin, type PluginFactory } from '@holdfast/sdk'
import { cleanupSchema, cleanUp, type BenjiCleanupOptions } from './maintenance/cleanup.ts'
import { enforce, enforceSchema, type BenjiEnforceOptions } from './maintenance/enforce.ts'
import { scrub, scrubSchema, type BenjiScrubOptions } from './maintenance/scrub.ts'
import {
  pushVersionsStatus,
  versionsStatusSchema,
  type BenjiVersionsStatusOptions,
} from './maintenance/versions-status.ts'
import { reported } from './metrics/reported.ts'
import { unprotect } from './undo/unprotect.ts'

/**
 * Removes the versions that Benji's retention rules let go, but never a volume's newest valid one.
 *
 * @example
 * ```ts
 * const plan: Plan = {
 *   name: 'enforce',
 *   schedule: { cron: '10 2 * * *' },
 *   use: [benjiEnforce({ rules: 'latest3,hours24,days30,months3' })],
 * }
 * ```
 */
export const benjiEnforce: PluginFactory<BenjiEnforceOptions> = definePlugin({
  name: 'benji-enforce',
  version: '1.0.0',
  sdk: '^1.0',
  config: enforceSchema,
  undos: [unprotect],
  hooks: {
    maintain: reported(({ rules, filter }) => ['enforce', rules, ...(filter === undefined ? [] : [filter])], enforce),
  },
})

/**
 * Frees the room of what removed versions alone used.
 *
 * @example
 * ```ts
 * const plan: Plan = { name: 'cleanup', schedule: { cron: '20 2 * * *' }, use: [benjiCleanup({})] }
 * ```
 */
export const benjiCleanup: PluginFactory<BenjiCleanupOptions> = definePlugin({
  name: 'benji-cleanup',
  version: '1.0.0',
  sdk: '^1.0',
  config: cleanupSchema,
  hooks: { maintain: reported(() => ['cleanup'], cleanUp) },
})

/**
 * Reads versions back and marks damaged ones as invalid.
 *
 * @example
 * ```ts
 * const plan: Plan = {
 *   name: 'scrub',
 *   schedule: { cron: '0 7 * * 0' },
 *   use: [benjiScrub({ deep: true, versionPercentage: 20, blockPercentage: 50 })],
 * }
 * ```
 */
export const benjiScrub: PluginFactory<BenjiScrubOptions> = definePlugin({
  name: 'benji-scrub',
  version: '1.0.0',
  sdk: '^1.0',
  config: scrubSchema,
  hooks: { maintain: reported(scrubWords, scrub) },
})

/**
 * Counts versions by state, for the metric `holdfast_versions` and its alert.
 *
 * @example
 * ```ts
 * const plan: Plan = { name: 'versions', schedule: { cron: '45 6 * * *' }, use: [benjiVersionsStatus({})] }
 * ```
 */
export const benjiVersionsStatus: PluginFactory<BenjiVersionsStatusOptions> = definePlugin({
  name: 'benji-versions-status',
  version: '1.0.0',
  sdk: '^1.0',
  config: versionsStatusSchema,
  hooks: { maintain: pushVersionsStatus },
})

function scrubWords({ deep, versionPercentage, blockPercentage, filter }: BenjiScrubOptions): readonly string[] {
  return [
    deep ? 'batch-deep-scrub' : 'batch-scrub',
    ...(versionPercentage === undefined ? [] : ['--version-percentage', String(versionPercentage)]),
    ...(blockPercentage === undefined ? [] : ['--block-percentage', String(blockPercentage)]),
    ...(filter === undefined ? [] : [filter]),
  ]
}
