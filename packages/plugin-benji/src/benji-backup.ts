import { definePlugin, type Plugin, type PluginFactory } from '@holdfast/sdk'
import { backUpVolume } from './backup/backup.ts'
import { describeBackup } from './backup/describe.ts'
import { backupSchema, type BenjiBackupOptions } from './backup/options.ts'
import { pruneVolume } from './backup/prune.ts'
import { createReports } from './backup/report.ts'
import { snapshotUndo } from './backup/snapshot-undo.ts'
import { validateBackup } from './backup/validate.ts'
import { verifyVolume } from './backup/verify.ts'
import { versionUndo } from './backup/version-undo.ts'
import { countVolumes } from './benji/run-versions.ts'
import { discoverVolumes } from './discovery/discover.ts'
import { permissionsFor } from './discovery/permissions.ts'
import { thawUndo } from './freeze/thaw-undo.ts'
import { collectGarbage } from './garbage/collect.ts'
import { forgetGone } from './metrics/forget-gone.ts'
import { restoreVolume } from './restore/restore.ts'
import { restoreUndos } from './restore/undos.ts'

function define(options: Partial<BenjiBackupOptions>): PluginFactory<BenjiBackupOptions> {
  const reports = createReports()
  const { volumeTimeout } = options
  return definePlugin({
    name: 'benji',
    version: '1.0.0',
    sdk: '^1.0',
    config: backupSchema,
    permissions: permissionsFor,
    undos: [thawUndo, snapshotUndo, versionUndo, ...restoreUndos],
    targets: (ctx) => countVolumes(ctx.config, discoverVolumes(ctx, ctx.config)),
    describe: describeBackup,
    hooks: {
      validate: validateBackup,
      backups: { handler: (ctx) => reports.backup(ctx, backUpVolume), timeout: volumeTimeout },
      verifyBackups: (ctx) => reports.verify(ctx, verifyVolume),
      pruneBackups: pruneVolume,
      onFinish: forgetGone,
    },
    restore: restoreVolume,
    commands: { gc: { summary: 'list, and remove, snapshots of backups that nobody needs', run: collectGarbage } },
  })
}

/**
 * Backs up Ceph RBD volumes through Benji: the claims of namespaces, of the whole cluster or by name, or images without
 * Kubernetes. Each is a target. Differential where an earlier snapshot has a good version; the filesystem stands still
 * for the snapshot where the claim's annotation `benji-backup.me/fsfreeze` is `yes`.
 *
 * @param options - what is backed up, and how
 * @param instance - a name, where a plan uses it twice
 * @example
 * ```ts
 * const plan: Plan = {
 *   name: 'volumes',
 *   schedule: { cron: '15 * * * *' },
 *   concurrency: 4,
 *   retention: { latest: 3, days: 14, months: 6 },
 *   use: [benjiBackup({ namespaces: ['web'], selector: 'tier in (db,queue)' })],
 * }
 * ```
 */
export const benjiBackup: PluginFactory<BenjiBackupOptions> = Object.assign(
  (options: BenjiBackupOptions, instance?: { readonly name?: string }): Plugin => define(options)(options, instance),
  { definition: define({}).definition },
)
