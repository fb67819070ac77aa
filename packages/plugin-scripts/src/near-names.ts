import { scriptDirectories, type ScriptDirectory } from './hooks.ts'

/** What people write instead: no slip of the finger, but the same thing meant. */
const otherNames: Readonly<Record<string, ScriptDirectory>> = {
  error: 'on_error',
  errors: 'on_error',
  finish: 'on_finish',
  before: 'before_backups',
  pre_backup: 'before_backups',
  pre_backups: 'before_backups',
  after: 'after_backups',
  post_backup: 'after_backups',
  post_backups: 'after_backups',
  maintenance: 'maintain',
}

/**
 * The hook whose directory a name was meant to be: another spelling (`beforeBackups`, `On-Error`), one slip, or another
 * word for it.
 *
 * @returns `undefined` for names of something else, such as `lib`, and for the exact names
 */
export function nearlyNamed(name: string): ScriptDirectory | undefined {
  const plain = name
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll(/[-\s]/g, '_')
    .toLowerCase()
  const squeezed = squeeze(plain)
  const same = scriptDirectories.find((directory) => squeeze(directory) === squeezed)
  if (same) return same === name ? undefined : same
  return otherNames[plain] ?? scriptDirectories.find((directory) => isOneSlip(plain, directory))
}

function squeeze(name: string): string {
  return name.replaceAll('_', '')
}

/** One character missing, too many or wrong, or two exchanged. */
function isOneSlip(a: string, b: string): boolean {
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const left = a.slice(start, a.length - end)
  const right = b.slice(start, b.length - end)
  if (left.length <= 1 && right.length <= 1) return true
  return left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0]
}
