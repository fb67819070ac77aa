import { formatDuration } from '@holdfast/sdk'
import type { Restorer } from '../restore/restorer.ts'
import type { Backup } from '../restore/backup.ts'
import { soundest } from '../restore/choose.ts'
import { formatMoment } from '../restore/moment.ts'
import { count, formatBytes, shellWord } from './format.ts'
import { printable } from './printable.ts'
import type { Layout } from './runs.ts'
import type { Style } from './style.ts'
import { formatTable } from './table.ts'

/** What is shown of each target, where there are several. */
const shown = 10

/** Options of {@link formatBackups}. */
export interface FormatBackupsOptions extends Layout {
  readonly now: Date
  /** IANA name: what times are shown in. */
  readonly zone: string
  readonly restorerOf: (backup: Backup) => Restorer | undefined
  /** How the command was called, up to what it is to choose: `holdfast restore --storage …`. */
  readonly command: string
}

/**
 * What can be restored, target by target, and how to go on.
 *
 * @param backups - newest first; at least one
 */
export function formatBackups(backups: readonly Backup[], options: FormatBackupsOptions): string {
  const { style, command, restorerOf } = options
  const groups = groupsOf(backups)
  const isOne = groups.length === 1
  const several = new Set(backups.map(({ instance }) => instance)).size > 1
  const blocks = groups.map((group) => formatGroup(group, { ...options, isOne, several }))
  const [first] = groups as [readonly [Backup, ...Backup[]]]
  const one = soundest(first) ?? first[0]
  // What a plugin wants to be told only its page says.
  const place = restorerOf(one) ? '--to PLACE' : '--to DIRECTORY/'
  const how = [
    `${style.bold('→')} is what this takes:  ${command} ${choiceOf(one, several)} ${place}`,
    `  any other by its id:   ${command} ID ${place}`,
  ]
  return `${[...blocks, how.join('\n')].join('\n\n')}\n`
}

/** A line about what was looked at. */
export function headingOf(
  places: string,
  { now, zone }: Pick<FormatBackupsOptions, 'now' | 'zone'>,
  at?: Date,
): string {
  const until = at ? `, up to ${formatMoment(at, zone)}` : ''
  return `What can be restored from ${places}${until}. Times are in ${zone}, where it is ${formatMoment(now, zone)}.\n\n`
}

/** How long ago something was, for people. */
export function formatAge(at: Date, now: Date): string {
  const ms = now.getTime() - at.getTime()
  return ms < -60_000 ? 'in the future' : formatDuration(Math.max(0, ms))
}

/** One backup, for `--json`. */
export function backupJson(backup: Backup, now: Date, isChoice: boolean, restorer: Restorer | undefined): object {
  const { artifacts, point, createdAt, ...rest } = backup
  return {
    kind: point ? 'point' : 'artifacts',
    ...rest,
    createdAt,
    ageMs: now.getTime() - createdAt.getTime(),
    isChoice,
    restoredBy: restorer?.participant.id,
    artifacts: artifacts.map(({ artifact: { id, name, size, sha256 } }) => ({ id, name, size, sha256 })),
  }
}

/** The backups of each target, newest first. */
export function groupsOf(backups: readonly Backup[]): readonly (readonly [Backup, ...Backup[]])[] {
  const groups = Map.groupBy(backups, ({ instance, plan, target }) => JSON.stringify([instance ?? '', plan, target]))
  return [...groups.values()] as unknown as readonly (readonly [Backup, ...Backup[]])[]
}

function formatGroup(
  group: readonly [Backup, ...Backup[]],
  { isOne, several, restorerOf, ...options }: FormatBackupsOptions & { isOne: boolean; several: boolean },
): string {
  const { style, width, now, zone } = options
  const [first] = group
  const choice = soundest(group)
  const rows = (isOne ? group : group.slice(0, shown)).map((backup) => [
    backup === choice ? style.bold('→') : ' ',
    formatMoment(backup.createdAt, zone),
    formatAge(backup.createdAt, now),
    backup.size === undefined ? '' : formatBytes(backup.size),
    contentsOf(backup),
    paintState(backup, style),
    printable(backup.id),
  ])
  const by = restorerOf(first)?.participant.id
  const title = [
    style.bold(printable(`${first.plan} · ${first.target}`)),
    several && first.instance !== undefined && `of instance ${printable(first.instance)}`,
    by === undefined ? 'restored as files' : `restored by "${printable(by)}"`,
  ]
  const head = ['', 'CREATED', 'AGE', 'SIZE', 'WHAT', 'STATE', 'ID']
  const table = formatTable(head, rows, { style, width: width && width - 2, right: [2, 3] })
  const lines = table.trimEnd().split('\n')
  const rest = group.length - rows.length
  if (rest > 0)
    lines.push(
      style.dim(`  … and ${count(rest, 'older one')}: --target ${printable(shellWord(first.target))} shows all`),
    )
  return [title.filter(Boolean).join(', '), ...lines].join('\n')
}

function contentsOf({ artifacts, point }: Backup): string {
  const [only, ...more] = artifacts
  if (point) return point.point.mode ?? ''
  return only && more.length === 0 ? printable(only.artifact.name) : count(artifacts.length, 'file')
}

function paintState({ state, reason, verifiedAt }: Backup, style: Style): string {
  if (state === 'valid') return verifiedAt ? style.green('verified') : style.yellow('never read back')
  const paint = state === 'suspect' ? style.yellow : style.red
  return paint(reason === undefined ? state : `${state}: ${printable(reason)}`)
}

function choiceOf({ instance, plan, target }: Backup, several: boolean): string {
  const words = [
    several && instance !== undefined && `--instance ${shellWord(instance)}`,
    `--plan ${shellWord(plan)}`,
    `--target ${shellWord(target)}`,
  ]
  return printable(words.filter(Boolean).join(' '))
}
