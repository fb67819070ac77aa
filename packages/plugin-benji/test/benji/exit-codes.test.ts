import { expect, test } from 'vitest'
import { startClients, failureOf } from '../support/clients.ts'
import { replies } from '@holdfast/testing'

const record = (event: string): string =>
  `${JSON.stringify({ event, level: 'error', timestamp: 1, file: 'benji.py' })}\n`

// As Benji 0.17.0 says them.
test.for([
  [1, 'ModuleNotFoundError: No module named rbd', 'BENJI_CONFIG'],
  [2, 'usage: …', 'BENJI_USAGE'],
  [64, 'UsageError: Invalid filter expression frob == 1.', 'BENJI_USAGE'],
  [64, 'UsageError: You can only base a new version on a valid old version.', 'BENJI_USAGE'],
  [64, 'File /nope/benji.yaml not found.', 'BENJI_CONFIG'],
  [64, 'UsageError: The database schema version is too old, migrate it.', 'BENJI_DATABASE'],
  [65, 'InputDataError: Hints have higher offsets than source file.', 'BENJI_DATA'],
  [65, 'ScrubbingError: Deep-scrub of version u-1 failed.', 'BENJI_DATA'],
  [66, "KeyError: 'Version u-1 not found.'", 'BENJI_NOT_FOUND'],
  [66, 'FileNotFoundError: Ceph pool nope not found.', 'BENJI_NOT_FOUND'],
  [66, 'KeyboardInterrupt exception occurred.', 'BENJI_STOPPED'],
  [70, 'RuntimeError: Database schema appears to be empty, it needs to be initialized.', 'BENJI_DATABASE'],
  [70, 'OperationalError: (sqlite3.OperationalError) database is locked', 'BENJI_DATABASE'],
  [70, 'OperationalError: (psycopg2.OperationalError) connection to server at "127.0.0.1" failed', 'BENJI_DATABASE'],
  [70, 'IntegrityError: (sqlite3.IntegrityError) UNIQUE constraint failed: versions.uid', 'BENJI_EXISTS'],
  [70, 'IntegrityError: duplicate key value violates unique constraint "uq_versions_uid"', 'BENJI_EXISTS'],
  [70, "InternalError: Lock Version u-1 isn't held by this instance or doesn't exist.", 'BENJI_LOCKED'],
  [70, "AttributeError: 'NoneType' object has no attribute 'id'", 'BENJI_FAILED'],
  [71, 'OSError: whatever', 'BENJI_FAILED'],
  [73, 'FileExistsError: file:/x already exists. Force the restore if you want to overwrite it.', 'BENJI_EXISTS'],
  [74, 'OSError: [Errno 28] No space left on device', 'BENJI_IO'],
  [77, 'AlreadyLocked: Version u-1 is already locked.', 'BENJI_LOCKED'],
  [77, 'AlreadyLocked: Another cleanup is already running.', 'BENJI_LOCKED'],
  [77, 'PermissionError: Version u-1 is protected, will not delete it.', 'BENJI_REFUSED'],
  [78, 'ConfigurationError: IO scheme frob is undefined.', 'BENJI_CONFIG'],
  [137, '', 'BENJI_STOPPED'],
  [143, '', 'BENJI_STOPPED'],
  [200, '', 'BENJI_STOPPED'],
  [99, '', 'BENJI_FAILED'],
] as const)('exit code %i with "%s" is %s', async ([exitCode, event, code]) => {
  const stderr = event === '' ? '' : record(event)
  const { benji } = startClients({ commands: { benji: replies({ exitCode, stderr }) } })
  const failure = await failureOf(benji.ls())
  expect(failure).toMatchObject({ code, details: { exitCode, event } })
  expect(failure.message).toContain(event === '' ? `exit code ${exitCode}` : event)
  expect(failure.hint).not.toBe('')
})

test('K36: what failed is in the message: the command, its volume, and what Benji said', async () => {
  const { benji, fake } = startClients()
  fake.badDays.next('backup', { at: 'created', exit: 74 })
  const request = { uid: 'u-1', volume: 'web/data', snapshot: 'b-1', source: 'rbd:rbd/data@b-1', labels: {} }
  fake.ceph.create('rbd/data')
  fake.ceph.snapshot('rbd/data', 'b-1')
  const { code, message } = await failureOf(benji.backup(request))
  expect({ code, message }).toEqual({
    code: 'BENJI_IO',
    message: 'benji backup web/data: reading or writing failed: OSError: a bad day (74)',
  })
})

test('C15: a database that another Benji has locked is told from others, and can be tried again', async () => {
  const stderr = record('OperationalError: (sqlite3.OperationalError) database is locked')
  const { benji } = startClients({ commands: { benji: replies({ exitCode: 70, stderr }) } })
  const { code, hint, retryable } = await failureOf(benji.ls())
  expect({ code, retryable }).toEqual({ code: 'BENJI_DATABASE', retryable: true })
  expect(hint).toContain('several jobs need PostgreSQL')
})

test('C8: what a configuration lacks is told by the stack of Python alone', async () => {
  const stderr = `${JSON.stringify({
    event: 'Uncaught exception',
    level: 'error',
    exception:
      'Traceback (most recent call last):\n  File "x"\nbenji.exception.ConfigurationError: blockSize: max 33554432',
  })}\n`
  const { benji } = startClients({ commands: { benji: replies({ exitCode: 1, stderr }) } })
  expect((await failureOf(benji.ls())).message).toContain('ConfigurationError: blockSize: max 33554432')
})

test('what argparse says is no JSON, and is told all the same', async () => {
  const { benji } = startClients({
    commands: {
      benji: replies({ exitCode: 2, stderr: 'usage: benji …\nbenji: error: unrecognized arguments: --frob\n' }),
    },
  })
  expect(await failureOf(benji.ls())).toMatchObject({
    code: 'BENJI_USAGE',
    message: 'Benji did not take benji ls: benji: error: unrecognized arguments: --frob',
  })
})
