import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { shop, shopYaml, workspace, type Workspace } from './support/workspace.ts'

function shopWithDump(): Workspace {
  const here = shop()
  here.script('backups/10-dump', `printf 'rows\\n' | save_artifact orders`)
  return here
}

interface RunJson {
  readonly status: string
  readonly run: { readonly id: string; readonly plan: string }
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string }
  readonly targets: readonly {
    readonly id: string
    readonly verification: string
    readonly points: readonly { readonly size: number }[]
    readonly steps?: readonly { readonly what: string }[]
  }[]
}

function json(text: string): RunJson {
  return JSON.parse(text) as RunJson
}

test('a run answers with its outcome, and with nothing else on standard output', async () => {
  const here = shopWithDump()
  const { code, stdout } = await here.run(['run', 'shop', '--json'])
  expect(code).toBe(0)
  expect(json(stdout)).toMatchObject({
    status: 'succeeded',
    run: { plan: 'shop' },
    targets: [{ id: 'scripts', verification: 'verified', points: [{ size: 5 }] }],
  })
})

test.for([
  ['exit 0', 0, 'succeeded'],
  ['exit 3', 1, 'failed'],
] as const)('exit code: a script with %s ends the run with %i', async ([body, code, status]) => {
  const here = shop()
  here.script('backups/10-dump', body)
  const result = await here.run(['run', 'shop', '--json'])
  expect(result.code).toBe(code)
  expect(json(result.stdout).status).toBe(status)
})

test('a run that made nothing to restore says so, at a terminal', async () => {
  const here = shop()
  here.script('backups/10-elsewhere', 'true')
  const { stderr } = await here.run(['run', 'shop', '--log-format', 'pretty'])
  expect(stderr).toMatch(/✓ shop succeeded in [^,]+, no restore point\n/)
  const dry = await here.run(['run', 'shop', '--dry-run', '--log-format', 'pretty'])
  expect(dry.stderr).toContain('shop succeeded')
  expect(dry.stderr).not.toContain('no restore point')
})

test('exit code 4: one of two targets failed', async () => {
  const here = workspace()
  here.write(
    'holdfast.yaml',
    `plans:
  shop:
    use:
      - '@holdfast/plugin-scripts#scripts': { path: ${here.path}/scripts }
        name: good
      - '@holdfast/plugin-scripts#scripts': { path: ${here.path}/other }
        name: bad
`,
  )
  here.script('backups/10', 'true')
  here.write('other/backups/10', '#!/bin/sh\nexit 7\n', 0o755)
  const { code, stdout } = await here.run(['run', 'shop', '--json'])
  expect(json(stdout).status).toBe('partial')
  expect(code).toBe(4)
})

test('exit code 75: the plan is running already', async () => {
  const here = shopWithDump()
  here.script('backups/20-wait', `touch ${here.at('here')}; while [ ! -e ${here.at('go')} ]; do sleep 0.05; done`)
  const first = here.run(['run', 'shop', '--json'])
  while (!existsSync(here.at('here'))) await new Promise((resolve) => setTimeout(resolve, 10))
  const second = await here.run(['run', 'shop', '--json'])
  here.write('go', '')
  expect(second.code).toBe(75)
  expect(json(second.stdout)).toMatchObject({ status: 'skipped', error: { code: 'PLAN_BUSY' } })
  expect((await first).code).toBe(0)
})

test.for([
  ['an unknown plan', ['run', 'shpo'], 2],
  ['an unknown option', ['run', 'shop', '--dryrun'], 2],
  ['a misspelt command', ['histroy'], 2],
  ['no command', [], 2],
  ['a value that is none', ['history', '--limit', 'many'], 2],
  ['a level that is none', ['validate', '--log-level', 'loud'], 2],
  ['a grace that is none', ['validate', '--shutdown-grace', 'long'], 2],
  ['a configuration that is not there', ['validate', '--config', 'nowhere.yaml'], 78],
  ['a store that is none', ['list', '--storage', 'nowhere'], 78],
  ['help', ['--help'], 0],
  ['help for a command', ['run', '--help'], 0],
] as const)('exit code of %s', async ([, args, code]) => {
  const result = await shopWithDump().run(args)
  expect(result.code).toBe(code)
  expect(result.stderr).not.toMatch(/^\s+at /m)
})

test('a misspelt option is answered with the right one', async () => {
  const { stderr } = await shopWithDump().run(['run', 'shop', '--dry-rum'])
  expect(stderr).toContain('Did you mean --dry-run?')
})

