// What is wrong with Benji's configuration is said before a snapshot is made for nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CheckContext } from '@holdfast/sdk'
import { expect, onTestFinished, test } from 'vitest'
import type { BackupConfig } from '../../src/backup/options.ts'
import { validateBackup } from '../../src/backup/validate.ts'
import { backupRun } from '../support/backup-run.ts'
import { failureOf, recordLog } from '../support/clients.ts'

function validate(engine: BackupConfig['engine'], module = 'rbdaio') {
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
  const ctx = { config: { engine: { configFile, ...engine } }, log } as unknown as CheckContext<BackupConfig>
  return { lines, end: validateBackup(ctx) }
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
