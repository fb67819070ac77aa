import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineHook, type Plan } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { directoryOf, scripts } from '../src/index.ts'
import { directoryWith, sh } from './support/files.ts'
import { scriptRun } from './support/run.ts'

const validate = (options: unknown) => scripts.definition.config['~standard'].validate(options)

test('options are validated, unknown ones are refused', async () => {
  for (const options of [
    {},
    { path: '/x', timeout: '5m', timeouts: { backups: 60_000 }, backups: false, bin: '/bin' },
  ]) {
    expect(await validate(options)).toEqual({ value: options })
  }
  for (const options of [
    { paths: '/x' },
    { path: '' },
    { timeout: 'soon' },
    { timeout: '-5m' },
    { timeouts: { backup: '5m' } },
    { timeouts: { restore: '5m' } },
    { backups: true },
    null,
  ]) {
    expect((await validate(options)).issues).toHaveLength(1)
  }
})

test('the options have a JSON schema for editors', () => {
  const { jsonSchema } = scripts.definition.config['~standard'] as unknown as {
    jsonSchema: { input(options: { target: string }): { properties: object } }
  }
  const { properties } = jsonSchema.input({ target: 'draft-07' })
  expect(Object.keys(properties)).toEqual(['path', 'timeout', 'timeouts', 'backups', 'bin'])
})

test('the version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  expect(scripts.definition.version).toBe(version)
})

test('a set can surround what a hook module backs up', async () => {
  const backup = defineHook(
    'backups',
    ({ createArtifact }) => createArtifact('data', (sink) => sink.write(Buffer.from('data'))),
    { name: 'database' },
  )
  const files = {
    'before_backups/x': sh('echo before'),
    'after_backups/x': sh('echo after'),
    'maintain/x': sh('echo maintain'),
  }
  const run = await scriptRun(files, { options: { backups: false }, use: [backup] })
  const { outcome } = await run.run()
  expect(outcome).toMatchObject({ status: 'succeeded', targets: [{ target: { id: 'database' } }] })
  expect(run.output()).toEqual(['before', 'after', 'maintain'])
  const mistaken = await scriptRun({ 'backups/x': sh('echo never') }, { options: { backups: false }, use: [backup] })
  expect((await mistaken.run()).outcome.error?.code).toBe('SCRIPTS_BACKUPS_OFF')
})

test('every hook has a directory', () => {
  expect(Object.values(directoryOf)).toEqual(
    'install_dependencies validate before_backups backups after_backups verify_backups prune_backups maintain on_error on_finish'.split(
      ' ',
    ),
  )
})

test('what the README shows compiles', () => {
  const plan: Plan = {
    name: 'shop',
    schedule: { cron: '0 3 * * *' },
    use: [scripts({ path: directoryWith() }), scripts()],
  }
  // @ts-expect-error -- a typo
  scripts({ paths: '/scripts' })
  // @ts-expect-error -- no unit
  scripts({ timeout: '5' })
  expect(plan.use).toHaveLength(2)
})
