// A plugin that was built against SDK 1.0.0 and packed with it (packages/testing/test/fixtures/sdk-1.0) is loaded and run by the
// packed command, and its sources still compile with today's declarations. Part of `npm run check:packages`.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { compilers, tscOf } from './compilers.ts'
import { root } from './workspaces.ts'

const frozen = join(root, 'packages/testing/test/fixtures/sdk-1.0')

/**
 * What the users of such a plugin would trip over, one line each.
 *
 * @param folder - outside of the repository, with the unpacked tarballs in its node_modules
 */
export function findFrozenPluginProblems(folder: string): readonly string[] {
  const use = join(folder, 'use-1.0')
  const installed = join(use, 'node_modules/holdfast-plugin-ledger')
  mkdirSync(installed, { recursive: true })
  const tarball = join(frozen, 'holdfast-plugin-ledger-1.0.0.tgz')
  const unpacked = run(['tar', '-xzf', tarball, '--strip-components=1', '-C', installed], use)
  const options = `{ notes: ${join(use, 'notes')}, password: { env: LEDGER_PASSWORD } }`
  const hook = './node_modules/holdfast-plugin-ledger/dist/hook.js'
  const plan = `{ use: ['holdfast-plugin-ledger#ledger': ${options}, ${hook}] }`
  writeFileSync(join(use, 'holdfast.yaml'), `plans:\n  books: ${plan}\n`)
  const holdfast = join(folder, 'node_modules/@holdfast/sidecar/bin/holdfast.js')
  const commands = [['validate'], ['plan'], ['run', 'books']].flatMap((command) =>
    run([execPath, holdfast, ...command, '--state-dir', join(use, 'state')], use),
  )
  const source = join(folder, 'source-1.0')
  cpSync(join(frozen, 'plugin'), source, { recursive: true })
  const types = compilers.flatMap((compiler) => run([execPath, tscOf(compiler), '--noEmit', '-p', source], source))
  return [...unpacked, ...commands, ...types]
}

function run([command = '', ...args]: readonly string[], cwd: string): readonly string[] {
  const own = { ...env, LEDGER_PASSWORD: 'canary' }
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: own })
  if (status === 0 && !`${stdout}${stderr}`.includes('canary')) return []
  return [`a plugin of SDK 1.0: ${[command, ...args].join(' ')}:\n${stdout}${stderr}`]
}
