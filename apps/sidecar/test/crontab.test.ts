import { createHash } from 'node:crypto'
import { internalsOf } from '@holdfast/sdk/internal'
import type { Plan, Plugin } from '@holdfast/sdk'
import type { BenjiBackupOptions } from '@holdfast/plugin-benji'
import { parseCrontab } from '@holdfast/runtime'
import { describe, expect, test } from 'vitest'
import { crontabForm } from '../src/crontab.ts'
import { shellWords } from '../src/crontab-words.ts'
import { benjiPrograms } from './support/benji-programs.ts'
import { workspace } from './support/workspace.ts'

const benji = `PROM_PUSH_GATEWAY=:9191
BENJI_INSTANCE:-benji-east
15  * * * * root benji-backup-pvc --all-namespaces -l 'tier in (db,queue)'
40  */2 * * * root benji-backup-pvc --namespace web
10 02 * * * root benji-command enforce latest2,days14,months6 'labels["benji-backup.me/instance"] == "benji-east"'
20 02 * * * root benji-command cleanup
45 06 * * * root benji-versions-status
00 07 * * 0 root benji-command batch-deep-scrub --version-percentage 20 --block-percentage 50 'labels["benji-backup.me/instance"] == "benji-east"'
`

/** What the plans of a crontab use, with the options that they are given. */
async function meaning(text: string, environment: NodeJS.ProcessEnv = {}) {
  const { plans } = await crontabForm(parseCrontab(text, 'crontab', { environment, user: 'root' }), {
    file: 'crontab',
    environment,
  })
  return plans.map((plan) => ({ ...plan, ...used(plan) }))
}

function used({ use }: Plan): { readonly plugin: string; readonly options: unknown } {
  const [plugin] = use
  const internals = internalsOf(plugin as Plugin)
  return { plugin: internals?.definition.name ?? '', options: structuredCloneOf(internals?.options) }
}

/** Without members that are `undefined`. */
function structuredCloneOf(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown)
}

const line = (command: string): string => `0 3 * * * root ${command}\n`

