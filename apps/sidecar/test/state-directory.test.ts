import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { shop, type Workspace } from './support/workspace.ts'

const holdfast = join(import.meta.dirname, '../bin/holdfast.js')
const main = join(import.meta.dirname, '../src/holdfast.ts')

/** In a mount namespace of our own: mode bits say nothing to root. */
const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0

/** Runs a command after something was mounted that nobody else sees. */
function mounted(here: Workspace, mount: string, args: readonly string[]): { code: number | null; stderr: string } {
  const command = `'${process.execPath}' ${holdfast} ${args.join(' ')}`
  const { status, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', `${mount} && exec ${command}`], {
    cwd: here.path,
    env: { PATH: process.env['PATH'], HOME: here.path, HOLDFAST_STATE_DIR: here.state },
    encoding: 'utf8',
  })
  return { code: status, stderr }
}

function frozenScript(here: Workspace): void {
  here.script('before_backups/10', `touch ${here.at('frozen')}`)
  here.script('backups/10', 'true')
}

test.runIf(canMount)('fault F12: a read-only state directory is refused before any effect', async () => {
  const here = shop()
  frozenScript(here)
  mkdirSync(here.state)
  const { code, stderr } = mounted(here, 'mount -t tmpfs -o ro none state', ['run', 'shop'])
  expect(code).toBe(1)
  expect(stderr).toContain('JOURNAL_UNWRITABLE')
  expect(stderr).toContain('Make the state directory writable (in a pod, fsGroup: 1000')
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(readdirSync(here.path)).not.toContain('frozen')
})

test.runIf(canMount)('fault F12: a full state directory is refused before any effect', async () => {
  const here = shop()
  frozenScript(here)
  mkdirSync(here.state)
  const full = 'mount -t tmpfs -o size=8k none state && head -c 8192 /dev/zero > state/full'
  const { code, stderr } = mounted(here, full, ['run', 'shop'])
  expect(code).toBe(1)
  expect(stderr).toContain('JOURNAL_UNWRITABLE')
  expect(readdirSync(here.path)).not.toContain('frozen')
})

test.runIf(canMount)('fault F48: what is frozen is shown and let go of on a full disk', () => {
  const here = shop()
  here.script('before_backups/10', `touch ${here.at('frozen')}`)
  here.script('before_backups/10.undo', `rm ${here.at('frozen')}`)
  here.script('backups/10', 'kill -9 $PPID')
  mkdirSync(here.state)
  const entry = `import(${JSON.stringify(main)}).then(({ main }) => main())`
  const command = `'${process.execPath}' --conditions=@holdfast/source -e '${entry}' holdfast`
  const script = [
    'mount -t tmpfs -o size=2m none state',
    `${command} run shop`,
    'cat /dev/zero >state/full 2>/dev/null; rm -f state/*-shm; cat /dev/zero >>state/full 2>/dev/null; [ -e frozen ] && echo frozen',
    `${command} undo list`,
    `${command} run shop; echo "run $?"`,
  ].join('\n')
  const { stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script], {
    cwd: here.path,
    env: { PATH: process.env['PATH'], HOME: here.path, HOLDFAST_STATE_DIR: here.state },
    encoding: 'utf8',
  })
  expect(stdout).toMatch(/^frozen\nID .*\n\S+ +script /)
  expect(stdout).toMatch(/run 1\n$/)
  expect(stderr).toContain('JOURNAL_READ_ONLY')
  expect(readdirSync(here.path)).not.toContain('frozen')
})

test.runIf(canMount)('a read-only state directory keeps nobody from looking and from restoring', async () => {
  const here = shop()
  here.script('backups/10', 'printf data | save_artifact orders')
  expect((await here.run(['run', 'shop', '--storage', `file://${here.at('store')}`])).code).toBe(0)
  const readOnly = 'mount --bind state state && mount -o remount,ro,bind state'
  const storage = ['--storage', `file://${here.at('store')}`]
  expect(mounted(here, readOnly, ['plan', ...storage]).code).toBe(0)
  expect(mounted(here, readOnly, ['restore', '--bytes', '--plan', 'shop', '--to', 'out', ...storage])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('this restore will not be in the history') as string,
  })
  expect(readdirSync(here.path)).toContain('out')
})

test('fault F11: a damaged journal is moved aside, said, and backups go on', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  mkdirSync(here.state)
  writeFileSync(here.at('state/journal.sqlite'), 'this was a database once'.repeat(100))
  const { code, stderr } = await here.run(['run', 'shop'])
  expect(code).toBe(0)
  expect(stderr).toContain('JOURNAL_CORRUPT')
  expect(readdirSync(here.state).some((name) => name.startsWith('journal.sqlite.corrupt-'))).toBe(true)
})

test.runIf(canMount)(
  'what a killed run left and nobody can remove, such as a mount, keeps no backup from being made',
  () => {
    const here = shop()
    here.script('backups/10', 'true')
    const process1 = '00000000-0000-4000-8000-000000000000'
    const places = [
      `work/${process1}-1`,
      'vars/20261123T015900Z-0badf00d',
      'drills/holdfast-drill-20261123T015900Z-0badf00d',
    ]
    for (const place of places) mkdirSync(here.at('state', place, 'mounted'), { recursive: true })
    const mounts = places.map((place) => `mount -t tmpfs none 'state/${place}/mounted'`).join(' && ')
    const entry = `import(${JSON.stringify(main)}).then(({ main }) => main())`
    const command = `'${process.execPath}' --conditions=@holdfast/source -e '${entry}' holdfast run shop`
    const { status, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', `${mounts} && exec ${command}`], {
      cwd: here.path,
      env: { PATH: process.env['PATH'], HOME: here.path, HOLDFAST_STATE_DIR: here.state },
      encoding: 'utf8',
    })
    expect(stderr).toContain(`${places[0]} could not be removed`)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(status).toBe(0)
  },
)
