// What is wrong with Benji's configuration is said before a snapshot is made for nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CheckContext } from '@holdfast/sdk'
import { fakeExec, replies, testClock, type FakeCommand } from '@holdfast/testing'
import { expect, onTestFinished, test } from 'vitest'
import type { BackupConfig } from '../../src/backup/options.ts'
import { validateBackup } from '../../src/backup/validate.ts'
import { backupRun } from '../support/backup-run.ts'
import { createFakeBenji } from '../support/fake-benji.ts'
import { createFakeCeph } from '../support/fake-ceph.ts'
import { failureOf, recordLog } from '../support/clients.ts'

function validate(engine: BackupConfig['engine'], module = 'rbdaio', more: Partial<CheckContext<BackupConfig>> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'benji-validate-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const configFile = join(directory, 'benji.yaml')
  const storages = [{ name: 's1', module: 'file', configuration: { path: '/nowhere' } }]
  const ios = [
    { name: 'rbd', module },
    { name: 'file', module: 'file' },
  ]
  writeFileSync(
    configFile,
    JSON.stringify({ configurationVersion: '1', databaseEngine: 'sqlite://', defaultStorage: 's1', storages, ios }),
  )
  const { log, lines } = recordLog()
  const ctx = { config: { engine: { configFile, ...engine } }, log, ...more } as unknown as CheckContext<BackupConfig>
  return { lines, configFile, end: validateBackup(ctx) }
}

test('K19: an io that Benji does not have is named, with those that it has', async () => {
  expect((await failureOf(validate({ io: 'pool1' }).end)).message).toMatch(/has no io "pool1" \(it has: rbd, file\)$/)
})

test('a storage that Benji does not have is named', async () => {
  expect(await failureOf(validate({ storage: 's2' }).end)).toMatchObject({ code: 'BENJI_STORAGE_MISSING' })
})

test('C9: an io that cannot read images of RADOS namespaces is warned of', async () => {
  const { lines, end } = validate({}, 'rbd')
  await end
  expect(lines).toEqual([expect.stringContaining('use rbdaio')])
  const good = validate({})
  await good.end
  expect(good.lines).toEqual([])
})

test('C9, K19: nothing is done by a plan whose io is missing', async () => {
  const run = await backupRun({ options: { engine: { io: 'pool1' } } })
  expect(await run.run()).toMatchObject({ status: 'failed', error: { code: 'BENJI_IO_MISSING' } })
  expect(run.commands()).toEqual([])
})

/** Somebody validates; Benji is this. */
function asked(benji: FakeCommand | undefined, clock = testClock()) {
  const commands = fakeExec(benji ? { benji } : {})
  const { signal } = new AbortController()
  const exec = commands.create({ signal, clock })
  const ctx = (phase: CheckContext<BackupConfig>['phase']) => ({ phase, signal, exec, clock })
  return { commands, ctx }
}

/** As Benji 0.17.0 ends when a package of Python is missing. */
const withoutBoto3 = JSON.stringify({
  event: 'Uncaught exception',
  level: 'error',
  exception: "Traceback (most recent call last):\n  …\nModuleNotFoundError: No module named 'boto3'",
})

test('whoever validates is told that a module of Benji can not be loaded; a run is told by its first call', async () => {
  const { commands, ctx } = asked(replies({ exitCode: 1, stderr: `${withoutBoto3}\n` }))
  const error = await failureOf(validate({}, 'rbdaio', ctx('command')).end)
  expect(error).toMatchObject({
    code: 'BENJI_CONFIG',
    message: "benji version-info: the configuration can't be used: ModuleNotFoundError: No module named 'boto3'",
  })
  for (const phase of ['load', 'run'] as const) await validate({}, 'rbdaio', ctx(phase)).end
  expect(commands.calls).toHaveLength(1)
})

test('whoever validates is told that there is no Benji', async () => {
  expect(await failureOf(validate({}, 'rbdaio', asked(undefined).ctx('command')).end)).toMatchObject({
    code: 'BENJI_MISSING',
  })
})

test('plans with the same Benji start it once to be validated, and the next command once more', async () => {
  const { command } = createFakeBenji({ ceph: createFakeCeph() })
  const clock = testClock()
  const { commands, ctx } = asked(command, clock)
  const configFile = validate({}).configFile
  for (let plan = 0; plan < 3; plan++) await validate({ configFile }, 'rbdaio', ctx('command')).end
  expect(commands.calls).toHaveLength(1)
  expect(commands.calls[0]).toMatchObject({ command: expect.arrayContaining(['version-info']) as object })
  await validate({ configFile, env: { HOME: '/srv' } }, 'rbdaio', ctx('command')).end
  expect(commands.calls).toHaveLength(2)
  const next = asked(command)
  await validate({ configFile }, 'rbdaio', next.ctx('command')).end
  expect(next.commands.calls).toHaveLength(1)
})
