import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { testClock } from '@holdfast/testing'
import { shop, workspace } from './support/workspace.ts'

test('validate calls every validate hook, changes nothing, and prints all problems with what to do', async () => {
  const here = shop()
  here.write('scripts/backups/10-dump', 'no shebang\n', 0o755)
  here.write('scripts/backups/20-plain', '#!/bin/sh\n', 0o644)
  mkdirSync(here.at('scripts/before_backup'))
  const { code, stderr } = await here.run(['validate'])
  expect(code).toBe(78)
  for (const text of ['10-dump', '20-plain', 'before_backup']) expect(stderr).toContain(text)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(readdirSync(here.path).toSorted()).toEqual(['holdfast.yaml', 'scripts'])
})

test('validate says which plan and which part of it a problem is of, where nothing else does', async () => {
  const here = workspace()
  here.write(
    'hook.mjs',
    `export default { $type: 'holdfast.hook/v1', hook: 'validate', entry: ({ secrets }) => secrets.open({ env: 'NOT_THERE' }) }\n`,
  )
  here.write('backup.mjs', `export default { $type: 'holdfast.hook/v1', hook: 'backups', entry() {} }\n`)
  here.write(
    'holdfast.yaml',
    'plans: { good: { use: [./backup.mjs] }, bad: { use: [./backup.mjs, { ./hook.mjs: , name: password }] } }\n',
  )
  const { code, stderr } = await here.run(['validate'])
  expect(code).toBe(78)
  expect(stderr).toMatch(/NOT_THERE is not there\n {2}in plan "bad", password\n/)
  expect(stderr).not.toContain('good')
})

test('plan shows per target what a run would do and what retention would remove, and does nothing', async () => {
  const here = shop()
  here.script('backups/10-dump', `printf x | save_artifact orders`)
  for (let run = 0; run < 2; run++) expect((await here.run(['run', 'shop'])).code).toBe(0)
  here.write('holdfast.yaml', `${await configOf(here.path)}`)
  const { code, stdout } = await here.run(['plan', 'shop'])
  expect(code).toBe(0)
  expect(stdout).toContain(`runs ${here.at('scripts/backups/10-dump')}`)
  expect(stdout).toContain('2 restore points')
  expect(stdout).toMatch(/remove +\d{4}-/)
  const json = JSON.parse((await here.run(['plan', '--json'])).stdout) as { targets: { expired: string[] }[] }[]
  expect(json[0]?.targets[0]?.expired).toHaveLength(1)
  expect(JSON.parse((await here.run(['list', '--json'])).stdout)).toHaveLength(2)
  expect(JSON.parse((await here.run(['history', '--json'])).stdout)).toHaveLength(4)
})

async function configOf(path: string): Promise<string> {
  const { shopYaml } = await import('./support/workspace.ts')
  return shopYaml(path).replace('latest: 2', 'latest: 1')
}

test('explain shows the hooks in their order, with who takes part and what a failure means', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  here.write(
    'hook.mjs',
    `export default { $type: 'holdfast.hook/v1', hook: 'beforeBackups', entry: { order: 'pre', timeout: '30s', handler() {} } }\n`,
  )
  here.write(
    'holdfast.yaml',
    `${await configOf(here.path)}`.replace('    retention', '      - ./hook.mjs\n    retention'),
  )
  const { code, stdout } = await here.run(['explain', '--json'])
  expect(code).toBe(0)
  const [plan] = JSON.parse(stdout) as [{ handlers: { hook: string; participant: string; timeoutMs: number }[] }]
  const of = (hook: string): string[] =>
    plan.handlers.filter((each) => each.hook === hook).map((each) => each.participant)
  expect(of('beforeBackups')).toEqual(['hook', 'scripts'])
  expect(of('verifyBackups')).toEqual(['holdfast', 'scripts'])
  expect(plan.handlers.find(({ participant }) => participant === 'hook')?.timeoutMs).toBe(30_000)
  const shown = await here.run(['explain', 'shop'])
  expect(shown.stdout).toMatch(/beforeBackups +series +hook \(pre\)/)
})

test('schedule prints the next fire times across the next clock change', async () => {
  const here = shop()
  const clock = testClock({ now: '2026-03-27T12:00:00Z' })
  const json = await here.run(['schedule', '--count', '3', '--json'], { clock })
  expect(JSON.parse(json.stdout)).toEqual([
    {
      plan: 'shop',
      cron: '0 3 * * *',
      timeZone: 'Europe/Berlin',
      next: ['2026-03-28T02:00:00.000Z', '2026-03-29T01:00:00.000Z', '2026-03-30T01:00:00.000Z'],
    },
  ])
  const { stdout } = await here.run(['schedule'], { clock })
  expect(stdout).toContain('clocks go forward')
})

test('doctor names what is wrong, and fails only for what keeps backups from working', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const good = await here.run(['doctor'])
  expect(good.code).toBe(0)
  expect(good.stdout).toMatch(/is fit to run, with 1 warning\.\n$/)
  expect(good.stdout).toContain('are lost with the state directory')
  writeFileSync(here.at('file'), '')
  const bad = await here.run(['doctor', '--json', '--state-dir', here.at('file/state')])
  expect(bad.code).toBe(1)
  const { findings } = JSON.parse(bad.stdout) as { findings: { check: string; status: string }[] }
  expect(findings).toContainEqual(expect.objectContaining({ check: 'state directory', status: 'problem' }))
  expect(findings).toContainEqual(expect.objectContaining({ check: 'configuration', status: 'ok' }))
})

test('fault F48: doctor says of a store that takes no backup why, of one that is not there that, and of an unknown one nothing', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const said = async (...storage: readonly string[]): Promise<readonly object[]> => {
    const { stdout } = await here.run(['doctor', '--json', ...storage])
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly { readonly check: string }[] }
    return findings.filter(({ check }) => check === 'store')
  }
  const store = here.at('store')
  const says = (status: string, message: RegExp): readonly object[] => [
    { status, message: expect.stringMatching(message) as string },
  ]
  expect(await said('--storage', `file://${store}`)).toMatchObject(says('ok', /\/store is not there: /))
  mkdirSync(store)
  expect(await said('--storage', `file://${store}`)).toMatchObject(says('ok', /can be read and written \(.* free\)$/))
  expect(readdirSync(store)).toEqual([])
  // Not even root makes a file there.
  const refuses = '/proc/self/ns'
  expect(await said('--storage', `file://${refuses}`)).toMatchObject(
    says('problem', /^\/proc\/self\/ns can be read, but not written: E/),
  )
  here.write('holdfast.yaml', 'plans: nonsense\n')
  expect(await said()).toEqual([])
})

test('sidefridge F16: what runs is what was validated, also in a crontab', async () => {
  const here = workspace({ crontab: '0 3 * * * root echo backed up\n*/5 * * * * * root echo never\n' })
  const { code, stderr } = await here.run(['validate'])
  expect(code).toBe(78)
  expect(stderr).toContain(`the schedule has six fields\n  in ${here.at('crontab')}:2:13`)
  here.write(
    'crontab',
    'CRON_TZ=Europe/Berlin\n# holdfast: name=nightly\n0 3 * * * root echo "$CRON_TZ" > out; exit 4\n',
  )
  const failed = await here.run(['run', 'nightly', '--json'], { env: { HOME: here.path } })
  expect(failed.code).toBe(1)
  expect(JSON.parse(failed.stdout)).toMatchObject({ error: { code: 'EXEC_FAILED' } })
})
