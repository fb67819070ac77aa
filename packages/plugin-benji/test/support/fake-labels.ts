import { BenjiFailure, type FakeLog, type FakeVersion } from './fake-versions.ts'

/** Benji's pattern of uids, volumes, snapshots and values of labels. */
export function isValue(text: string): boolean {
  return /^[\w.:/@+](?:[\w.:/@+-]*[\w.:/@+])?$/.test(text)
}

/** Labels of arguments; `undefined` removes one. @throws BenjiFailure */
export function checkLabels(args: readonly string[]): readonly (readonly [string, string | undefined])[] {
  return args.map((arg) => {
    if (arg.endsWith('-')) return [name(arg.slice(0, -1)), undefined] as const
    const [key = '', value = '', more] = arg.split('=')
    if (more !== undefined) throw new BenjiFailure(70, 'ValueError: too many values to unpack (expected 2)')
    if (value !== '' && !isValue(value)) throw new BenjiFailure(64, `UsageError: Label value ${value} is not a valid.`)
    return [name(key), value] as const
  })
}

function name(text: string): string {
  if (/^(?:[a-z\d](?:[-a-z\d.]*[a-z\d])?\/)?[A-Za-z\d](?:[\w.-]{0,61}[A-Za-z\d])?$/.test(text)) return text
  throw new BenjiFailure(64, `UsageError: Label name ${text} is invalid.`)
}

/** Sets and removes labels. */
export function addLabels(
  version: FakeVersion,
  labels: readonly (readonly [string, string | undefined])[],
  log: FakeLog,
): void {
  const added = labels.filter(([, value]) => value !== undefined)
  const removed = labels.filter(([, value]) => value === undefined).map(([key]) => key)
  for (const [key, value] of added) version.labels.set(key, value ?? '')
  for (const key of removed) version.labels.delete(key)
  if (added.length > 0) {
    log.info(`Added label(s) to version ${version.uid}: ${added.map(([key, value]) => `${key}=${value}`).join(', ')}.`)
  }
  if (removed.length > 0) log.info(`Removed label(s) from version ${version.uid}: ${removed.join(', ')}.`)
}
