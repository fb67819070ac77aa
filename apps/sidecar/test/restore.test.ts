import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { testClock } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { storeOf, storedFile, testIdentity, type PastRun } from './support/backups.ts'
import type { CliResult } from './support/cli.ts'
import { shop, workspace, type Workspace } from './support/workspace.ts'

const dump = { 'orders.sql': 'rows of orders', 'users.sql': 'rows' }
const nights: readonly PastRun[] = [
  { at: '2026-11-18T02:00:00Z', files: dump },
  { at: '2026-11-19T02:00:00Z', files: { ...dump, 'orders.sql': 'rows of the 19th' } },
  { at: '2026-11-20T02:00:00Z', files: { ...dump, 'orders.sql': 'rows of the 20th' } },
  { at: '2026-11-20T02:30:00Z', target: 'files', files: { 'www.tar': 'html' } },
]

/** A machine that has the store and a shell, at noon of the 20th. */
async function rescue(runs: readonly PastRun[] = nights): Promise<{
  readonly here: Workspace
  readonly artifacts: Awaited<ReturnType<typeof storeOf>>['artifacts']
  restore(...args: readonly string[]): Promise<CliResult>
}> {
  const here = workspace()
  const { url, artifacts } = await storeOf(here, runs)
  const clock = testClock({ now: '2026-11-20T12:00:00Z' })
  return { here, artifacts, restore: (...args) => here.run(['restore', '--storage', url, ...args], { clock }) }
}

const utc = ['--time-zone', 'UTC'] as const