test('a dry run changes nothing: it says what would be done, and leaves the store alone', async () => {
  const here = shopWithDump()
  const { code, stdout } = await here.run(['run', 'shop', '--dry-run', '--json'])
  expect(code).toBe(0)
  expect(json(stdout).targets[0]?.steps).toContainEqual(
    expect.objectContaining({ what: `runs ${here.at('scripts/backups/10-dump')}` }),
  )
  expect(existsSync(here.store)).toBe(false)
})

test('--target runs that target only, and an unknown one is refused by name', async () => {
  const here = shopWithDump()
  expect((await here.run(['run', 'shop', '--target', 'scripts'])).code).toBe(0)
  const { code, stdout } = await here.run(['run', 'shop', '--target', 'orders', '--json'])
  expect(code).toBe(1)
  expect(json(stdout).error?.code).toBe('TARGET_UNKNOWN')
})

test('fault F6: a script that hangs is ended at its timeout, and on_error hears of it', async () => {
  const here = shop()
  here.write('holdfast.yaml', shopYaml(here.path).replace('/scripts }', "/scripts, timeout: '300ms' }"))
  here.script('backups/10-hang', 'sleep 1000')
  here.script('on_error/10', `printf '%s' "$HOLDFAST_ERROR_CODE" > ${here.at('told')}`)
  const { code, stdout } = await here.run(['run', 'shop', '--json'])
  expect(code).toBe(1)
  expect(json(stdout).error?.code).toBe('SCRIPT_TIMEOUT')
  expect(readFileSync(here.at('told'), 'utf8')).toBe('SCRIPT_TIMEOUT')
})

test('on a terminal a person sees the run as it happens, and what to do about a failure', async () => {
  const here = shopWithDump()
  here.script('backups/20-fail', 'echo "disk is full" >&2; exit 3')
  const { code, stdout, stderr } = await here.run(['run', 'shop'], { columns: 100 })
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toContain('│ disk is full')
  expect(stderr).toContain(`error: Script '${here.at('scripts/backups/20-fail')}' finished with exit code '3'`)
  expect(stderr).toMatch(/✗ shop failed in/)
  expect(stderr).toContain('SCRIPT_FAILED, see docs/errors.md#script_failed')
  expect(stderr).not.toMatch(/^\s+at /m)
})

test('fault F54: a secret in the output of a script is redacted on the terminal, in logs and in --json', async () => {
  const here = workspace({
    'holdfast.config.mjs': `import hook from './hook.mjs'
export default { plans: [{ name: 'shop', use: [hook] }] }
`,
    'hook.mjs': `export default {
  $type: 'holdfast.hook/v1',
  hook: 'backups',
  async entry({ secrets, exec, log }) {
    const secret = await secrets.open({ env: 'CANARY' })
    log.info('it is ' + secret.reveal())
    await exec.local({ command: ['echo', 'got $CANARY'], env: { CANARY: secret }, stdout: 'log' })
    await exec.local({ command: ['sh', '-c', 'echo "$CANARY"; echo "$CANARY" | base64'], env: { CANARY: secret }, stdout: 'log' })
    throw new Error('could not log in with ' + secret.reveal())
  },
}
`,
  })
  const env = { CANARY: 'correct-horse-battery' }
  const plain = await here.run(['run', 'shop', '--json'], { env })
  const terminal = await here.run(['run', 'shop'], { env, columns: 120 })
  const history = await here.run(['history', '--json'], { env })
  for (const { stdout, stderr } of [plain, terminal, history]) {
    expect(stdout + stderr).not.toContain('correct-horse-battery')
    expect(stdout + stderr).not.toContain(Buffer.from('correct-horse-battery').toString('base64').slice(0, 20))
  }
  expect(plain.stdout).toContain('[redacted]')
})

test('what a command prints says in the log which plan, run, hook and target it belongs to', async () => {
  const here = workspace({
    'holdfast.config.mjs': `import hook from './hook.mjs'
export default { plans: [{ name: 'shop', use: [hook] }] }
`,
    'hook.mjs': `export default {
  $type: 'holdfast.hook/v1',
  hook: 'backups',
  name: 'dump',
  entry: ({ createArtifact, exec }) =>
    createArtifact('rows', (stdout) => exec.local({ command: ['sh', '-c', 'echo rows; echo half >&2'], stdout })),
}
`,
  })
  const { stderr } = await here.run(['run', 'shop', '--log-format', 'json'])
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.find(({ msg }) => msg === 'half')).toMatchObject({
    plan: 'shop',
    run: expect.stringMatching(/^\d{8}T/) as string,
    hook: 'backups',
    target: 'dump',
    command: 'sh',
    from: 'stderr',
  })
})
