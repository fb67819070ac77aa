import { expect, test } from 'vitest'
import { scriptDirectories } from '../src/hooks.ts'
import { nearlyNamed } from '../src/near-names.ts'

test.each([
  ['before_backup', 'before_backups'],
  ['error', 'on_error'],
  ['backup', 'backups'],
  ['Backups', 'backups'],
  ['beforeBackups', 'before_backups'],
  ['before-backups', 'before_backups'],
  ['onerror', 'on_error'],
  ['on_errors', 'on_error'],
  ['on_eror', 'on_error'],
  ['maintian', 'maintain'],
  ['finish', 'on_finish'],
  ['install_dependency', undefined],
  ['install-dependencies', 'install_dependencies'],
  ['verify_backup', 'verify_backups'],
  ['restores', 'restore'],
])('%s looks like %s', (name, meant) => expect(nearlyNamed(name)).toBe(meant))

test.each(['lib', 'lost+found', 'bin', 'common', 'secrets', 'templates', 'backups.disabled', 'on_error.d', 'store'])(
  '%s looks like no hook',
  (name) => expect(nearlyNamed(name)).toBeUndefined(),
)

test.each(scriptDirectories)('%s is one', (name) => expect(nearlyNamed(name)).toBeUndefined())