describe('without a place it lists what there is', () => {
  test('by target, with age and size, and how to go on', async () => {
    const { here, restore } = await rescue()
    const { code, stdout } = await restore(...utc)
    expect(code).toBe(0)
    const url = `file://${here.at('store')}`
    expect(stdout.replaceAll(/ +$/gm, ''))
      .toBe(`What can be restored from ${url}. Times are in UTC, where it is 2026-11-20 12:00:00.

shop · files, restored as files
   CREATED                 AGE  SIZE  WHAT     STATE     ID
→  2026-11-20 02:30:00  9h 30m   4 B  www.tar  verified  20261120T023000Z-00000000

shop · db, restored as files
   CREATED                 AGE  SIZE  WHAT     STATE     ID
→  2026-11-20 02:01:00  9h 59m  20 B  2 files  verified  20261120T020000Z-00000000
   2026-11-19 02:01:00   1d 9h  20 B  2 files  verified  20261119T020000Z-00000000
   2026-11-18 02:01:00   2d 9h  18 B  2 files  verified  20261118T020000Z-00000000

→ is what this takes:  holdfast restore --storage ${url} --plan shop --target files --to DIRECTORY/
  any other by its id:   holdfast restore --storage ${url} ID --to DIRECTORY/
`)
    expect(existsSync(here.state)).toBe(false)
  })

  test('of a plan, a target, a time; and as JSON', async () => {
    const { restore } = await rescue()
    const then = await restore(...utc, '--target', 'db', '--at', '2026-11-19T03:00', '--json')
    expect(JSON.parse(then.stdout)).toMatchObject([
      {
        kind: 'artifacts',
        id: '20261119T020000Z-00000000',
        plan: 'shop',
        target: 'db',
        createdAt: '2026-11-19T02:01:00.000Z',
        ageMs: 122_340_000,
        size: 20,
        state: 'valid',
        isChoice: true,
        artifacts: [{ name: 'orders.sql', size: 16 }, { name: 'users.sql' }],
      },
      { id: '20261118T020000Z-00000000', isChoice: false },
    ])
    const none = await restore('--plan', 'other')
    expect(none.code).toBe(1)
    expect(none.stderr).toContain('no backup of plan "other" in file://')
    const early = await restore('--at', '2026-01-01')
    expect(early.stderr).toContain('(the oldest is from 2026-11-18T02:01:00.000Z)')
  })

  test('says what is not to be relied on, and does not choose it', async () => {
    const { here, artifacts, restore } = await rescue([
      ...nights.slice(0, 3),
      { at: '2026-11-20T03:00:00Z', files: { 'orders.sql': 'not read back' }, unverified: true },
    ])
    const damaged = artifacts.find(({ run }) => run.startsWith('20261120T020000Z'))!
    writeFileSync(storedFile(here, damaged, '.manifest.json'), '{')
    const { stdout } = await restore(...utc)
    expect(stdout).toMatch(/ {3}2026-11-20 03:00:00 .* never read back +20261120T030000Z/)
    expect(stdout).toMatch(/ {3}2026-11-20 02:01:00 .* incomplete: a manifest of it can't be read +20261120T020000Z/)
    expect(stdout).toMatch(/→ {2}2026-11-19 02:01:00 .* verified +20261119T020000Z/)
  })
})

test('`holdfast verify --all` beside a run that prunes: what is gone since it was listed is no damage', async () => {
  const here = workspace()
  const { artifacts } = await storeOf(here, nights)
  // A store as somebody else would write one, from which the oldest is pruned while the newest is read.
  here.write(
    'store.mjs',
    `import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
export const open = ({ root, oldest }) => ({
  name: 'mine',
  capabilities: { atomicPut: true, rangeRead: false, objectLock: false },
  async put(key, body) {
    const chunks = []
    for await (const chunk of body) chunks.push(chunk)
    mkdirSync(dirname(join(root, key)), { recursive: true })
    writeFileSync(join(root, key), Buffer.concat(chunks))
  },
  async *get(key) {
    if (key.includes('.data')) rmSync(join(root, oldest), { recursive: true, force: true })
    yield readFileSync(join(root, key))
  },
  async *list(prefix) {
    const found = readdirSync(root, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
    const keys = found.map((each) => join(each.parentPath, each.name).slice(root.length + 1))
    for (const key of keys.filter((each) => each.startsWith(prefix)).sort()) yield { key, size: 1 }
  },
  async delete(key) {
    rmSync(join(root, key), { force: true })
  },
})`,
  )
  const oldest = `default/${artifacts[0]!.id.replace(/[^/]*$/, '')}`
  const store = `./store.mjs#open:${JSON.stringify({ root: here.at('store'), oldest })}`
  const { code, stdout, stderr } = await here.run(['verify', '--all', '--storage', store])
  expect(stderr).toContain('pruned since')
  expect([code, stdout]).toEqual([0, expect.stringContaining('5 artifacts read back, all good')])
  const named = await here.run(['verify', artifacts[0]!.id, '--storage', store])
  expect(named.code).toBe(1)
})

describe('half a backup, of a run that failed on its way,', () => {
  test('is not taken, although `holdfast verify --all` has read it back', async () => {
    const here = shop()
    here.script('backups/10-orders', 'echo rows of orders | save_artifact orders.sql')
    here.script('backups/20-users', `[ ! -e ${here.at('broken')} ] || exit 1\necho rows | save_artifact users.sql`)
    const at = (now: string) => ({ clock: testClock({ now }), env: { TZ: 'UTC' } })
    expect((await here.run(['run', 'shop'], at('2026-11-20T02:00:00Z'))).code).toBe(0)
    here.write('broken', '')
    expect((await here.run(['run', 'shop'], at('2026-11-21T02:00:00Z'))).code).toBe(1)
    const { stdout, code } = await here.run(['verify', '--all'], at('2026-11-21T04:00:00Z'))
    expect([code, stdout]).toEqual([0, expect.stringContaining('3 artifacts read back, all good')])
    const restored = await here.run(['restore', '--plan', 'shop', '--to', 'out/'], at('2026-11-21T05:00:00Z'))
    expect(restored.code).toBe(0)
    expect(readdirSync(here.at('out'))).toEqual(['orders.sql', 'users.sql'])
    expect(restored.stderr).toMatch(/20261121T020000Z-\w+ is newer, but its run did not say that this is all of it/)
    const list = await here.run(['restore'], at('2026-11-21T05:00:00Z'))
    expect(list.stdout).toMatch(/→ {2}2026-11-20 .* verified /)
    // Who knows better names it.
    const named = await here.run(['restore', '20261121', '--to', 'half/'], at('2026-11-21T05:00:00Z'))
    expect([named.code, readdirSync(here.at('half'))]).toEqual([0, ['orders.sql']])
  })
})

describe('--at takes the newest that was complete by then', () => {
  test.each([
    [['--at', '2026-11-20T02:01', ...utc], 'rows of the 20th'],
    [['--at', '2026-11-20T02:00:59', ...utc], 'rows of the 19th'],
    [['--at', '2026-11-20T03:01', '--time-zone', 'Europe/Berlin'], 'rows of the 20th'],
    [['--at', '2026-11-20T03:00', '--time-zone', 'Europe/Berlin'], 'rows of the 19th'],
    [['--at', '2026-11-20T03:00Z', '--time-zone', 'Europe/Berlin'], 'rows of the 20th'],
    [['--at', '2026-11-20', ...utc], 'rows of the 19th'],
  ])('%j', async (args, text) => {
    const { here, restore } = await rescue()
    const { code, stdout } = await restore('--target', 'db', '--to', 'out', ...args)
    expect(code).toBe(0)
    // Never half a set: of one run that ended later there is nothing.
    expect(readdirSync(here.at('out'))).toEqual(['orders.sql', 'users.sql'])
    expect(readFileSync(here.at('out/orders.sql'), 'utf8')).toBe(text)
    expect(stdout).toMatch(
      /^restored shop · db as of 2026-11-\d\d 0[23]:01:00 [\w/]+ \(.* ago\): 2 artifacts, 20 B in /m,
    )
  })
})

describe('an id', () => {
  test.each([
    ['20261119T020000Z-00000000', ['orders.sql', 'users.sql']],
    ['20261119T02', ['orders.sql', 'users.sql']],
    ['shop/db/20261119T020000.000Z-', ['orders.sql', 'users.sql']],
    ['20261119T020000Z-00000000/orders.sql', ['orders.sql']],
    ['20261119T020000Z-00000000/or', ['orders.sql']],
    ['shop/db/20261119T020000.000Z-20261119T020000Z-00000000/users.sql', ['users.sql']],
  ])('%s is enough', async (id, files) => {
    const { here, restore } = await rescue()
    expect((await restore(id, '--to', 'out/')).code).toBe(0)
    expect(readdirSync(here.at('out'))).toEqual(files)
    if (files.includes('orders.sql')) expect(readFileSync(here.at('out/orders.sql'), 'utf8')).toBe('rows of the 19th')
  })

  test('that fits more is not guessed', async () => {
    const { here, restore } = await rescue([
      ...nights,
      { at: '2026-11-20T02:00:00Z', target: 'files', files: { 'www.tar': 'html' } },
    ])
    for (const [id, code, text] of [
      ['2026112', 1, 'ARTIFACT_AMBIGUOUS'],
      ['20261120T020000Z-00000000', 2, 'Name the one to restore with --target'],
      ['nothing', 1, 'ARTIFACT_UNKNOWN'],
    ] as const) {
      const refused = await restore(id, '--to', 'out/')
      expect([id, refused.code]).toEqual([id, code])
      expect(refused.stderr).toContain(text)
    }
    expect(existsSync(here.at('out'))).toBe(false)
    expect((await restore('20261120T020000Z', '--target', 'files', '--to', 'out/')).code).toBe(0)
    expect(readdirSync(here.at('out'))).toEqual(['www.tar'])
  })

  test('of what is not valid restores it, and says so', async () => {
    const { here, restore } = await rescue([
      ...Array.from({ length: 3 }, (_, n) => ({ at: `2026-11-1${n}T02:00:00Z`, files: { dump: 'x'.repeat(1000) } })),
      { at: '2026-11-20T02:00:00Z', files: { dump: 'small' } },
    ])
    const { code, stderr } = await restore('20261120', '--to', 'out')
    expect(code).toBe(0)
    expect(stderr).toMatch(/is suspect: 5 bytes, below 50 %/)
    expect(readFileSync(here.at('out'), 'utf8')).toBe('small')
  })
})

describe('it looks before it touches anything', () => {
  test('a dry run says what would be done, and makes nothing', async () => {
    const { here, restore } = await rescue()
    const { code, stdout } = await restore('--target', 'db', '--to', 'out/', '--dry-run')
    expect(code).toBe(0)
    expect(stdout).toBe(
      `would write orders.sql to ${here.at('out/orders.sql')}\nwould write users.sql to ${here.at('out/users.sql')}\n`,
    )
    expect(readdirSync(here.path)).toEqual(['store'])
  })

  test('one file in the way keeps the others from being written, too', async () => {
    const { here, restore } = await rescue()
    here.write('out/users.sql', 'mine')
    const { code, stderr } = await restore('--target', 'db', '--to', 'out/')
    expect(code).toBe(1)
    expect(stderr).toContain('RESTORE_EXISTS')
    expect(readdirSync(here.at('out'))).toEqual(['users.sql'])
    expect(readFileSync(here.at('out/users.sql'), 'utf8')).toBe('mine')
    expect((await restore('--target', 'db', '--to', 'out/', '--force')).code).toBe(0)
    expect(readFileSync(here.at('out/users.sql'), 'utf8')).toBe('rows')
  })

  test('no room for all of it: nothing is written, unless somebody knows better', async () => {
    const { here, artifacts, restore } = await rescue()
    const manifest = storedFile(
      here,
      artifacts.find(({ target }) => target === 'files')!,
      '.manifest.json',
    )
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"size": 4,', `"size": ${2 ** 52},`))
    const { code, stderr } = await restore('--target', 'files', '--to', 'out/')
    expect(code).toBe(1)
    expect(stderr).toMatch(/not enough room in .*out: .* are free, and 4\.0 PiB are needed/)
    expect(existsSync(here.at('out'))).toBe(false)
    const tried = await restore('--target', 'files', '--to', 'out/', '--ignore-space')
    expect(tried.stderr).toContain('ARTIFACT_DIGEST')
  })

  test('no key, or the wrong one: nothing is written; the right one opens it', async () => {
    const { here, restore } = await rescue([{ ...nights[0]!, encrypted: true }])
    here.write('wrong.txt', 'AGE-SECRET-KEY-1PERTHKP5PQ9266035D9TWUG9M3GW0Y2NDF4GKG79HQQYY7VMQ9EQVETG4E\n')
    here.write('key.txt', `# created: today\n${testIdentity}\n`)
    for (const [args, code] of [
      [[], 'ARTIFACT_KEY_MISSING'],
      [['--identity', 'wrong.txt'], 'ARTIFACT_DECRYPT'],
    ] as const) {
      for (const more of [[], ['--dry-run']]) {
        const refused = await restore('--to', 'out/', ...args, ...more)
        expect(refused.code).toBe(1)
        expect(refused.stderr).toContain(code)
        expect(existsSync(here.at('out'))).toBe(false)
      }
    }
    expect((await restore('--to', 'out/', '--identity', 'key.txt')).code).toBe(0)
    expect(readFileSync(here.at('out/orders.sql'), 'utf8')).toBe('rows of orders')
  })

  test('a state directory that cannot be keeps nobody from restoring', async () => {
    const { here, restore } = await rescue()
    here.write('file', '')
    const { code } = await restore('--target', 'files', '--to', 'out', '--state-dir', here.at('file/state'))
    expect(code).toBe(0)
    expect(readFileSync(here.at('out'), 'utf8')).toBe('html')
  })
})

describe('--to -', () => {
  test('writes the bytes alone to standard output, and says the rest on standard error', async () => {
    const { restore } = await rescue()
    const { code, stdout, stderr } = await restore(
      '20261120T0200/orders.sql'.replace('0200', '020000Z-00000000'),
      '--to',
      '-',
    )
    expect(code).toBe(0)
    expect(stdout).toBe('rows of the 20th')
    expect(stderr).toMatch(/orders\.sql: 16 B written, sha256 [0-9a-f]{64}, compared/)
  })

  test('is for one artifact, and for bytes only', async () => {
    const { restore } = await rescue()
    const several = await restore('--target', 'db', '--to', '-')
    expect([several.code, several.stdout]).toEqual([2, ''])
    expect(several.stderr).toContain('holdfast restore 20261120T020000Z-00000000/orders.sql --to -')
    const json = await restore('--target', 'files', '--to', '-', '--json')
    expect(json.code).toBe(2)
    expect(json.stdout).toContain('OPTION_CONFLICT')
  })

  test('is refused on a terminal', async () => {
    const { here } = await rescue()
    const url = `file://${here.at('store')}`
    const { code, stdout } = await here.run(['restore', '--storage', url, '--target', 'files', '--to', '-'], {
      columns: 80,
    })
    expect(code).toBe(2)
    expect(stdout).not.toContain('html')
  })

  test('fault F48: bytes that are not the right ones are said not to be used, and the exit code says it', async () => {
    const text = 'x'.repeat(2_000_000)
    const { here, artifacts, restore } = await rescue([
      { at: '2026-11-20T02:00:00Z', files: { dump: text }, plain: true },
    ])
    const data = storedFile(here, artifacts[0]!, '.data')
    writeFileSync(data, `${text.slice(1)}y`)
    const { code, stdout, stderr } = await restore('--to', '-')
    expect(code).toBe(1)
    expect(stdout.length).toBe(2_000_000)
    expect(stderr).toContain('Do not use the 1.9 MiB that were written')
    expect(stderr).toContain('ARTIFACT_DIGEST')
  })

  test('restores as bytes what a plugin would restore', async () => {
    const here = shop()
    const { url } = await storeOf(here, [{ at: '2026-11-20T02:00:00Z', target: 'scripts', files: { dump: 'rows' } }])
    here.script('restore/10-load', 'cat > loaded')
    const { code, stdout } = await here.run(['restore', '--storage', url, '--to', '-'])
    expect([code, stdout]).toEqual([0, 'rows'])
    expect(existsSync(here.at('loaded'))).toBe(false)
  })
})

test('fault F50: what is from the future is restored, but not without a word', async () => {
  const { restore } = await rescue([...nights, { at: '2027-11-20T02:00:00Z', files: dump }])
  const { stdout } = await restore(...utc)
  expect(stdout).toMatch(/2027-11-20 02:01:00 +in the future/)
  const { code, stderr } = await restore('--target', 'db', '--to', 'out/')
  expect(code).toBe(0)
  expect(stderr).toContain('is from the future: 2027-11-20T02:01:00.000Z')
})

test('the plugin of a set without restore scripts writes files as we do, and its dry run looks only', async () => {
  const here = shop()
  const { url } = await storeOf(here, [{ at: '2026-11-20T02:00:00Z', target: 'scripts', files: dump }])
  const args = ['restore', '--storage', url, '--plan', 'shop', '--to']
  const planned = await here.run([...args, 'out/', '--dry-run'])
  expect(planned.stdout).toContain(`would write orders.sql to ${here.at('out/orders.sql')}`)
  expect(existsSync(here.at('out'))).toBe(false)
  expect((await here.run([...args, 'out/'])).code).toBe(0)
  expect(readdirSync(here.at('out'))).toEqual(['orders.sql', 'users.sql'])
  const history = await here.run(['history', '--json'])
  expect(JSON.parse(history.stdout)).toMatchObject([
    { trigger: 'restore', status: 'succeeded', dryRun: false },
    { trigger: 'boot' },
    { trigger: 'restore', dryRun: true },
  ])
})

test('a script that does not read all of an artifact is a warning: the rest was not compared', async () => {
  const here = shop()
  const { url } = await storeOf(here, [
    { at: '2026-11-20T02:00:00Z', target: 'scripts', files: { dump: 'x'.repeat(2_000_000) } },
  ])
  here.script('restore/10-header', 'head -c 10 >/dev/null')
  const { code, stdout, stderr } = await here.run(['restore', '--storage', url, '--plan', 'shop', '--to', 'x'])
  expect(code).toBe(0)
  expect(stdout).toContain('not compared to its end')
  expect(stderr).toContain('RESTORE_UNREAD')
})

test('what is suggested can be pasted, and an id with --at is not guessed at', async () => {
  const here = workspace()
  mkdirSync(here.at("it's here"))
  await storeOf(here, [{ at: '2026-11-20T02:00:00Z', target: 'web/data & more', files: dump }])
  renameSync(here.at('store'), here.at("it's here/store"))
  const url = encodeURI(`file://${here.at("it's here/store")}`)
  const args = ['restore', '--storage', url]
  const { stdout } = await here.run(args)
  expect(stdout).toContain(
    `holdfast restore --storage '${url.replace("'", `'\\''`)}' --plan shop --target 'web/data & more' --to DIRECTORY/`,
  )
  const both = await here.run([...args, '2026', '--at', '2026-11-20', '--to', 'x'])
  expect(both.code).toBe(2)
  expect(both.stderr).toContain('OPTION_CONFLICT')
})

test('how far it is, is said in the log now and then', async () => {
  const here = shop()
  const { url } = await storeOf(here, [{ at: '2026-11-20T02:00:00Z', target: 'scripts', files: dump }])
  mkdirSync(here.state)
  const { stderr } = await here.run(['restore', '--storage', url, '--plan', 'shop', '--to', 'out/'])
  expect(stderr).toContain('"msg":"orders.sql: 100 %"')
  expect(stderr).toContain('"msg":"users.sql: 100 %"')
})
