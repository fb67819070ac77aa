import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { workspace, type Workspace } from './support/workspace.ts'

// An engine that keeps its versions in a file, as Benji keeps them in a database.
const plugin = `import { definePlugin } from '@holdfast/sdk'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
const any = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
export const vault = definePlugin({
  name: 'vault',
  version: '1.0.0',
  sdk: '^1.0',
  config: any,
  hooks: { backups: (ctx) => ctx.record({ id: 'x', createdAt: ctx.clock.now(), ref: {} }) },
  restore: {
    options: any,
    async *points({ config }, { target }) {
      if (existsSync(config.directory + '/broken')) throw new Error('the vault does not answer')
      for (const version of JSON.parse(readFileSync(config.directory + '/versions', 'utf8'))) {
        if (target !== undefined && version.target !== target) continue
        yield {
          ...version,
          createdAt: new Date(version.createdAt),
          ...(version.verifiedAt && { verifiedAt: new Date(version.verifiedAt) }),
          ref: null,
        }
      }
    },
    run({ config, point, options, force, run }) {
      if (options['dry-run'] === 'true') return { where: { dryRun: ['write image ' + options.image] } }
      if (options.image === 'busy' && !force) throw new Error('the image is in use')
      writeFileSync(config.directory + '/restored', JSON.stringify({ id: point.id, options, trigger: run.trigger }))
      return { where: 'image ' + options.image }
    },
  },
})
`

const version = (id: string, target: string, day: number, more: object = {}): object => ({
  id,
  target,
  createdAt: `2026-01-0${day}T00:00:00Z`,
  size: 1024,
  mode: 'full',
  state: 'valid',
  verifiedAt: `2026-01-0${day}T00:01:00Z`,
  ...more,
})

function withVersions(versions: readonly object[]): Workspace {
  const here = workspace({ 'plugin.mjs': plugin, versions: JSON.stringify(versions) })
  here.write(
    'holdfast.yaml',
    `plans: { volumes: { use: [ { './plugin.mjs#vault': { directory: ${here.path} } } ] } }\n`,
  )
  return here
}

function restored(here: Workspace): unknown {
  return JSON.parse(readFileSync(join(here.path, 'restored'), 'utf8'))
}

test('list shows what plugins keep outside the store, newest first, where there is no store at all', async () => {
  const here = withVersions([version('a-1', 'web/data', 1), version('a-2', 'web/data', 2, { state: 'invalid' })])
  const { code, stdout } = await here.run(['list'])
  expect(code).toBe(0)
  expect(stdout.replaceAll(/ +/g, ' ')).toMatch(
    /^ID TARGET CREATED SIZE MODE STATE VERIFIED\na-2 web\/data .* full invalid .*\na-1 web\/data .* full valid /,
  )
  const json = await here.run(['list', '--json'])
  expect(JSON.parse(json.stdout)).toMatchObject([
    { kind: 'point', plugin: 'vault', plan: 'volumes', id: 'a-2', state: 'invalid' },
    { kind: 'point', plugin: 'vault', plan: 'volumes', id: 'a-1', state: 'valid', size: 1024 },
  ])
})

test('list fails when a plugin can not say what it has', async () => {
  const here = withVersions([])
  here.write('broken', '')
  const { code, stdout, stderr } = await here.run(['list'])
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toContain('the vault does not answer')
})

test('restore takes the newest sound one of a target, and says what it passed over', async () => {
  const here = withVersions([
    version('a-1', 'web/data', 1),
    version('a-2', 'web/data', 2),
    version('a-3', 'web/data', 3, { verifiedAt: undefined }),
    version('a-4', 'web/data', 4, { state: 'suspect' }),
    version('b-1', 'web/other', 5),
  ])
  const { code, stdout, stderr } = await here.run(['restore', '--target', 'web/data', '--to', 'image=rbd/new'])
  expect(code).toBe(0)
  expect(restored(here)).toEqual({ id: 'a-2', options: { image: 'rbd/new' }, trigger: 'restore' })
  expect(stdout).toContain('restored  image rbd/new')
  expect(stderr).toContain('a-3 is newer, but it was never verified')
  expect(stderr).toContain('a-4 is newer, but suspect')
})

test('restore takes the one of a time, or of an id, or of the beginning of one', async () => {
  const here = withVersions([
    version('a-1', 'web/data', 1),
    version('a-2x', 'web/data', 2),
    version('a-3', 'web/data', 3),
  ])
  await here.run(['restore', '--target', 'web/data', '--at', '2026-01-02T12:00Z', '--to', 'image=i'])
  expect(restored(here)).toMatchObject({ id: 'a-2x' })
  await here.run(['restore', 'a-2', '--to', 'image=i'])
  expect(restored(here)).toMatchObject({ id: 'a-2x' })
  const ambiguous = await here.run(['restore', 'a-', '--to', 'image=i'])
  expect(ambiguous.code).toBe(1)
  expect(ambiguous.stderr).toContain('a-3, a-2x, a-1')
})

test('restore asks which target, where there is more than one', async () => {
  const here = withVersions([version('a-1', 'web/data', 1), version('b-1', 'web/other', 2)])
  const { code, stderr } = await here.run(['restore', '--plan', 'volumes', '--to', 'image=i'])
  expect(code).toBe(2)
  expect(stderr).toContain('web/other, web/data')
})

test('a restore that fails is 1, is in the history, and is told as JSON', async () => {
  const here = withVersions([version('a-1', 'web/data', 1)])
  const { code, stdout } = await here.run(['restore', 'a-1', '--to', 'image=busy', '--json'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject([
    { point: { id: 'a-1' }, error: { message: 'restore of "vault" for "web/data" failed: the image is in use' } },
  ])
  const history = await here.run(['history', '--json'])
  expect(JSON.parse(history.stdout)).toMatchObject([{ trigger: 'restore', status: 'failed' }])
  const forced = await here.run(['restore', 'a-1', '--to', 'image=busy', '--force'])
  expect(forced.code).toBe(0)
})

test('what is neither an artifact nor a version is said to be unknown', async () => {
  const here = withVersions([version('a-1', 'web/data', 1)])
  const { code, stderr } = await here.run(['restore', 'zzz', '--to', './x'])
  expect(code).toBe(1)
  expect(stderr).toContain('there is no artifact "zzz" in what the plugins of the configuration keep')
})

test('a dry run says what would be done, and not that it was', async () => {
  const here = withVersions([version('a-1', 'web/data', 1)])
  const { code, stdout } = await here.run(['restore', 'a-1', '--to', 'image=i', '--to', 'dry-run=true'])
  expect(code).toBe(0)
  expect(stdout).toBe('would write image i\n')
  expect(existsSync(join(here.path, 'restored'))).toBe(false)
})

test('doctor wants no store where nothing would be kept in it', async () => {
  const here = withVersions([])
  const { stdout } = await here.run(['doctor'])
  expect(stdout).toContain('no plan needs one')
  expect(stdout).not.toContain('artifacts go to')
})
