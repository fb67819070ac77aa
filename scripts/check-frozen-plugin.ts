// A plugin that was built against SDK 1.0.0 and packed with it (packages/testing/test/fixtures/sdk-1.0) is loaded and run by the
// packed command, and its sources still compile with today's declarations. Part of `npm run check:packages`.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { compilers, tscOf } from './compilers.ts'
import { all, inOrder, tryProgram } from './try-program.ts'
import { root } from './workspaces.ts'

const frozen = join(root, 'packages/testing/test/fixtures/sdk-1.0')

/**
 * What the users of such a plugin would trip over, one line each.
 *
 * @param folder - outside of the repository, with the unpacked tarballs in its node_modules
 */
export async function findFrozenPluginProblems(folder: string): Promise<readonly string[]> {
  const source = join(folder, 'source-1.0')
  cpSync(join(frozen, 'plugin'), source, { recursive: true })
  const types = compilers.map((compiler) => tryIt([execPath, tscOf(compiler), '--noEmit', '-p', source], source))
  return all([useIt(folder), ...types])
}

async function useIt(folder: string): Promise<readonly string[]> {
  const use = join(folder, 'use-1.0')
  const installed = join(use, 'node_modules/holdfast-plugin-ledger')
  mkdirSync(installed, { recursive: true })
  const tarball = join(frozen, 'holdfast-plugin-ledger-1.0.0.tgz')
  const options = `{ notes: ${join(use, 'notes')}, password: { env: LEDGER_PASSWORD } }`
  const hook = './node_modules/holdfast-plugin-ledger/dist/hook.js'
  const plan = `{ use: ['holdfast-plugin-ledger#ledger': ${options}, ${hook}] }`
  writeFileSync(join(use, 'holdfast.yaml'), `plans:\n  books: ${plan}\n`)
  const holdfast = join(folder, 'node_modules/@holdfast/sidecar/bin/holdfast.js')
  return inOrder([
    () => tryIt(['tar', '-xzf', tarball, '--strip-components=1', '-C', installed], use),
    ...[['validate'], ['plan'], ['run', 'books']].map(
      (command) => () => tryIt([execPath, holdfast, ...command, '--state-dir', join(use, 'state')], use),
    ),
  ])
}

function tryIt(command: readonly string[], cwd: string): Promise<readonly string[]> {
  const canary = 'canary-in-a-variable'
  const title = `a plugin of SDK 1.0: ${command.join(' ')}`
  return tryProgram(command, { cwd, title, env: { LEDGER_PASSWORD: canary }, never: canary })
}
