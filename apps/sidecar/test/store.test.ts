import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { expect, test } from 'vitest'
import { shop, workspace, type Workspace } from './support/workspace.ts'

interface ArtifactJson {
  readonly id: string
  readonly plan: string
  readonly target: string
  readonly name: string
  readonly size: number
  readonly state: string
  readonly createdAt: string
}

/** A shop that was backed up, with a store of its own beside the state directory. */
async function backedUp(...texts: readonly string[]): Promise<{ here: Workspace; store: string }> {
  const here = shop()
  const store = `file://${here.at('store')}`
  for (const text of texts) {
    here.script('backups/10-dump', `printf '%s' '${text}' | save_artifact orders.sql`)
    const { code, stderr } = await here.run(['run', 'shop', '--storage', store])
    expect(stderr).not.toContain('"level":"error"')
    expect(code).toBe(0)
  }
  return { here, store }
}

/** Another machine: no configuration, no state. */
function elsewhere(): Workspace {
  return workspace()
}

async function list(there: Workspace, store: string): Promise<readonly ArtifactJson[]> {
  const { code, stdout } = await there.run(['list', '--storage', store, '--json'])
  expect(code).toBe(0)
  return JSON.parse(stdout) as ArtifactJson[]
}

function dataFiles(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => !file.endsWith('.json') && statSync(`${directory}/${file}`).isFile())
    .map((file) => `${directory}/${file}`)
}

test('state directory deleted: list, verify and restore work from the store alone, and make no state directory', async () => {
  const { here, store } = await backedUp('first', 'second')
  rmSync(here.state, { recursive: true })
  const there = elsewhere()
  const artifacts = await list(there, store)
  expect(artifacts.map(({ name, size }) => [name, size])).toEqual([
    ['orders.sql', 6],
    ['orders.sql', 5],
  ])
  expect((await there.run(['verify', '--all', '--storage', store])).code).toBe(0)
  const restored = await there.run(['restore', '--plan', 'shop', '--to', 'out/', '--storage', store])
  expect(restored.code).toBe(0)
  expect(readFileSync(there.at('out/orders.sql'), 'utf8')).toBe('second')
  expect(restored.stdout).toContain(`restored  ${there.at('out/orders.sql')}`)
  expect(restored.stdout).toMatch(/sha256 {4}[0-9a-f]{64}, compared/)
  expect(existsSync(there.state)).toBe(false)
})

test('restore by time gets what was the newest then, and by id what is named', async () => {
  const { store } = await backedUp('first', 'second')
  const there = elsewhere()
  const [newer, older] = await list(there, store)
  const at = new Date(new Date(newer!.createdAt).getTime() - 1).toISOString()
  expect(
    (await there.run(['restore', '--plan', 'shop', '--at', at, '--to', 'then.sql', '--storage', store])).code,
  ).toBe(0)
  expect(readFileSync(there.at('then.sql'), 'utf8')).toBe('first')
  expect((await there.run(['restore', older!.id, '--to', 'named.sql', '--storage', store])).code).toBe(0)
  expect(readFileSync(there.at('named.sql'), 'utf8')).toBe('first')
})

test('restore never overwrites without --force', async () => {
  const { store } = await backedUp('data')
  const there = elsewhere()
  there.write('orders.sql', 'mine')
  const args = ['restore', '--plan', 'shop', '--to', 'orders.sql', '--storage', store]
  const refused = await there.run(args)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('RESTORE_EXISTS')
  expect(readFileSync(there.at('orders.sql'), 'utf8')).toBe('mine')
  expect((await there.run([...args, '--force'])).code).toBe(0)
  expect(readFileSync(there.at('orders.sql'), 'utf8')).toBe('data')
  expect(readdirSync(there.path)).toEqual(['orders.sql'])
})

