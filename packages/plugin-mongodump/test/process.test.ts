// Real processes in place of mongodump: how they end is what counts, whatever they wrote.
import { createTestRun, memoryStorage } from '@holdfast/testing'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { mongodump } from '../src/index.ts'
import { realArchive } from './support/archive.ts'
import { startFakeMongo } from './support/fake-mongo.ts'
import { toolPrograms } from './support/tool-programs.ts'

/** Runs a dump by a shell script. */
async function runBy(
  script: string,
): Promise<{ readonly status: string; readonly code: string | undefined; readonly stored: number }> {
  const mongo = await startFakeMongo()
  onTestFinished(() => mongo[Symbol.asyncDispose]())
  const { directory, env, archive } = toolPrograms()
  archive(realArchive())
  const program = join(directory, 'bin/mongodump')
  writeFileSync(
    program,
    `#!/bin/sh\n[ "$1" = --version ] && { echo 'mongodump version: 100.10.0'; exit; }\n${script}\n`,
  )
  chmodSync(program, 0o755)
  const storage = memoryStorage()
  const run = await createTestRun({
    use: [mongodump({ uri: { env: 'MONGODB_URI' }, verify: 'archive' })],
    config: { storage },
    env: { ...env, MONGODB_URI: mongo.uri },
  })
  onTestFinished(() => run.close())
  const { outcome } = await run.run()
  const [target] = outcome.targets
  const stored = [...storage.objects.keys()].filter((key) => key.includes('dump.archive')).length
  return { status: outcome.status, code: target?.error?.code, stored }
}

test.each([
  ['exit 1 after partial output', 'head -c 1000 "$FAKE/archive"; exit 1', 'MONGODUMP_FAILED'],
  ['exit 1 after all of it', 'cat "$FAKE/archive"; exit 1', 'MONGODUMP_FAILED'],
  ['exit 0 with 0 bytes', 'exit 0', 'MONGODUMP_ARCHIVE'],
  ['exit 0 with half of it', 'head -c 1000 "$FAKE/archive"', 'MONGODUMP_ARCHIVE'],
  ['killed after partial output', 'head -c 1000 "$FAKE/archive"; kill -9 $$', 'MONGODUMP_STOPPED'],
  ['killed after all of it', 'cat "$FAKE/archive"; kill -9 $$', 'MONGODUMP_STOPPED'],
])('fault F46: %s: nothing is stored', async (_, script, code) => {
  expect(await runBy(script)).toEqual({ status: 'failed', code, stored: 0 })
})

test('all of it, and exit 0: a backup', async () => {
  expect(await runBy('cat "$FAKE/archive"')).toEqual({ status: 'succeeded', code: undefined, stored: 3 })
})
