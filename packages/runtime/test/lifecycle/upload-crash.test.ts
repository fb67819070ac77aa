import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isReadable, listed } from './lost-nothing.ts'
import { uploadRun } from './upload-run.ts'

// In memory where that is possible: a killed process loses no page, so waiting for a disk would prove nothing.
const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-upload-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('fault F46, F48: kill -9 at every 5 % of an upload: nothing half is a backup, nothing good is gone, the next run works', async () => {
  const parts = 20
  const script = join(import.meta.dirname, 'upload-crash.child.ts')
  const child = spawn(process.execPath, ['--conditions=@holdfast/source', script, root, String(parts)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'close')])) as [Buffer]
  expect(String(said)).toBe('at all\n')
  child.kill('SIGKILL')
  await once(child, 'close')

  for (let part = 0; part <= parts; part++) {
    const place = join(root, String(part))
    const where = `killed at ${part * 5} %`
    // Files are dated by the machine's clock: what is swept is older than the run.
    const run = await uploadRun(place, { now: '2100-01-01T00:00:00Z' })
    const { interrupted } = await run.engine.recover()
    expect(interrupted, where).toHaveLength(1)
    expect(run.engine.journal.runs({ limit: 1 }), where).toMatchObject([
      { status: 'aborted', error: { code: 'RUN_ABORTED' } },
    ])
    const [good, ...more] = await listed(run)
    expect(more, where).toEqual([])
    expect(good?.startedAt.toISOString(), where).toBe('2026-01-01T00:00:00.000Z')
    expect(good && (await isReadable(run, good)), where).toBe(true)
    const { outcome } = await run.run()
    expect(outcome.error, where).toBeUndefined()
    expect(outcome.status, where).toBe('succeeded')
    // The retention lets the older one go now, and what the killed run had left is swept.
    expect(
      (await listed(run)).map(({ run: id }) => id),
      where,
    ).toEqual([run.engine.journal.runs({ limit: 1 })[0]?.id])
    const files = readdirSync(join(place, 'store'), { recursive: true, encoding: 'utf8' })
    expect(
      files.filter((file) => /\.data|tmp/.test(file)),
      where,
    ).toHaveLength(1)
    await run.close()
  }
})
