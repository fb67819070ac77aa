import { errors as engineErrors } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode, exitCodeOfFailure, exitCodeOfSignal } from '../exit-codes.ts'
import type { Signal } from '../io.ts'
import { backupJson, formatBackups, groupsOf, headingOf } from '../output/backups.ts'
import { formatBytes, shellWord } from '../output/format.ts'
import { formatRestored, restoredJson } from '../output/restored.ts'
import type { Backup } from '../restore/backup.ts'
import { chooseBackup, namedBackup, nothingToRestore, soundest } from '../restore/choose.ts'
import { findBackups, type FoundBackups } from '../restore/find-backups.ts'
import { parseMoment, zoneOf } from '../restore/moment.ts'
import { isStandardOutput, parsePlace } from '../restore/place.ts'
import { restoreBackup, type RestoredBackup } from '../restore/restore-backup.ts'
import { openRestoreSession, restorerOf } from '../restore/restorer.ts'
import { restoreToStdout } from '../restore/to-stdout.ts'
import { stopOnSignals } from '../stop-signals.ts'
import { selectionOf } from '../stores.ts'
import { showRun } from './run.ts'

/** Options of `holdfast restore`. */
export interface RestoreOptions {
  readonly plan?: string | undefined
  readonly target?: string | undefined
  readonly at?: string | undefined
  readonly timeZone?: string | undefined
  readonly to?: readonly string[] | undefined
  readonly dryRun?: boolean | undefined
  readonly force?: boolean | undefined
  readonly ignoreSpace?: boolean | undefined
  readonly bytes?: boolean | undefined
  readonly instance?: string | undefined
  readonly identity?: string | undefined
}

/** What is odd about clocks that go wrong, and not about backups that take a while. */
const clockErrorMs = 5 * 60_000

/**
 * `holdfast restore`: lists what can be restored; told what and where to, restores it, by the plugin that made it where the
 * configuration has it, else as files.
 */
export async function runRestoreCommand(
  context: CommandContext,
  id: string | undefined,
  options: RestoreOptions,
): Promise<number> {
  const zone = zoneOf(options.timeZone)
  const at = options.at === undefined ? undefined : parseMoment(options.at, zone)
  if (at && id !== undefined) {
    throw errors.OPTION_CONFLICT({ option: '--at', other: 'an id', reason: 'an id names one backup, of its own time' })
  }
  const place = parsePlace(options.to ?? [])
  const inStore = options.bytes === true || isStandardOutput(place)
  const found = await findBackups(context, { ...options, ...(id !== undefined && selectionOf(id)), inStore })
  if (id === undefined && options.to === undefined) return listBackups(context, found, { ...options, zone, at })
  const backup = choose(context, found, id, { ...options, at })
  if (isStandardOutput(place)) return restoreToStdout(context, backup)
  const restorer = options.bytes ? undefined : restorerOf(found.loaded, backup)
  if (!restorer && place.path === undefined) throw errors.RESTORE_PLACE({ artifact: backup.id })
  const { result, received, faulted } = await restore(context, found, backup, {
    place,
    restorer,
    force: options.force ?? false,
    ignoreSpace: options.ignoreSpace ?? false,
    dryRun: options.dryRun ?? false,
  })
  const { error, items } = result
  const { settings, style, io } = context
  // What failed before the first artifact, or after the last, belongs to none of them.
  if (settings.json && error && !items.some((item) => item.error)) context.fail(error)
  else if (settings.json) context.printJson(restoredJson(backup, result))
  else context.print(formatRestored(backup, result, { style, zone, now: io.clock.now() }))
  if (!error) return faulted ? exitCode.failed : exitCode.ok
  // As a run it has been shown already.
  if (!settings.json && result.run === undefined) context.fail(error)
  return received === undefined ? exitCodeOfFailure(error) : exitCodeOfSignal(received)
}

