import type { HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { directoryOf, partOf, type Backup } from './backup.ts'

/** Which backup to restore. */
export interface BackupChoice {
  readonly plan?: string | undefined
  readonly target?: string | undefined
  /** As it was then; default: now. */
  readonly at?: Date | undefined
}

/** The backup to restore, and the newer ones that were passed over, because they are not to be relied on. */
export interface ChosenBackup {
  readonly backup: Backup
  readonly passedOver: readonly Backup[]
}

/** Of the backups of one target, newest first, the one to rely on. */
export function soundest(backups: readonly Backup[]): Backup | undefined {
  const valid = backups.filter(({ state }) => state === 'valid')
  const verified = valid.filter(({ verifiedAt }) => verifiedAt)
  // A run that failed leaves what it had saved so far, and `holdfast verify` finds nothing wrong with that.
  return verified.find(({ isComplete }) => isComplete) ?? verified[0] ?? valid[0]
}

/**
 * The newest sound backup of one target, at or before a time.
 *
 * @param backups - newest first
 * @param places - where was looked, for messages
 * @throws HoldfastError `RESTORE_NOTHING`, `RESTORE_CHOICE`
 */
export function chooseBackup(backups: readonly Backup[], choice: BackupChoice, places: string): ChosenBackup {
  const { plan, target, at } = choice
  const fitting = backups.filter(
    (each) =>
      (plan === undefined || each.plan === plan) &&
      (target === undefined || each.target === target) &&
      (at === undefined || each.createdAt <= at),
  )
  assertOne('instance', fitting)
  assertOne('plan', fitting)
  assertOne('target', fitting)
  const backup = soundest(fitting)
  if (backup) return { backup, passedOver: fitting.slice(0, fitting.indexOf(backup)) }
  throw nothingToRestore(backups, choice, places)
}

/**
 * Says what there is none of.
 *
 * @param backups - all that was found
 */
export function nothingToRestore(backups: readonly Backup[], choice: BackupChoice, places: string): HoldfastError {
  const { plan, target, at } = choice
  const older = backups.filter(({ createdAt }) => at === undefined || createdAt <= at)
  const oldest = backups.at(-1)
  const what = [
    `no ${older.length > 0 ? 'sound ' : ''}backup`,
    plan !== undefined && `of plan "${plan}"`,
    target !== undefined && `of target "${target}"`,
    at && `from before ${at.toISOString()}`,
    `in ${places}`,
    at && oldest && older.length === 0 && `(the oldest is from ${oldest.createdAt.toISOString()})`,
  ]
  return errors.RESTORE_NOTHING({ what: what.filter(Boolean).join(' ') })
}

function assertOne(what: 'instance' | 'plan' | 'target', found: readonly Backup[]): void {
  const names = [...new Set(found.flatMap((each) => each[what] ?? []))]
  if (names.length > 1) throw errors.RESTORE_CHOICE({ what, found: names.join(', ') })
}

/**
 * The backup that an id names, or one artifact of it: the id of a run, of an artifact, or what a plugin calls it; or the
 * beginning of one, as long as it fits one only.
 *
 * @throws HoldfastError `ARTIFACT_UNKNOWN`, `ARTIFACT_AMBIGUOUS`, `RESTORE_CHOICE`
 */
export function namedBackup(backups: readonly Backup[], id: string, places: string): Backup {
  const fitting = id === '' ? [] : (exactly(backups, id) ?? backups.flatMap((backup) => meantBy(id, backup) ?? []))
  const [backup, ...more] = fitting
  if (!backup) throw errors.ARTIFACT_UNKNOWN({ artifact: id, store: places })
  if (more.length > 0 && fitting.every((each) => each.id === backup.id)) {
    assertOne('instance', fitting)
    assertOne('plan', fitting)
    assertOne('target', fitting)
  }
  const names = fitting.flatMap((each) => namesOf(each))
  const isWhole = backup.point !== undefined || names.length === 1 || backups.includes(backup)
  if (more.length === 0 && isWhole) return backup
  const shown = [...names.slice(0, 5), ...(names.length > 5 ? ['…'] : [])]
  throw errors.ARTIFACT_AMBIGUOUS({ artifact: id, artifacts: shown.join(', ') })
}

function exactly(backups: readonly Backup[], id: string): readonly Backup[] | undefined {
  const points = backups.filter((each) => each.point && each.id === id)
  if (points.length > 0) return points
  const found = backups.flatMap((backup) => {
    const artifacts = backup.artifacts.filter(({ artifact }) => artifact.id === id)
    return artifacts.length > 0 ? [partOf(backup, artifacts)] : []
  })
  return found.length > 0 ? found : undefined
}

/** The backup, or what is meant of it. */
function meantBy(id: string, backup: Backup): Backup | undefined {
  if (backup.id.startsWith(id)) return backup
  const [first] = backup.artifacts
  if (!first) return undefined
  const directory = directoryOf(first.artifact.id)
  if (directory.startsWith(id)) return backup
  const begin = id.startsWith(`${backup.id}/`) ? `${directory}${id.slice(backup.id.length + 1)}` : id
  const artifacts = backup.artifacts.filter(({ artifact }) => artifact.id.startsWith(begin))
  return artifacts.length > 0 ? partOf(backup, artifacts) : undefined
}

function namesOf({ id, artifacts, point }: Backup): readonly string[] {
  return point ? [id] : artifacts.map(({ artifact }) => artifact.id)
}
