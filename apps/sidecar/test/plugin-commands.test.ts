import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { workspace, type Workspace } from './support/workspace.ts'

const plugin = `import { definePlugin } from '@holdfast/sdk'
import { writeFileSync } from 'node:fs'
const any = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
export const tidy = definePlugin({
  name: 'tidy',
  version: '1.0.0',
  sdk: '^1.0',
  config: any,
  hooks: { backups: (ctx) => ctx.createArtifact('data', (sink) => sink.write(Buffer.from('data'))) },
  commands: {
    sweep: {
      summary: 'removes what nobody needs',
      run({ config, run }, args) {
        writeFileSync(config.directory + '/swept', JSON.stringify({ args, plan: run.plan, trigger: run.trigger }))
        if (args.includes('--break')) throw new Error('the broom broke')
        return args.includes('--nothing') ? 3 : 0
      },
    },
  },
})
`

function tidyWorkspace(): Workspace {
  const here = workspace({ 'plugin.mjs': plugin })
  here.write('holdfast.yaml', `plans: { shop: { use: [ { './plugin.mjs#tidy': { directory: ${here.path} } } ] } }\n`)
  return here
}

test("a plugin's command gets its words, with global options before or after it", async () => {
  const here = tidyWorkspace()
  const { code } = await here.run(['--log-level', 'warn', 'tidy', 'sweep', '--adopt', 'a b', '-x'])
  expect(code).toBe(0)
  expect(JSON.parse(readFileSync(join(here.path, 'swept'), 'utf8'))).toEqual({
    args: ['--adopt', 'a b', '-x'],
    plan: 'shop',
    trigger: 'command',
  })
})

test('its exit code is what the plugin says; a failure is 1 and told', async () => {
  const here = tidyWorkspace()
  expect((await here.run(['tidy', 'sweep', '--nothing'])).code).toBe(3)
  const broken = await here.run(['tidy', 'sweep', '--break'])
  expect(broken.code).toBe(1)
  expect(broken.stderr).toContain('the broom broke')
})

test('it is no run of the plan: the last success stays what it was', async () => {
  const here = tidyWorkspace()
  await here.run(['tidy', 'sweep'])
  const { stdout } = await here.run(['history', '--json'])
  expect(JSON.parse(stdout)).toMatchObject([{ plan: 'shop', trigger: 'command', status: 'succeeded' }])
})

test('its commands are listed', async () => {
  const here = tidyWorkspace()
  const { code, stdout } = await here.run(['tidy', '--help'])
  expect(code).toBe(0)
  expect(stdout).toContain('sweep    removes what nobody needs')
  const unknown = await here.run(['tidy', 'sweap'])
  expect(unknown).toMatchObject({ code: 2 })
  expect(unknown.stderr).toContain('"tidy" has no command "sweap" (it has: sweep)')
})

test('a word that is neither a command nor a plugin is answered with what was meant', async () => {
  const here = tidyWorkspace()
  const { code, stderr } = await here.run(['rum'])
  expect(code).toBe(2)
  expect(stderr).toContain('there is no command "rum"')
  expect(stderr).toContain('Did you mean "run"?')
  const elsewhere = await workspace({}).run(['histroy'])
  expect(elsewhere.code).toBe(2)
  expect(elsewhere.stderr).toContain('Did you mean "history"?')
})

test('--plan without a name, as an empty variable leaves it, is refused: it does not mean every plan', async () => {
  const here = tidyWorkspace()
  for (const words of [['--plan'], ['--plan', ''], ['--plan=']]) {
    const { code, stderr } = await here.run(['tidy', 'sweep', ...words])
    expect(code).toBe(2)
    expect(stderr).toContain('plan "" doesn\'t use "tidy"')
  }
  expect(existsSync(join(here.path, 'swept'))).toBe(false)
})

test('in several plans it runs for each of them, whatever becomes of the others', async () => {
  const here = workspace({ 'plugin.mjs': plugin })
  const of = (name: string): string =>
    `  ${name}: { use: [ { './plugin.mjs#tidy': { directory: ${here.at(name)} } } ] }\n`
  for (const name of ['shop', 'mail']) here.write(`${name}/here`, '')
  here.write('holdfast.yaml', `plans:\n${of('shop')}${of('mail')}`)
  expect((await here.run(['tidy', 'sweep', '--break'])).code).toBe(1)
  for (const name of ['shop', 'mail']) {
    expect(JSON.parse(readFileSync(here.at(name, 'swept'), 'utf8'))).toMatchObject({ plan: name })
  }
})

test('with --plan it runs for that plan alone', async () => {
  const here = tidyWorkspace()
  const { code, stderr } = await here.run(['tidy', 'sweep', '--plan', 'other'])
  expect(code).toBe(2)
  expect(stderr).toContain('plan "other" doesn\'t use "tidy"')
})
