import { definePlugin, type Plugin, type PluginFactory } from '@holdfast/sdk'
import { backUp } from './backup/back-up.ts'
import { describeDump } from './backup/describe.ts'
import { validateDump } from './backup/validate.ts'
import { verifyDumps } from './backup/verify.ts'
import { mongodumpSchema, type MongodumpOptions } from './options.ts'
import { permissionsOf } from './place.ts'
import { quiesce } from './quiesce/fsync-lock.ts'
import { unlockUndo } from './quiesce/unlock-undo.ts'
import { restoreUndo } from './restore/restore-undo.ts'
import { restoreDump } from './restore/restore.ts'

function define(options: Partial<MongodumpOptions>): PluginFactory<MongodumpOptions> {
  const { timeout } = options
  return definePlugin({
    name: 'mongodump',
    version: '1.0.0',
    sdk: '^1.0',
    config: mongodumpSchema,
    permissions: ({ where }) => permissionsOf(where),
    undos: [unlockUndo, restoreUndo],
    describe: describeDump,
    hooks: {
      validate: validateDump,
      beforeBackups: quiesce,
      backups: { handler: backUp, timeout },
      verifyBackups: verifyDumps,
    },
    restore: restoreDump,
  })
}

/**
 * Backs up MongoDB: mongodump's archive goes straight into the store, from here or from inside the database's own container,
 * with no disk in between. A backup comes of it only when mongodump ended well and the archive is whole; it counts as verified
 * when it has what the server had, and mongorestore takes it.
 *
 * @param options - which server, and how
 * @param instance - a name, where a plan uses it twice
 * @example
 * ```ts
 * const plan: Plan = {
 *   name: 'shop',
 *   schedule: { cron: '0 3 * * *' },
 *   retention: { days: 14, months: 6 },
 *   use: [mongodump({ uri: { env: 'MONGODB_URI' }, database: 'shop', where: { container: 'mongodb' } })],
 * }
 * ```
 */
export const mongodump: PluginFactory<MongodumpOptions> = Object.assign(
  (options: MongodumpOptions, instance?: { readonly name?: string }): Plugin => define(options)(options, instance),
  { definition: define({}).definition },
)
