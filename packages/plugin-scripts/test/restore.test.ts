import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RestorePoint } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { directoryWith, sh, writeFiles, type TestFiles } from './support/files.ts'
import { scriptRun, type ScriptRun } from './support/run.ts'

const dump: TestFiles = { 'backups/dump': sh('printf "line one\\nline two" > f', 'save_artifact shop.sql f') }

async function backedUp(files: TestFiles = {}): Promise<{ run: ScriptRun; point: RestorePoint }> {
  const run = await scriptRun({ ...dump, ...files })
  const { outcome } = await run.run()
  expect(outcome.error).toBeUndefined()
  return { run, point: outcome.targets[0]?.points[0] as RestorePoint }
}

test('without a script, the artifact becomes a file of its name', async () => {
  const { run, point } = await backedUp()
  const to = join(directoryWith(), 'new/directory/')
  expect(await run.restore(point, { path: to })).toBe(join(to, 'shop.sql'))
  expect(readFileSync(join(to, 'shop.sql'), 'utf8')).toBe('line one\nline two')
  expect(readdirSync(to)).toEqual(['shop.sql'])
  expect(await run.restore(point, { path: join(to, 'other.sql') })).toBe(join(to, 'other.sql'))
  expect(readdirSync(to)).toEqual(['other.sql', 'shop.sql'])
})

test('a file that is there is not touched without force', async () => {
  const { run, point } = await backedUp()
  const to = directoryWith({ 'shop.sql': 'precious' })
  await expect(run.restore(point, { path: to })).rejects.toMatchObject({ code: 'RESTORE_EXISTS' })
  expect(readFileSync(join(to, 'shop.sql'), 'utf8')).toBe('precious')
  await run.restore(point, { path: to }, true)
  expect(readFileSync(join(to, 'shop.sql'), 'utf8')).toBe('line one\nline two')
  expect(readdirSync(to)).toEqual(['shop.sql'])
})

test('bytes with another digest never get the name', async () => {
  const { run, point } = await backedUp()
  const to = directoryWith()
  const { storage } = run.test
  const whole = storage.get.bind(storage)
  Object.assign(storage, {
    async *get(...args: Parameters<typeof whole>) {
      for await (const chunk of whole(...args)) yield args[0].includes('.data') ? Buffer.from(chunk).fill(0, 20) : chunk
    },
  })
  await expect(run.restore(point, { path: to }, true)).rejects.toMatchObject({ code: 'ARTIFACT_DIGEST' })
  expect(readdirSync(to)).toEqual([])
})

test('it has to be told where, and takes no other option', async () => {
  const { run, point } = await backedUp()
  await expect(run.restore(point, {})).rejects.toMatchObject({ code: 'RESTORE_NO_DIRECTORY' })
  await expect(run.restore(point, { to: '/x' })).rejects.toThrow('Unrecognized key')
})

test('a name with slashes and dots stays in the directory', async () => {
  const run = await scriptRun({ 'backups/x': sh('echo data > f; save_artifact ../../escaped f') })
  const { outcome } = await run.run()
  const to = directoryWith()
  const where = await run.restore(outcome.targets[0]?.points[0] as RestorePoint, { path: to })
  expect(readdirSync(to)).toHaveLength(1)
  expect(where).toBe(join(to, readdirSync(to)[0] ?? ''))
  expect(existsSync(join(to, '../../escaped'))).toBe(false)
})

test('scripts of restore get the bytes, one after the other, and know what they have', async () => {
  const { run, point } = await backedUp({
    'restore/1': sh(
      'cat; echo; echo "$HOLDFAST_ARTIFACT_NAME $HOLDFAST_ARTIFACT_SIZE $HOLDFAST_RESTORE_TO $HOLDFAST_HOOK"',
    ),
    'restore/2': sh('[ "$(sha256sum | cut -d" " -f1)" = "$HOLDFAST_ARTIFACT_SHA256" ] && echo "$HOLDFAST_ARTIFACT_ID"'),
  })
  expect(await run.restore(point, { path: '/restore/here' })).toBe('/restore/here')
  expect(run.output()).toEqual(['line one', 'line two', 'shop.sql 17 /restore/here restore', point.id])
})

test('a script of restore that fails, fails the restore', async () => {
  const { run, point } = await backedUp({ 'restore/1': sh('exit 9'), 'restore/2': sh('echo never') })
  await expect(run.restore(point, {})).rejects.toMatchObject({ code: 'SCRIPT_FAILED', details: { exitCode: 9 } })
  expect(run.output()).toEqual([])
})

test('verify_backups scripts get each artifact; one that fails makes the backup unverified', async () => {
  const { run } = await backedUp({ 'verify_backups/check': sh('grep -q "line two" && echo readable') })
  expect(run.output()).toEqual(['readable'])
  writeFiles(run.path, { 'verify_backups/check': sh('exit 1') })
  const { outcome } = await run.run()
  expect(outcome.status).toBe('partial')
  expect(outcome.targets[0]).toMatchObject({ status: 'succeeded', verification: 'unverified' })
})

test('a verify script need not read everything', async () => {
  const run = await scriptRun({
    'backups/x': sh('head -c 3000000 /dev/zero > f; save_artifact zeros f'),
    'verify_backups/x': sh('head -c 10 | wc -c'),
  })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.output()).toEqual(['10'])
})

test('a set that saves no artifact is verified by its own scripts, once, without input, or not at all', async () => {
  const run = await scriptRun({ 'backups/x': sh('true'), 'prune_backups/p': sh('echo pruned') })
  const first = await run.run()
  expect(first.outcome).toMatchObject({ status: 'succeeded', targets: [{ verification: 'not-applicable' }] })
  expect(run.output()).toEqual([])
  writeFiles(run.path, { 'verify_backups/v': sh('echo "[$(cat)]"') })
  const second = await run.run()
  expect(second.outcome).toMatchObject({ status: 'succeeded', targets: [{ verification: 'verified' }] })
  expect(run.output()).toEqual(['[]', 'pruned'])
})

test('prune_backups scripts run once a backup was verified', async () => {
  const run = await scriptRun({ ...dump, 'prune_backups/p': sh('echo "$HOLDFAST_HOOK"') })
  await run.run()
  writeFiles(run.path, { 'verify_backups/v': sh('exit 1') })
  await run.run()
  expect(run.output()).toEqual(['prune_backups'])
})
