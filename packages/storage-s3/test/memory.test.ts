import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { env } from 'node:process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { useCredentials } from './support/driver.ts'

useCredentials()

const MiB = 2 ** 20
/** More than the bar in any case, so that whoever keeps the stream can't stay below it. */
const size = (env['HOLDFAST_TEST_LONG'] ? 8192 : 512) * MiB

test(`a stream of ${size / MiB} MiB takes less than 300 MiB, with the server that discards it`, async () => {
  const child = join(import.meta.dirname, 'memory.child.ts')
  const args = ['--conditions=@holdfast/source', child, `${size}`]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...env } })
  const { stored, peak } = JSON.parse(stdout) as { readonly stored: number; readonly peak: number }
  expect(stored).toBe(size)
  expect(peak / MiB).toBeLessThan(300)
}, 300_000)
