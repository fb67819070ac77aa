import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fsStorage } from '@holdfast/runtime'
import { expect, test } from 'vitest'
import { workspace, type Workspace } from './support/workspace.ts'

const backup = `printf 'three orders' > "$HOME/dump"; save_artifact orders.txt "$HOME/dump"`

/** A plan that is backed up by scripts, and a drill that scripts look at. */
function drilled(more = ''): Workspace {
  const here = workspace()
  here.write(
    'holdfast.yaml',
    `plans:
  shop:
    use: [{ '@holdfast/plugin-scripts#scripts': { path: ${here.at('scripts')} } }]
drills:
  weekly:
    plan: shop
    schedule: { cron: '0 5 * * 0', timeZone: Europe/Berlin }
    expect: ./drills/orders
    cleanup: ./drills/cleanup.sh
${more}`,
  )
  here.write('home/.keep', '')
  here.script('backups/10', backup)
  here.write('drills/orders/10-count', '#!/bin/sh\ngrep -q "three orders" orders.txt\n', 0o755)
  here.write('drills/cleanup.sh', `#!/bin/sh\necho "$HOLDFAST_RESTORED" >> ${here.at('cleaned')}\n`, 0o755)
  return here
}

const run = (here: Workspace, ...args: readonly string[]): ReturnType<Workspace['run']> =>
  here.run(args, { env: { HOME: here.at('home') } })

async function backedUp(more?: string): Promise<Workspace> {
  const here = drilled(more)
  expect((await run(here, 'run', 'shop')).code).toBe(0)
  return here
}

test('drill restores the newest backup into a place of its own, lets scripts look at it, and cleans up', async () => {
  const here = await backedUp()
  const { code, stderr } = await here.run(['drill', 'weekly'], { columns: 200 })
  expect(stderr).toContain('weekly: restore drill of plan shop')
  expect(stderr).toMatch(/restores orders\.txt, 12 B of scripts, from \d{4}-/)
  expect(stderr).toMatch(/✓ restore · scripts /)
  expect(stderr).toMatch(/✓ expect · drill:weekly → scripts /)
  expect(stderr).toMatch(/✓ gave back drill-cleanup/)
  expect(stderr).toMatch(/✓ weekly succeeded in /)
  expect(code).toBe(0)
  expect(readFileSync(here.at('cleaned'), 'utf8')).toMatch(/\/holdfast-drill-[^/]+\/orders\.txt\n$/)
  expect(readdirSync(here.at('state/drills'))).toEqual([])
})

test('drill --json says what was restored, and how it went', async () => {
  const here = await backedUp()
  const { code, stdout } = await run(here, 'drill', 'weekly', '--json')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject([
    {
      drill: 'weekly',
      run: { plan: 'shop', drill: 'weekly', trigger: 'drill' },
      status: 'succeeded',
      target: 'scripts',
      verification: 'verified',
      restored: [{ point: { ref: { name: 'orders.txt' } }, where: expect.stringMatching(/orders\.txt$/) as string }],
    },
  ])
})

test('a drill that fails exits with 1, and says what it means', async () => {
  const here = await backedUp()
  here.write('drills/orders/20-never', '#!/bin/sh\necho "only 3"; exit 7\n', 0o755)
  const { code, stderr } = await here.run(['drill', 'weekly'], { columns: 200 })
  expect(code).toBe(1)
  expect(stderr).toContain('DRILL_EXPECTATION')
  expect(stderr).toContain("20-never' finished with exit code '7'")
  expect(stderr).toContain('do not count on this backup')
  const json = await run(here, 'drill', 'weekly', '--json')
  expect(json.code).toBe(1)
  expect(JSON.parse(json.stdout)).toMatchObject([
    { status: 'failed', error: { code: 'DRILL_EXPECTATION', hook: 'expect' } },
  ])
})

test('no backup at all is a drill that fails, and the plan’s on_error hears of it', async () => {
  const here = drilled()
  here.script('on_error/10', `echo "$HOLDFAST_DRILL $HOLDFAST_STATUS $HOLDFAST_ERROR_CODE $1" >> ${here.at('told')}`)
  const { code } = await run(here, 'drill')
  expect(code).toBe(1)
  expect(readFileSync(here.at('told'), 'utf8')).toMatch(
    /^weekly failed DRILL_NO_BACKUP drill "weekly" has nothing to restore/,
  )
})

test('without a name every drill runs, and one that fails is not hidden by the others', async () => {
  const here = drilled(`  bad: { plan: shop, expect: ./drills/bad.mjs }
  last: { plan: shop, expect: ./drills/good.mjs }
`)
  here.write('drills/bad.mjs', 'export default () => false\n')
  here.write('drills/good.mjs', 'export default ({ where }) => where.endsWith("orders.txt")\n')
  expect((await run(here, 'run', 'shop')).code).toBe(0)
  const { code, stdout } = await run(here, 'drill', '--json')
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject([
    { drill: 'weekly', status: 'succeeded' },
    { drill: 'bad', status: 'failed' },
    { drill: 'last', status: 'succeeded' },
  ])
})

test('a drill that nobody configured, and none at all', async () => {
  const here = drilled()
  const unknown = await run(here, 'drill', 'weakly')
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no drill "weakly"') as string })
  here.write('holdfast.yaml', readFileSync(here.at('holdfast.yaml'), 'utf8').replace(/^drills:[^]*/m, ''))
  const none = await run(here, 'drill')
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('docs/drills.md') as string })
})

