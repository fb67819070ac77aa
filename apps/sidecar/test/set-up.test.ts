import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { workspace } from './support/workspace.ts'

test.for(['ts', 'yaml'])(
  'what init writes as %s is valid, backs something up, and is never overwritten',
  async (form) => {
    const here = workspace()
    expect((await here.run(['init', '--form', form])).code).toBe(0)
    const names = readdirSync(here.path).toSorted()
    expect(names).toEqual([form === 'ts' ? 'holdfast.config.ts' : 'holdfast.yaml', 'hooks', 'scripts'])
    const file = here.at(names[0]!)
    // Scripts are looked for in the working directory, which a test can't change.
    here.write(names[0]!, readFileSync(file, 'utf8').replace('./scripts', here.at('scripts')))
    const validated = await here.run(['validate'])
    expect(validated.stderr).toBe('')
    expect(validated.code).toBe(0)
    const ran = await here.run(['run', 'example', '--json'])
    expect(JSON.parse(ran.stdout)).toMatchObject({ status: 'succeeded', targets: [{ verification: 'verified' }] })
    const again = await here.run(['init', '--form', form])
    expect(again.code).toBe(1)
    expect(again.stderr).toContain('FILE_EXISTS')
  },
)

test('init writes all of its files or none', async () => {
  const here = workspace()
  here.write('scripts/backups/10-example.sh', 'mine')
  expect((await here.run(['init'])).code).toBe(1)
  expect(existsSync(here.at('holdfast.config.ts'))).toBe(false)
  expect(readFileSync(here.at('scripts/backups/10-example.sh'), 'utf8')).toBe('mine')
})

test('generate schema prints a schema that knows the options of the plugins that come along', async () => {
  const { code, stdout } = await workspace().run(['generate', 'schema'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ type: 'object', properties: { plans: {}, storage: {} } })
  expect(stdout).toContain('@holdfast/plugin-scripts#scripts')
})

test.for(['bash', 'zsh', 'fish'])('the completion script for %s is valid and complete', async (shell) => {
  const here = workspace()
  const { code, stdout } = await here.run(['completion', shell])
  expect(code).toBe(0)
  for (const word of ['daemon', 'restore', 'dry-run', 'state-dir', 'pretty', 'drop']) expect(stdout).toContain(word)
  const file = here.write(`completion.${shell}`, stdout)
  const { error } = spawnSync(shell, ['--version'])
  // Not every machine has every shell.
  if (error === undefined) execFileSync(shell, ['-n', file])
})

test('bash completes commands, their options, and fixed values', async () => {
  const here = workspace()
  const file = here.write('completion', (await here.run(['completion', 'bash'])).stdout)
  const complete = (...words: readonly string[]): string[] => {
    const script = `source ${file}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n')
  }
  expect(complete('holdfast', 'un')).toEqual(['undo', 'uninstall'])
  expect(complete('holdfast', 'undo', '')).toEqual(expect.arrayContaining(['list', 'run', 'drop']))
  expect(complete('holdfast', 'run', 'shop', '--dr')).toEqual(['--dry-run'])
  expect(complete('holdfast', '--log-format', '')).toEqual(['json', 'pretty'])
})

test('help shows every command, its options, and examples', async () => {
  const { code, stdout } = await workspace().run(['help', 'restore'])
  expect(code).toBe(0)
  expect(stdout).toContain('--force')
  expect(stdout).toContain('--state-dir')
  expect(stdout).toContain('Examples:')
})
