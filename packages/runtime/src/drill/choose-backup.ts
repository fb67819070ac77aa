import type { RestorePoint } from '@holdfast/sdk'

/** What one run has made for one target, or one point that its plugin keeps elsewhere. */
export interface Backup {
  readonly target: string
  /** By name. */
  readonly points: readonly RestorePoint[]
  /** When it was made. */
  readonly at: Date
  /** All of it was read back once. */
  readonly isVerified: boolean
  /** Whoever made it has said that this is all of it; of a run that failed on its way nobody has. */
  readonly isComplete: boolean
  /** Why it can't be restored whole, as far as that is known already. */
  readonly damage: string | undefined
}

/** Which backup a drill wants. */
export interface BackupSelection {
  readonly select: 'newest' | 'random'
  /** Default: one of those that have any. */
  readonly target: string | undefined
  /** From 0 to less than 1. */
  random(): number
}

/** What was chosen. */
export interface ChosenBackup {
  readonly backup: Backup
  /** Newer ones of the same target, which nobody has read back yet, or which are a part only. */
  readonly passedOver: readonly Backup[]
}

/**
 * Chooses what a drill restores.
 *
 * The newest one is chosen even where it is known to be damaged: whoever needed it now would have to know. One that nobody
 * has read back may still be in the making, and what a run has left that failed is no more than a part of one: both are passed
 * over as `holdfast restore` does. At random, those that are known
 * to be damaged are left out: they were reported when that was found.
 *
 * @returns `undefined`: there is none
 */
export function chooseBackup(
  backups: readonly Backup[],
  { select, target, random }: BackupSelection,
): ChosenBackup | undefined {
  const any = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)]
  const wanted = target ?? any([...new Set(backups.map((each) => each.target))].toSorted())
  const own = backups.filter((each) => each.target === wanted).toSorted((a, b) => b.at.getTime() - a.at.getTime())
  const isKnown = own.some(({ isComplete, damage }) => isComplete && damage === undefined)
  const settled = own.filter(
    ({ isVerified, isComplete, damage }) => (isKnown ? isComplete : isVerified) || damage !== undefined,
  )
  const [newest] = settled.length > 0 ? settled : own
  if (select === 'newest') return newest && { backup: newest, passedOver: own.slice(0, own.indexOf(newest)) }
  const sound = (settled.length > 0 ? settled : own).filter(({ damage }) => damage === undefined)
  const backup = any(sound) ?? newest
  return backup && { backup, passedOver: [] }
}
