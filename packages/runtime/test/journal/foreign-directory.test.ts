import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

// As a process of another user: mode bits say nothing to root.
test('fault F12: a state directory that another user closed is a mistake with a fix, not a fault of ours', () => {
  const directory = mkdtempSync(join(tmpdir(), 'closed-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const isRoot = process.getuid?.() === 0
  chmodSync(directory, isRoot ? 0o700 : 0)
  const script = `
    const { openJournal } = await import('${join(import.meta.dirname, '../../src/journal/open-journal.ts')}')
    try {
      openJournal({ directory: '${directory}', now: () => new Date(), onCorrupt() { console.log('moved aside') } })
    } catch (error) {
      console.log(error.code, error.hint)
    }`
  const options = ['--conditions=@holdfast/source', '--no-warnings', '--input-type=module', '--eval', script]
  const { stdout, stderr } = spawnSync(process.execPath, options, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    ...(isRoot && { uid: 65534, gid: 65534 }),
  })
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^JOURNAL_UNWRITABLE .*Make the state directory writable/)
})
