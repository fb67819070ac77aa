// The suites are plain data, and know no test runner: each of them runs the same checks, in a process of its own. Of a plugin
// that takes any option one check fails, and the others pass.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const support = join(import.meta.dirname, 'support')
const root = join(import.meta.dirname, '../../..')
const wrong = 'a volume: a misspelt option is refused by its name'

function node(...args: string[]): { readonly status: number | null; readonly output: string } {
  // What this process's own runner has set is not for theirs.
  const own = Object.entries(process.env).filter(([name]) => !/^(NODE_|VITEST|JEST_|TEST$)/.test(name))
  const env = { ...Object.fromEntries(own), NO_COLOR: '1', NODE_NO_WARNINGS: '1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env })
  return { status, output: `${stdout}${stderr}` }
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'holdfast-runner-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

test('node:test', () => {
  const file = join(support, 'conformance.node.ts')
  const { status, output } = node('--conditions=@holdfast/source', '--test-reporter=tap', file)
  expect(output).toContain(`not ok 1 - ${wrong}`)
  expect(output).toContain('# pass 8\n# fail 1\n')
  expect(status).toBe(1)
})

test('vitest', () => {
  const config = join(folder(), 'vitest.config.mjs')
  // Node reads our sources itself, which is fast.
  const native = { experimental: { viteModuleRunner: false }, execArgv: ['--conditions=@holdfast/source'] }
  const options = { root: support, test: { include: ['conformance.vitest.ts'], reporters: 'tap-flat', ...native } }
  writeFileSync(config, `export default ${JSON.stringify(options)}`)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { status, output } = node(vitest, 'run', '--config', config)
  expect(output).toContain(`not ok 1 - conformance.vitest.ts > ${wrong}`)
  expect(output.match(/^ok /gm)).toHaveLength(8)
  expect(output.match(/^not ok /gm)).toHaveLength(1)
  expect(status).toBe(1)
})

test('jest', () => {
  const config = {
    rootDir: support,
    testMatch: ['**/conformance.jest.ts'],
    extensionsToTreatAsEsm: ['.ts'],
    transform: { '\\.ts$': join(support, 'jest-types.cjs') },
    testEnvironmentOptions: { customExportConditions: ['@holdfast/source', 'node', 'node-addons'] },
    cacheDirectory: folder(),
  }
  const jest = fileURLToPath(import.meta.resolve('jest/bin/jest'))
  const { status, output } = node(
    '--experimental-vm-modules',
    jest,
    '--runInBand',
    `--config=${JSON.stringify(config)}`,
  )
  expect(output).toContain(`● ${wrong}`)
  expect(output).toContain('Tests:       1 failed, 8 passed, 9 total')
  expect(status).toBe(1)
})
