import { expect, test } from 'vitest'
import { join } from 'node:path'
import { mkdirSync, symlinkSync } from 'node:fs'
import { findConfig } from '../../src/load/find-config.ts'
import { load, problemsIn, rejection, tree } from './support.ts'

test.each<[what: string, files: readonly string[], options: object, found: string | undefined]>([
  ['nothing', [], {}, undefined],
  [
    '--config before everything',
    ['a.yaml', 'holdfast.config.ts'],
    { path: 'a.yaml', env: { HOLDFAST_CONFIG: 'b.yaml' } },
    'a.yaml',
  ],
  [
    'HOLDFAST_CONFIG before the directories',
    ['b.crontab', 'holdfast.yaml'],
    { env: { HOLDFAST_CONFIG: 'b.crontab' } },
    'b.crontab',
  ],
  ['not an empty HOLDFAST_CONFIG', ['holdfast.yaml'], { env: { HOLDFAST_CONFIG: '' } }, 'holdfast.yaml'],
  ['TypeScript before YAML', ['holdfast.yaml', 'holdfast.config.ts', 'crontab'], {}, 'holdfast.config.ts'],
  ['YAML before a crontab', ['holdfast.yaml', 'crontab'], {}, 'holdfast.yaml'],
  ['a crontab', ['crontab'], {}, 'crontab'],
  ['the working directory before /etc', ['crontab', 'etc/holdfast.config.ts'], {}, 'crontab'],
  ['/etc', ['other.yaml', 'etc/holdfast.config.mjs'], {}, 'etc/holdfast.config.mjs'],
])('finds %s', async (_, files, options, found) => {
  const directory = tree(Object.fromEntries(files.map((file) => [file, ''])))
  const { file } = await findConfig({ cwd: directory, env: {}, etc: join(directory, 'etc'), ...options })
  expect(file).toBe(found === undefined ? undefined : join(directory, found))
})

test.each([
  ['a.ts', 'module'],
  ['a.mts', 'module'],
  ['a.js', 'module'],
  ['a.mjs', 'module'],
  ['a.yml', 'yaml'],
  ['a.yaml', 'yaml'],
  ['crontab', 'crontab'],
  ['a.crontab', 'crontab'],
])('%s is a %s', async (name, form) => {
  expect(await findConfig({ path: name, cwd: tree({ [name]: '' }), env: {} })).toMatchObject({ form })
})

test('a file beside CRON_BACKUP_SCHEDULE wins, and everything else that was there is named', async () => {
  const directory = tree({ 'holdfast.yaml': '', crontab: '' })
  const { file, warnings } = await findConfig({ cwd: directory, env: { CRON_BACKUP_SCHEDULE: '0 3 * * *' } })
  expect(file).toBe(join(directory, 'holdfast.yaml'))
  expect(warnings.map(({ code, message }) => [code, message])).toEqual([
    ['CONFIG_IGNORED', `${join(directory, 'crontab')} is not used: ${file} wins`],
    ['CONFIG_IGNORED', `CRON_BACKUP_SCHEDULE is not used: ${file} wins`],
  ])
})

test('a folder called crontab is nobody’s configuration; one called holdfast.yaml is a mount that went wrong', async () => {
  const directory = tree({})
  mkdirSync(join(directory, 'crontab'))
  const options = { cwd: directory, env: {}, etc: join(directory, 'etc') }
  expect(await findConfig(options)).toMatchObject({ form: 'environment' })
  mkdirSync(join(directory, 'holdfast.yaml'))
  await expect(findConfig(options)).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' })
})

test('a link that leads nowhere is not there', async () => {
  const directory = tree({ crontab: '' })
  symlinkSync('nowhere', join(directory, 'holdfast.yaml'))
  expect(await findConfig({ cwd: directory, env: {} })).toMatchObject({ form: 'crontab' })
})

test('without a file and without variables, it says where it looked', async () => {
  const directory = tree({})
  expect(await problemsIn(directory)).toMatchObject([
    {
      code: 'CONFIG_NOT_FOUND',
      message: `there is no configuration in ${directory} and ${join(directory, 'etc')}`,
      hint: expect.stringContaining('CRON_BACKUP_SCHEDULE'),
    },
  ])
  const error = await rejection(load(directory))
  expect(error.message).toBe(`there is no configuration in ${directory} and ${join(directory, 'etc')}`)
})
