// The suites are plain data: other runners take them as vitest does in the tests beside this one. Jest is not installed here;
// its `test(name, run)` has the same form.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('node:test runs the checks: of a plugin that takes any option one fails, the others pass', () => {
  const file = join(import.meta.dirname, 'support/conformance.node.ts')
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
  const args = ['--conditions=@holdfast/source', '--test-reporter=tap', file]
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
  expect(stdout).toContain('not ok 1 - a volume: a misspelt option is refused by its name')
  expect(stdout).toContain('# pass 10\n# fail 1\n')
  expect(status).toBe(1)
})