test('artifact bytes flipped on disk: verify and restore say so with a code, and nothing is put in place', async () => {
  const { here, store } = await backedUp('data')
  appendFileSync(dataFiles(here.at('store'))[0]!, 'x')
  const there = elsewhere()
  const verified = await there.run(['verify', '--all', '--storage', store])
  expect(verified.code).toBe(1)
  expect(verified.stderr).toContain('ARTIFACT_DIGEST')
  expect(verified.stderr).not.toMatch(/^\s+at /m)
  const [artifact] = await list(there, store)
  expect(artifact?.state).toBe('invalid')
  const newest = await there.run(['restore', '--plan', 'shop', '--to', 'out.sql', '--storage', store])
  expect(newest.stderr).toContain('RESTORE_NOTHING')
  const named = await there.run(['restore', artifact!.id, '--to', 'out.sql', '--storage', store])
  expect(named.code).toBe(1)
  expect(readdirSync(there.path)).toEqual([])
})

test('a restore that has to choose asks, and one that finds nothing says where it looked', async () => {
  const { here, store } = await backedUp('data')
  here.write(
    'other.yaml',
    `plans: { other: { use: [ { '@holdfast/plugin-scripts#scripts': { path: ${here.path}/scripts } } ] } }\n`,
  )
  expect((await here.run(['run', 'other', '--config', 'other.yaml', '--storage', store])).code).toBe(0)
  const there = elsewhere()
  const choice = await there.run(['restore', '--to', 'x', '--storage', store])
  expect(choice.code).toBe(2)
  expect(choice.stderr).toMatch(/more than one plan: (other, shop|shop, other)/)
  const nothing = await there.run(['restore', '--plan', 'shop', '--at', '2020-01-01', '--to', 'x', '--storage', store])
  expect(nothing.code).toBe(1)
  expect(nothing.stderr).toContain('no backup of plan "shop" from before 2020-01-01T00:00:00.000Z')
})

test('with the configuration the plugin restores, as a run that is in the history', async () => {
  const { here, store } = await backedUp('data')
  here.script('restore/10-load', `{ echo "$HOLDFAST_ARTIFACT_NAME:"; cat; } > ${here.at('loaded')}`)
  const { code, stdout } = await here.run(['restore', '--plan', 'shop', '--to', 'x', '--storage', store, '--json'])
  expect(code).toBe(0)
  expect(readFileSync(here.at('loaded'), 'utf8')).toBe('orders.sql:\ndata')
  const [restored] = JSON.parse(stdout) as { run: string }[]
  const history = await here.run(['history', restored!.run, '--json'])
  expect(JSON.parse(history.stdout)).toMatchObject({ trigger: 'restore', status: 'succeeded', plan: 'shop' })
})

test('a broken configuration keeps nobody from their backups', async () => {
  const { here, store } = await backedUp('data')
  here.write('holdfast.yaml', 'plans: [')
  const { code, stderr } = await here.run(['restore', '--plan', 'shop', '--to', 'out.sql', '--storage', store])
  expect(code).toBe(0)
  expect(stderr).toContain('CONFIG_INVALID')
  expect(readFileSync(here.at('out.sql'), 'utf8')).toBe('data')
})

test('fault F49: a backup that is much smaller is suspect, the run partial, until it is accepted', async () => {
  const { here, store } = await backedUp(...Array.from({ length: 4 }, () => 'x'.repeat(1000)))
  here.script('backups/10-dump', `printf 'y' | save_artifact orders.sql`)
  expect((await here.run(['run', 'shop', '--storage', store])).code).toBe(4)
  const [newest] = await list(here, store)
  expect(newest?.state).toBe('suspect')
  const restored = await here.run(['restore', '--bytes', '--plan', 'shop', '--to', 'out.sql', '--storage', store])
  expect(restored.stderr).toContain('name it to restore it all the same')
  expect(readFileSync(here.at('out.sql'), 'utf8')).toHaveLength(1000)
  expect((await here.run(['accept', newest!.id, '--storage', store])).code).toBe(0)
  expect((await list(here, store))[0]?.state).toBe('valid')
})

test('ids may be shortened as long as they are unique', async () => {
  const { store } = await backedUp('first', 'second')
  const there = elsewhere()
  const ambiguous = await there.run(['verify', 'shop/', '--storage', store])
  expect(ambiguous.stderr).toContain('ARTIFACT_AMBIGUOUS')
  const unknown = await there.run(['verify', 'nothing', '--storage', store])
  expect(unknown.stderr).toContain('ARTIFACT_UNKNOWN')
  const [{ id }] = (await list(there, store)) as [ArtifactJson]
  expect((await there.run(['verify', id.slice(0, -3), '--storage', store])).code).toBe(0)
})