test('history shows drills by their names, and keeps them apart', async () => {
  const here = await backedUp()
  await run(here, 'drill', 'weekly')
  const { stdout } = await run(here, 'history', '--drill', 'weekly')
  expect(stdout).toMatch(/shop +\d{4}.* succeeded +drill weekly/)
  expect(stdout).not.toContain('manual')
  const [one] = JSON.parse((await run(here, 'history', '--drill', 'weekly', '--json')).stdout) as { id: string }[]
  const details = (await run(here, 'history', one?.id ?? '')).stdout
  expect(details).toMatch(/^weekly succeeded/)
  expect(details).toMatch(/plan +shop/)
  expect(details).toMatch(/restore +scripts/)
  expect(details).toMatch(/expect +drill:weekly/)
  expect(details).toMatch(/scripts +succeeded +verified +restored shop\/scripts\//)
  expect(details).toMatch(/drill-cleanup +drill:weekly .* done/)
})

test('schedule shows when drills run next, beside the plans', async () => {
  const here = drilled(`  byhand: { plan: shop, expect: ./drills/orders }\n`)
  const { stdout } = await run(here, 'schedule', '--count', '2')
  expect(stdout).toMatch(/drill "weekly" {2}0 5 \* \* 0 {2}Europe\/Berlin\n {2}\d{4}-.* 05:00/)
  expect(stdout).toContain('by hand only: shop, drill "byhand"')
  const json = JSON.parse((await run(here, 'schedule', '--json')).stdout) as object[]
  expect(json).toMatchObject([{ plan: 'shop', drill: 'weekly', cron: '0 5 * * 0', timeZone: 'Europe/Berlin' }])
})

test('plan shows what a drill would restore, and restores nothing', async () => {
  const here = await backedUp()
  const { code, stdout } = await run(here, 'plan', 'shop')
  expect(code).toBe(0)
  expect(stdout).toMatch(/drill weekly {2}the newest, from \d{4}-/)
  expect(stdout).toMatch(/restores shop\/scripts\/.*orders\.txt +by "scripts", path=\{directory\}/)
  expect(stdout).toContain(`runs ${here.at('drills/orders')}`)
  expect(existsSync(here.at('cleaned'))).toBe(false)
  const [json] = JSON.parse((await run(here, 'plan', '--json')).stdout) as { drills: object[] }[]
  expect(json?.drills).toMatchObject([
    { drill: 'weekly', backups: 1, target: 'scripts', restorer: 'scripts', problems: [] },
  ])
})

test('plan says when there is nothing to restore', async () => {
  expect((await run(drilled(), 'plan')).stdout).toContain('nothing to restore: it fails')
})

test('explain shows what a drill does, how long it may take, and what its failure means', async () => {
  const here = drilled()
  const { stdout } = await run(here, 'explain')
  expect(stdout).toContain('drill weekly  schedule 0 5 * * 0, newest backup of plan shop, budget 1d')
  expect(stdout).toMatch(/expect +runs .*drills\/orders .* 1h/)
  expect(stdout).toMatch(/cleanup +runs .*cleanup\.sh.* 10m +the drill fails, and it stays pending/)
  const [json] = JSON.parse((await run(here, 'explain', '--json')).stdout) as { drills: object[] }[]
  expect(json?.drills).toMatchObject([
    { drill: 'weekly', plan: 'shop', steps: [{ part: 'restore' }, { part: 'expect' }, { part: 'cleanup' }] },
  ])
})

test('validate finds what would keep a drill from running', async () => {
  const here = drilled()
  expect((await run(here, 'validate')).stdout).toContain('1 plan, 1 drill, no problem')
  here.write('drills/orders/10-count', 'no shebang\n', 0o755)
  const { code, stderr } = await run(here, 'validate')
  expect(code).toBe(78)
  expect(stderr).toContain('10-count')
  const json = await run(here, 'validate', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({
    ok: false,
    plans: [{ plan: 'shop', problems: [] }],
    drills: [{ drill: 'weekly', plan: 'shop', problems: [{ code: 'SCRIPT_NO_SHEBANG' }] }],
  })
})

test('validate finds options that the plugin does not take', async () => {
  const here = drilled('    options: { paht: x }\n')
  const { code, stderr } = await run(here, 'validate')
  expect(code).toBe(78)
  expect(stderr).toContain('DRILL_OPTIONS')
})

test('a mistake in the configuration is placed', async () => {
  const here = drilled('    selcet: random\n')
  const { code, stderr } = await run(here, 'drill')
  expect(code).toBe(78)
  expect(stderr).toMatch(/holdfast\.yaml:10:5/)
  expect(stderr).toContain('Did you mean "select"?')
})

test('completion knows the command', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    expect((await workspace().run(['completion', shell])).stdout).toMatch(/\bdrill\b/)
  }
})

test('from a store that is damaged it fails with what is wrong with it', async () => {
  const here = await backedUp()
  const driver = fsStorage({ path: here.store })
  for await (const { key } of driver.list('', { signal: AbortSignal.timeout(5000) })) {
    if (key.includes('.data')) writeFileSync(`${here.store}/${key}`, 'rotten')
  }
  const { code, stderr } = await here.run(['drill'], { columns: 200 })
  expect(code).toBe(1)
  expect(stderr).toContain('ARTIFACT_DIGEST')
})
