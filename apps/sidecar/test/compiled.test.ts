// bin/compiled.js, and what the image makes with it: kubectlexec that starts as if it had run before.
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { workspace } from './support/workspace.ts'

const app = join(import.meta.dirname, '..')
const require = createRequire(import.meta.url)

interface Compiled {
  load(file: string, by: NodeJS.Require): { main(): unknown } | undefined
  prepare(file: string, by: NodeJS.Require): { readonly exports: { main(): unknown }; keep(): void }
}
const { load, prepare } = require('../bin/compiled.js') as Compiled

test('a bundle that is no longer the one that was compiled is not run as if it were', () => {
  const here = workspace()
  const file = here.at('dist/bundle.cjs')
  here.write('dist/bundle.cjs', `exports.main = () => require('node:path').sep + 'one'\n`)
  expect(load(file, require)).toBeUndefined()
  const { exports, keep } = prepare(file, require)
  expect(exports.main()).toBe('/one')
  keep()
  expect(load(file, require)?.main()).toBe('/one')
  // As long as before: V8 itself looks at nothing else.
  here.write('dist/bundle.cjs', `exports.main = () => require('node:path').sep + 'two'\n`)
  expect(load(file, require)).toBeUndefined()
})

test('what a truncated or foreign file says is compiled anew', () => {
  const here = workspace()
  const file = here.at('dist/bundle.cjs')
  here.write('dist/bundle.cjs', `exports.main = () => 'one'\n`)
  prepare(file, require).keep()
  appendFileSync(here.at('dist/.cache/bundle.cjs.compiled'), 'more')
  expect(load(file, require)?.main()).toBe('one')
  here.write('dist/.cache/bundle.cjs.compiled', `exports.main = () => 'one'\nnonsense`)
  expect(load(file, require)?.main()).toBe('one')
})

test('the image compiles kubectlexec by running it to its end, and it runs from that', () => {
  const here = workspace()
  for (const name of ['bin', 'package.json', 'dist/kubectlexec.cjs']) {
    cpSync(join(app, name), here.at('app', name), { recursive: true })
  }
  const made = spawnSync(process.execPath, [join(app, 'image/build/compile.mjs'), here.at('app')])
  expect({ status: made.status, stdout: made.stdout.toString(), stderr: made.stderr.toString() }).toEqual({
    status: 0,
    stdout: 'word\n',
    stderr: 'word\n',
  })
  expect(existsSync(here.at('app/dist/.cache/kubectlexec.cjs.compiled'))).toBe(true)
  // A pod without an account.
  const { status, stderr } = spawnSync(process.execPath, [here.at('app/bin/kubectlexec'), '--', 'true'], {
    env: { KUBERNETES_SERVICE_HOST: '127.0.0.1', TARGET_CONTAINER: 'app', POD_NAME: 'pod' },
  })
  expect(status).toBe(125)
  expect(stderr.toString()).toContain('no access to a cluster')
})
