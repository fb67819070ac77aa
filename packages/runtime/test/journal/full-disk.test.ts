// A disk that is really full: a small one of our own, which nobody else sees.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'

const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0
const child = join(import.meta.dirname, 'full-disk.child.ts')

// What Node compiles for one process serves the next ones.
const cache = mkdtempSync(join(tmpdir(), 'full-compiled-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

/** What starts say that come after a crash on a full disk; before each of them, commands. */
function afterCrash(...starts: readonly (readonly [part: string, before?: string])[]) {
  const directory = mkdtempSync(join(tmpdir(), 'full-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(join(directory, 'state'))
  const node = `'${process.execPath}' --conditions=@holdfast/source ${child}`
  const script = [
    'mount -t tmpfs -o size=2m none state',
    ...[['die'] as const, ...starts].map(
      ([part, before = 'true']) => `${before}; ${node} '${part}' state "$PWD/frozen" || echo "\\"$?\\""`,
    ),
  ]
  const { stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script.join('\n')], {
    cwd: directory,
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
    encoding: 'utf8',
  })
  const said = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  return { said, stderr, isFrozen: existsSync(join(directory, 'frozen')) }
}

test.runIf(canMount)(
  'fault F48: a start on a full disk gives back what a killed process had taken, says so, and begins no run before there is room',
  () => {
    const { said, isFrozen } = afterCrash(['wait for room'], ['look'])
    expect(said).toEqual([
      '137',
      {
        recovered: ['done'],
        told: expect.any(Number) as number,
        counted: true,
        run: ['failed', 'STATE_UNWRITABLE'],
        withRoom: 'succeeded',
        times: 1,
      },
      // It is on record that it was given back.
      { recovered: [], told: 0, counted: false, run: ['succeeded', null], times: 1 },
    ])
    expect(isFrozen).toBe(false)
  },
)

test.runIf(canMount)(
  'fault F48: where nothing could be written before the process ended, it is given back once more, and the memory that SQLite shares is not needed',
  () => {
    const full = 'rm -f state/*-shm; cat /dev/zero >>state/full 2>/dev/null'
    const { said } = afterCrash(['look', full], ['look', 'rm state/full'])
    expect(said).toMatchObject([
      '137',
      { recovered: ['done'], run: ['failed', 'STATE_UNWRITABLE'], times: 1 },
      { recovered: ['done'], told: 0, run: ['succeeded', null], times: 2 },
    ])
  },
)
