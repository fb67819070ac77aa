import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { follow } from './support/process.ts'
import { workspace, type Workspace } from './support/workspace.ts'

const bin = join(import.meta.dirname, '../bin')
const manifest = join(import.meta.dirname, '../package.json')

/** The commands as they are installed, with a bundle that tells what it was called with. */
function installed(bundle?: string): Workspace {
  const here = workspace()
  cpSync(bin, here.at('app/bin'), { recursive: true })
  cpSync(manifest, here.at('app/package.json'))
  if (bundle !== undefined) here.write('app/dist/holdfast.js', bundle)
  // Loaded first, it makes this Node look like the one of the operating system.
  here.write(
    'old.cjs',
    `if (!process.env.NEWER) Object.defineProperty(process.versions, 'node', { value: '20.20.2' })\n`,
  )
  return here
}

/** Puts a newer Node where npm would put it. */
function addNode(here: Workspace): void {
  const directory = here.at(`node_modules/node-linux-${process.arch}/bin`)
  mkdirSync(directory, { recursive: true })
  here.write(
    `node_modules/node-linux-${process.arch}/bin/node`,
    `#!/bin/sh\nNEWER=1 exec '${process.execPath}' "$@"\n`,
    0o755,
  )
}

const echo = `export function main() { console.log(JSON.stringify(process.argv.slice(2))); process.exit(7) }\n`

test('--version is answered without loading anything, whatever the Node', () => {
  const here = installed()
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }
  for (const args of [[], ['-r', here.at('old.cjs')]]) {
    const { stdout } = spawnSync(process.execPath, [...args, here.at('app/bin/holdfast.js'), '--version'])
    expect(stdout.toString()).toBe(`${version}\n`)
  }
})

test('a bundle that is not built is one clear line', () => {
  const here = installed()
  const { status, stderr } = spawnSync(process.execPath, [here.at('app/bin/holdfast.js'), 'list'])
  expect(status).toBe(1)
  expect(stderr.toString()).toBe(
    `holdfast is not built: ${here.at('app/dist/holdfast.js')} is missing. Run \`npm run build\`.\n`,
  )
})

test('an old Node without a newer one beside it is one clear line', () => {
  const here = installed(echo)
  const { status, stderr } = spawnSync(process.execPath, [
    '-r',
    here.at('old.cjs'),
    here.at('app/bin/holdfast.js'),
    'list',
  ])
  expect(status).toBe(1)
  expect(stderr.toString()).toMatch(/^holdfast needs Node 22\.19 or newer, and this is 20\.20\.2\. .*\n$/)
})

test('an old Node hands over to the one that npm installed: arguments, exit code, and through a link', () => {
  const here = installed(echo)
  addNode(here)
  mkdirSync(here.at('node_modules/.bin'))
  symlinkSync('../../app/bin/holdfast.js', here.at('node_modules/.bin/holdfast'))
  const args = ['-r', here.at('old.cjs'), here.at('node_modules/.bin/holdfast'), 'run', "it's", '']
  const { status, stdout } = spawnSync(process.execPath, args)
  expect(stdout.toString()).toBe(`["run","it's",""]\n`)
  expect(status).toBe(7)
})

test.for([
  ['handles a signal', `process.on('SIGTERM', () => process.exit(143))`, { code: 143, signal: null }],
  ['dies of a signal', ``, { code: null, signal: 'SIGTERM' }],
] as const)('an old Node passes on what becomes of a child that %s', async ([, handler, expected]) => {
  const here = installed(`export function main() { ${handler}; console.log('up'); setInterval(() => {}, 1000) }\n`)
  addNode(here)
  const { child, printed, ended } = follow(['-r', here.at('old.cjs'), here.at('app/bin/holdfast.js')], {
    cwd: here.path,
  })
  await printed('up')
  child.kill('SIGTERM')
  expect(await ended).toEqual(expected)
})
