import { createTestRun, type TestRun } from '@holdfast/testing'
import type { HookModule, Plugin } from '@holdfast/sdk'
import { afterEach } from 'vitest'

const open: TestRun[] = []
afterEach(async () => {
  for (const run of open.splice(0)) await run.close()
})

/** A run of these hooks and plugins that is closed at the end of the test. */
export async function testRun(
  use: readonly (Plugin | HookModule)[],
  more: Partial<Parameters<typeof createTestRun>[0]> = {},
): Promise<TestRun> {
  const made = await createTestRun({ use, ...more })
  open.push(made)
  return made
}