describe("a crontab of Benji's container", () => {
  test('means what it says, as it stands', async () => {
    const engine = { instance: 'benji-east', compatMetrics: { gateway: ':9191' } }
    const filter = 'labels["benji-backup.me/instance"] == "benji-east"'
    const plans = await meaning(benji)
    expect(plans.map(({ schedule, plugin, options }) => ({ cron: schedule?.cron, plugin, options }))).toEqual([
      { cron: '15 * * * *', plugin: 'benji', options: { all: true, selector: 'tier in (db,queue)', engine } },
      { cron: '40 */2 * * *', plugin: 'benji', options: { namespaces: ['web'], engine } },
      {
        cron: '10 02 * * *',
        plugin: 'benji-enforce',
        options: { rules: 'latest2,days14,months6', filter, protectNewestValid: false, engine },
      },
      { cron: '20 02 * * *', plugin: 'benji-cleanup', options: { engine } },
      { cron: '45 06 * * *', plugin: 'benji-versions-status', options: { engine } },
      {
        cron: '00 07 * * 0',
        plugin: 'benji-scrub',
        options: { deep: true, versionPercentage: 20, blockPercentage: 50, filter, engine },
      },
    ])
    const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6)
    expect(plans[1]?.name).toBe(`benji-backup-pvc-${digest('40 */2 * * * benji-backup-pvc --namespace web')}`)
  })

  test('is a valid configuration, and shows when it runs', async () => {
    const here = workspace()
    here.write('crontab', `HOME=${here.path}\n${benji}`)
    const { PATH } = benjiPrograms(here)
    const { code, stdout } = await here.run(['validate'], { env: { PATH } })
    expect(stdout).toContain('6 plans, no problem')
    expect(code).toBe(0)
    const { stdout: shown } = await here.run(['schedule', '--json', '--count', '1'])
    expect((JSON.parse(shown) as { plan: string }[]).map(({ plan }) => plan.replace(/-[0-9a-f]{6}$/, ''))).toEqual([
      'benji-backup-pvc',
      'benji-backup-pvc',
      'benji-command',
      'benji-command',
      'benji-versions-status',
      'benji-command',
    ])
  })

  test.each([
    ['neither', '', {}, { instance: 'benji-k8s', compatMetrics: false }],
    [
      'the environment alone',
      '',
      { PROM_PUSH_GATEWAY: 'gw:1', BENJI_INSTANCE: 'env', BENJI_LOG_LEVEL: 'warning' },
      { instance: 'env', compatMetrics: { gateway: 'gw:1' }, logLevel: 'WARNING' },
    ],
    [
      'the file before the environment',
      'PROM_PUSH_GATEWAY=:9191\nBENJI_INSTANCE=file\nBENJI_LOG_LEVEL=DEBUG\n',
      { PROM_PUSH_GATEWAY: 'gw:1', BENJI_INSTANCE: 'env', BENJI_LOG_LEVEL: 'INFO' },
      { instance: 'file', compatMetrics: { gateway: ':9191' }, logLevel: 'DEBUG' },
    ],
    [
      'defaults of the file after the environment',
      'PROM_PUSH_GATEWAY:-:9191\nBENJI_INSTANCE:-file\n',
      { PROM_PUSH_GATEWAY: 'gw:1', BENJI_INSTANCE: 'env' },
      { instance: 'env', compatMetrics: { gateway: 'gw:1' } },
    ],
    ['an empty one is no push', 'PROM_PUSH_GATEWAY=\n', { PROM_PUSH_GATEWAY: 'gw:1' }, { compatMetrics: false }],
    ['quotes are no part of it', 'PROM_PUSH_GATEWAY=" "\n', {}, { compatMetrics: false }],
    [
      'what is for Benji and rbd reaches them',
      'SHELL=/bin/bash\nPATH=/opt/bin:/bin\nMAILTO=""\nTZ=Europe/Berlin\nCRON_TZ=UTC\nCEPH_ARGS="--id backup"\n',
      {},
      { env: { PATH: '/opt/bin:/bin', TZ: 'Europe/Berlin', CEPH_ARGS: '--id backup' } },
    ],
  ])('H1: variables: %s', async (_, variables, environment, engine) => {
    const [plan] = await meaning(variables + line('benji-command cleanup'), environment)
    expect(plan?.options).toMatchObject({ engine })
  })

  test('where agents see the node is a variable of the file or of the environment, and none for Benji', async () => {
    const [plan] = await meaning('HOLDFAST_SYS_ROOT=/host/sys\n' + line('benji-backup-pvc'), {
      HOLDFAST_KUBELET_ROOT: '/var/lib/k0s/kubelet',
      HOLDFAST_SYS_ROOT: '/elsewhere',
    })
    const options = plan?.options as BenjiBackupOptions | undefined
    expect(options?.freeze).toEqual({ kubeletRoot: '/var/lib/k0s/kubelet', sysRoot: '/host/sys' })
    expect(options?.engine?.env).toBeUndefined()
  })

  test.each([
    [`benji-backup-pvc`, 'benji', { all: true }],
    [`benji-backup-pvc --all`, 'benji', { all: true }],
    [
      `benji-backup-pvc -n web -l a=b -l 'c in (d)' --field-selector=x=y`,
      'benji',
      { namespaces: ['web'], selector: 'a=b,c in (d)', fieldSelector: 'x=y' },
    ],
    [
      `benji-backup-pvc --source-compare -nshop data-0 web/data-1`,
      'benji',
      { pvcs: ['shop/data-0', 'web/data-1'], compare: true },
    ],
    [`benji-command enforce "latest3"`, 'benji-enforce', { rules: 'latest3', filter: '', protectNewestValid: false }],
    [`benji-command enforce --dry-run latest3`, 'benji-command', { args: ['enforce', '--dry-run', 'latest3'] }],
    [`benji-command cleanup --override-lock`, 'benji-command', { args: ['cleanup', '--override-lock'] }],
    [`benji-command batch-scrub -P20 -p 5`, 'benji-scrub', { deep: false, versionPercentage: 20, blockPercentage: 5 }],
    [`benji-command batch-scrub -g app`, 'benji-command', { args: ['batch-scrub', '-g', 'app'] }],
    [
      `benji-command metadata-backup --force 'volume == "a b"'`,
      'benji-command',
      { args: ['metadata-backup', '--force', 'volume == "a b"'] },
    ],
    [`benji-command --no-color ls`, 'benji-command', { args: ['--no-color', 'ls'] }],
    [`benji-command metadata-import%{"a":1}`, 'benji-command', { args: ['metadata-import'], stdin: '{"a":1}\n' }],
  ])('%s', async (command, plugin, options) => {
    const [plan] = await meaning(line(command))
    expect(plan).toMatchObject({ plugin, options })
  })

  test.each([
    'benji-backup-pvc | tee /tmp/log',
    'benji-backup-pvc; benji-versions-status',
    'benji-backup-pvc -n $NAMESPACE',
    'benji-backup-pvc > /dev/null 2>&1',
    'BENJI_LOG_LEVEL=DEBUG benji-backup-pvc',
    'benji-backup-pvc -n web # nightly',
    'benji-backup-pvc --select-only',
    'benji-backup-pvc --help',
    'benji-backup-pvc-all',
    'benji-restore-pvc U web data',
    '/usr/local/bin/benji-backup-pvc',
    `benji-command enforce 'latest3`,
    'benji ls',
    'pg_dump shop',
  ])('%s is for a shell', async (command) => {
    const [plan] = await meaning(line(command))
    expect(plan).toMatchObject({ plugin: 'command', options: { command } })
  })

  test.each([
    ['benji-backup-pvc --nonsense', 'benji-backup-pvc: unrecognized arguments: --nonsense'],
    ['benji-backup-pvc -n', 'benji-backup-pvc: argument -n/--namespace: expected one argument'],
    ['benji-backup-pvc -l a=b web/data', 'benji-backup-pvc: claims are either named or selected'],
    ['benji-backup-pvc data', "benji-backup-pvc: the namespace of 'data' is missing"],
    ['benji-versions-status now', 'benji-versions-status: unrecognized arguments: now'],
    ['benji-command', 'benji-command: a command of Benji is missing'],
    ['benji-command clenup', "benji-command: 'clenup' is no command of Benji"],
    ['benji-command cleanup --force', 'benji-command: unrecognized arguments: --force'],
    ['benji-command enforce', 'benji-command: the following arguments are required: rules_spec'],
    ['benji-command enforce latest0', 'benji-command: argument rules_spec: '],
    ['benji-command batch-scrub -P 101', `benji-command: argument --version-percentage: '101' is no whole number`],
  ])('what would be refused is found at load, at its line: %s', async (command, message) => {
    const here = workspace({ crontab: `A=b\n\n${line(command)}0 4 * * * root true\n` })
    const { code, stderr } = await here.run(['validate'])
    expect(code).toBe(78)
    expect(stderr).toContain(message)
    expect(stderr).toContain(`${here.at('crontab')}:3:16`)
  })

  test('every line that would be refused is said at once; a wrong level of the log, too, at its line', async () => {
    const here = workspace({
      crontab: `${line('benji-command clenup')}0 4 * * * root benji-backup-pvc -x\n`,
    })
    const { stderr } = await here.run(['validate'])
    expect(stderr).toContain('clenup')
    expect(stderr).toContain('unrecognized arguments: -x')
    const other = workspace({ crontab: `BENJI_LOG_LEVEL=loud\n${line('benji-command cleanup')}` })
    const refused = await other.run(['validate'])
    expect(refused.code).toBe(78)
    expect(refused.stderr).toMatch(/engine\.logLevel[^]*crontab:2/)
  })
})