function listBackups(
  context: CommandContext,
  { backups, places, loaded, failures }: FoundBackups,
  {
    zone,
    at,
    ...options
  }: Pick<RestoreOptions, 'bytes' | 'identity' | 'plan' | 'target'> & {
    readonly zone: string
    readonly at: Date | undefined
  },
): number {
  const { style, width, settings, io } = context
  const now = io.clock.now()
  const fitting = backups.filter(({ createdAt }) => at === undefined || createdAt <= at)
  const restorer = (backup: Backup) => (options.bytes ? undefined : restorerOf(loaded, backup))
  const isComplete = failures.length === 0
  if (settings.json) {
    const choices = new Set(groupsOf(fitting).map(soundest))
    context.printJson(fitting.map((backup) => backupJson(backup, now, choices.has(backup), restorer(backup))))
  } else if (fitting.length === 0) {
    if (isComplete) throw nothingToRestore(backups, { plan: options.plan, target: options.target, at }, places)
  } else {
    const words = [
      'holdfast restore',
      settings.config !== undefined && `--config ${shellWord(settings.config)}`,
      // Options of a driver's own may be secrets.
      settings.storage !== undefined &&
        `--storage ${settings.storage.includes('{') ? '…' : shellWord(settings.storage)}`,
      options.identity !== undefined && `--identity ${shellWord(options.identity)}`,
    ]
    const command = words.filter(Boolean).join(' ')
    context.print(headingOf(places, { now, zone }, at))
    context.print(formatBackups(fitting, { style, width, now, zone, restorerOf: restorer, command }))
  }
  return isComplete ? exitCode.ok : exitCode.failed
}

function choose(
  { log, io }: CommandContext,
  { backups, places }: FoundBackups,
  id: string | undefined,
  choice: { readonly plan?: string | undefined; readonly target?: string | undefined; readonly at: Date | undefined },
): Backup {
  const { backup, passedOver } =
    id === undefined
      ? chooseBackup(backups, choice, places)
      : { backup: namedBackup(backups, id, places), passedOver: [] }
  for (const newer of passedOver)
    log.warn(`${newer.id} is newer, but ${whyNot(newer)}; name it to restore it all the same`)
  if (backup.state !== 'valid') log.warn(`${backup.id} is ${[backup.state, backup.reason].filter(Boolean).join(': ')}`)
  const aheadMs = backup.createdAt.getTime() - io.clock.now().getTime()
  if (aheadMs > clockErrorMs) {
    log.warn(
      `${backup.id} is from the future: ${backup.createdAt.toISOString()}. The clock was wrong when it was made, or is wrong here: look whether it really is the newest one`,
    )
  }
  return backup
}

function whyNot({ state, reason, verifiedAt }: Backup): string {
  if (state !== 'valid') return [state, reason].filter(Boolean).join(': ')
  return verifiedAt ? 'its run did not say that this is all of it' : 'it was never verified'
}

async function restore(
  context: CommandContext,
  { loaded }: FoundBackups,
  backup: Backup,
  how: Pick<Parameters<typeof restoreBackup>[0], 'place' | 'restorer' | 'force' | 'ignoreSpace' | 'dryRun'>,
): Promise<{ readonly result: RestoredBackup; readonly received: Signal | undefined; readonly faulted: boolean }> {
  const { restorer } = how
  const { context: shown, view, close } = showRun(context)
  // What only looks at files needs no engine.
  const needsEngine = !how.dryRun || restorer !== undefined
  const session = needsEngine ? await openRestoreSession(shown, loaded, backup, restorer, view) : undefined
  const stop = new AbortController()
  let received: Signal | undefined
  const noted = context.io.onSignal((signal) => {
    received ??= signal
    if (!session) stop.abort(engineErrors.RUN_ABORTED({ reason: `stopped by ${signal}` }))
  })
  const signals = session && stopOnSignals(shown, session.engine)
  try {
    const result = await restoreBackup({
      ...how,
      context: shown,
      backup,
      session,
      signal: stop.signal,
      progress: (name, done, total) =>
        shown.screen.status(done === undefined ? undefined : progressLine(name, done, total)),
    })
    return { result, received, faulted: signals?.faulted() ?? false }
  } finally {
    noted()
    signals?.close()
    close()
    await session?.close()
  }
}

function progressLine(name: string, done: number, total: number): string {
  return `  … ${name}: ${Math.floor((done / Math.max(1, total)) * 100)} % of ${formatBytes(total)}`
}
