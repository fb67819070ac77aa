import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { createTestRun, dropsWithoutStatus, fakeExec, replies, type FakeCommand } from '@holdfast/testing'
import { templatePlugin } from '../src/index.ts'

void test('a directory is backed up', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'template-plugin-'))
  t.after(() => rmSync(path, { recursive: true }))
  writeFileSync(join(path, 'a.txt'), 'hello')
  const run = await createTestRun({ use: [templatePlugin({ path })] })
  t.after(() => run.close())

  const { outcome } = await run.run()

  assert.equal(outcome.status, 'succeeded')
  assert.equal(outcome.targets[0]?.verification, 'verified')
})

void test('whatever happens to tar, the application goes on', async (t) => {
  const pauseFile = join(mkdtempSync(join(tmpdir(), 'template-plugin-')), 'pause')
  t.after(() => rmSync(join(pauseFile, '..'), { recursive: true }))
  const tar: FakeCommand = (call) => {
    if (call.command.includes('--version')) return {}
    assert.ok(existsSync(pauseFile), 'tar runs while the application is paused')
    return dropsWithoutStatus()(call)
  }
  const run = await createTestRun({ use: [templatePlugin({ path: '/data', pauseFile })], exec: fakeExec({ tar }) })
  t.after(() => run.close())

  const { outcome } = await run.run()

  assert.equal(outcome.status, 'failed')
  assert.ok(!existsSync(pauseFile))
})

void test('who gives it back may have been started in another directory', async (t) => {
  const directory = process.cwd()
  const pauseFile = join(mkdtempSync(join(tmpdir(), 'template-plugin-')), 'pause')
  t.after(() => {
    process.chdir(directory)
    rmSync(join(pauseFile, '..'), { recursive: true })
  })
  const tar: FakeCommand = (call) => {
    if (!call.command.includes('--version')) process.chdir(tmpdir())
    return { stdout: 'files' }
  }
  const use = [templatePlugin({ path: '/data', pauseFile: relative(directory, pauseFile) })]
  const run = await createTestRun({ use, exec: fakeExec({ tar }) })
  t.after(() => run.close())

  const { outcome } = await run.run()

  assert.equal(outcome.status, 'succeeded')
  assert.ok(!existsSync(pauseFile))
})

void test('without tar nothing begins', async (t) => {
  const run = await createTestRun({ use: [templatePlugin({ path: '/data' })], exec: fakeExec({ other: replies() }) })
  t.after(() => run.close())

  const { outcome } = await run.run()

  assert.equal(outcome.status, 'failed')
  assert.match(outcome.error?.message ?? '', /tar/)
})