test('the list is a table that never cuts an id, which other commands ask for', async () => {
  const { here, store } = await backedUp('data')
  const [artifact] = await list(here, store)
  const { stdout } = await here.run(['list', '--storage', store], { columns: 80 })
  const [head, row] = stdout.split('\n')
  expect(head).toMatch(/^ARTIFACT +CREATED +SIZE +STORED +STATE +VERIFIED$/)
  expect(row?.startsWith(`${artifact?.id} `)).toBe(true)
  expect(row).toMatch(/ valid /)
})

test('where nothing was ever stored, reading says so and makes nothing', async () => {
  const here = workspace()
  const { code, stderr } = await here.run(['list'])
  expect(code).toBe(1)
  expect(stderr).toContain('STORE_MISSING')
  expect(readdirSync(here.path)).toEqual([])
})

test('a store that is not there is an error, not a store without backups', async () => {
  const there = elsewhere()
  const store = `file://${there.at('mistyped')}`
  for (const command of [['list'], ['verify', '--all'], ['restore', '--plan', 'shop', '--to', 'out/']]) {
    const { code, stderr } = await there.run([...command, '--storage', store])
    expect([command[0], code]).toEqual([command[0], 1])
    expect(stderr).toContain('STORE_MISSING')
  }
})

test('verifying nothing is no success', async () => {
  const { store } = await backedUp('first')
  const { code, stdout } = await elsewhere().run(['verify', '--plan', 'other', '--storage', store])
  expect(code).toBe(1)
  expect(stdout).toContain('No artifact')
})

test('a manifest that cannot be read fails verify, and its set is not restored in part', async () => {
  const { here, store } = await backedUp('first')
  here.script('backups/10-dump', `printf second | save_artifact orders.sql; printf more | save_artifact more.txt`)
  expect((await here.run(['run', 'shop', '--storage', store])).code).toBe(0)
  const newest = (await list(here, store)).find(({ name }) => name === 'more.txt')
  const manifests = readdirSync(here.at('store'), { recursive: true, encoding: 'utf8' })
  const run = newest?.id.split('/').at(-2) ?? 'none'
  const broken = manifests.find((file) => file.includes(run) && file.endsWith('orders.sql.manifest.json'))
  writeFileSync(here.at(`store/${broken}`), '{')
  const verified = await here.run(['verify', '--all', '--storage', store])
  expect(verified.code).toBe(1)
  expect(verified.stdout).toContain('1 not good')
  const restored = await here.run(['restore', '--plan', 'shop', '--to', 'out/', '--bytes', '--storage', store])
  expect(restored.code).toBe(0)
  expect(readFileSync(here.at('out/orders.sql'), 'utf8')).toBe('first')
  expect(restored.stderr).toContain('incomplete')
})

test('what a failed run had saved is not restored while there is a backup that was read back', async () => {
  const { here, store } = await backedUp('first')
  here.script('backups/10-dump', `printf second | save_artifact orders.sql`)
  here.script('backups/20-fails', 'exit 3')
  expect((await here.run(['run', 'shop', '--storage', store])).code).toBe(1)
  const { code } = await here.run(['restore', '--plan', 'shop', '--to', 'out/', '--bytes', '--storage', store])
  expect(code).toBe(0)
  expect(readFileSync(here.at('out/orders.sql'), 'utf8')).toBe('first')
})

test('--force replaces files only, never a directory or a device', async () => {
  const { here, store } = await backedUp('first')
  mkdirSync(here.at('out/orders.sql'), { recursive: true })
  const { code, stderr } = await here.run([
    'restore',
    '--plan',
    'shop',
    '--to',
    'out/',
    '--bytes',
    '--force',
    '--storage',
    store,
  ])
  expect(code).toBe(1)
  expect(stderr).toContain('is not a file')
  expect(statSync(here.at('out/orders.sql')).isDirectory()).toBe(true)
})
