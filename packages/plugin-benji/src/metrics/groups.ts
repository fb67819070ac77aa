// What Benji's Kubernetes tools pushed, under their names and in their groups (K26, K27: a group is always whole).

/** How a piece of work went. */
export interface CompatOutcome {
  readonly startedAt: Date
  readonly endedAt: Date
  readonly succeeded: boolean
}

/** The backup of one volume; its group is that of the claim, or of the volume where there is none. */
export interface CompatBackup extends CompatOutcome {
  readonly kind: 'backup'
  readonly volume: string
  readonly claim?: { readonly namespace: string; readonly name: string } | undefined
}

/** One command of Benji. */
export interface CompatCommand extends CompatOutcome {
  readonly kind: 'command'
  /** See {@link commandLabel}. */
  readonly command: string
}

/** How many versions ask for a look. */
export interface CompatVersions {
  readonly kind: 'versions'
  readonly invalid: number
  /** Incomplete ones that are older than a day. */
  readonly olderIncomplete: number
}

/** What is pushed at once: one group of the Pushgateway. */
export type CompatGroup = CompatBackup | CompatCommand | CompatVersions

/** What a group is known by beside its job. */
export type CompatKey =
  | Pick<CompatBackup, 'kind' | 'volume' | 'claim'>
  | Pick<CompatCommand, 'kind' | 'command'>
  | Pick<CompatVersions, 'kind'>

/** A series of one value. */
export interface Gauge {
  readonly name: string
  readonly help: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The labels that a group is known by. */
export function groupingOf(group: CompatKey): Readonly<Record<string, string>> {
  switch (group.kind) {
    case 'backup':
      return group.claim
        ? { pvc_namespace: group.claim.namespace, pvc_name: group.claim.name }
        : { volume: group.volume }
    case 'command':
      return { command: group.command }
    case 'versions':
      return {}
  }
}

/** Everything that is in a group. */
export function gaugesOf(group: CompatGroup): readonly Gauge[] {
  switch (group.kind) {
    case 'backup':
      return outcomeGauges('benji_backup', 'backup of the volume', { volume: group.volume }, group)
    case 'command':
      return outcomeGauges('benji_command', 'command', { command: group.command }, group)
    case 'versions':
      return [
        {
          name: 'benji_invalid_versions',
          help: 'Versions whose data is damaged',
          labels: {},
          value: group.invalid,
        },
        {
          name: 'benji_older_incomplete_versions',
          help: 'Versions that were begun more than a day ago and never completed',
          labels: {},
          value: group.olderIncomplete,
        },
      ]
  }
}

function outcomeGauges(
  prefix: string,
  what: string,
  labels: Gauge['labels'],
  { startedAt, endedAt, succeeded }: CompatOutcome,
): readonly Gauge[] {
  const start = startedAt.getTime() / 1000
  const end = endedAt.getTime() / 1000
  const gauge = (name: string, help: string, value: number): Gauge => ({
    name: `${prefix}_${name}`,
    help,
    labels,
    value,
  })
  return [
    gauge('start_time', `When the last ${what} began, in seconds since 1970`, start),
    gauge('completion_time', `When the last ${what} ended, in seconds since 1970`, end),
    gauge('runtime_seconds', `How long the last ${what} took`, Math.max(0, Math.round((end - start) * 1000) / 1000)),
    // Both, every time: a push that sets one alone leaves the other as it was (K26).
    gauge('status_succeeded', `Whether the last ${what} succeeded`, succeeded ? 1 : 0),
    gauge('status_failed', `Whether the last ${what} failed`, succeeded ? 0 : 1),
  ]
}

/** Commands whose arguments are versions, sources or files: new ones every time. */
const unbounded: ReadonlySet<string> = new Set([
  'backup',
  'restore',
  'protect',
  'unprotect',
  'rm',
  'label',
  'scrub',
  'deep-scrub',
  'metadata-export',
  'metadata-import',
  'metadata-restore',
])

/**
 * The label of a command: its arguments as they were given, joined by blanks; the command alone where its arguments name
 * versions or files, because a Pushgateway forgets nothing (K28).
 */
export function commandLabel(args: readonly string[]): string {
  const [command = ''] = args
  // An empty filter is none.
  return unbounded.has(command) ? command : args.filter((word) => word !== '').join(' ')
}