test('a command of anybody else is run as cron would run it', async () => {
  const here = workspace()
  here.write(
    'crontab',
    `SHELL=/bin/sh\nGREETING="hi  there"\nHOME=${here.path}\n# holdfast: name=mine\n0 3 * * * root cat > out; echo "$GREETING" | tr a-z A-Z >> out; date -u -d @0 +\\%Y >> out%first%second\n`,
  )
  const { code } = await here.run(['run', 'mine'])
  expect(code).toBe(0)
  const { readFileSync } = await import('node:fs')
  expect(readFileSync(here.at('out'), 'utf8')).toBe('first\nsecond\nHI  THERE\n1970\n')
})

test('an empty crontab is a daemon without plans: it is ready, and says so', async () => {
  const here = workspace({ crontab: '# to be filled\n' })
  expect(await here.run(['validate'])).toMatchObject({ code: 0, stdout: expect.stringContaining('0 plans') as string })
  const daemon = here.start(['daemon'])
  while (!daemon.stderr().includes('"ready"')) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(daemon.stderr()).toContain('crontab has no lines: nothing is scheduled, and nothing is backed up')
  daemon.signal('SIGTERM')
  expect((await daemon.result).code).toBe(0)
})

describe('words of a line', () => {
  test.each([
    [`a 'b c' "d e"f g\\ h`, ['a', 'b c', 'd ef', 'g h']],
    [`a '' ""`, ['a', '', '']],
    [`a "x\\"y\\\\z\\n" 'it'\\''s'`, ['a', 'x"y\\z\\n', "it's"]],
    [`a  \t b=c --d=e~f g#h`, ['a', 'b=c', '--d=e~f', 'g#h']],
    ['', []],
  ])('%s', (command, words) => expect(shellWords(command)).toEqual(words))

  test.each([
    'a | b',
    'a && b',
    'a; b',
    'a &',
    'a > b',
    'a < b',
    'a $b',
    'a `b`',
    'a "$b"',
    'a "`b`"',
    'a (b)',
    'a *',
    'a ?',
    'a [b]',
    'a {b,c}',
    'a ~',
    'a # b',
    '! a',
    'A=b c',
    `a 'b`,
    'a "b',
    'a \\',
    'a\nb',
  ])('%j takes a shell', (command) => expect(shellWords(command)).toBeUndefined())
})
