import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expect, test } from 'vitest'
import * as mini from 'zod/mini'
import { validateOptions } from '../../src/load/plugin-options.ts'
import { collectProblems } from '../../src/load/problems.ts'

type Validate = (value: unknown) => StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>>

function schema(validate: Validate, properties?: Record<string, object>): StandardSchemaV1 {
  const jsonSchema = properties && { input: () => ({ type: 'object', properties }) }
  return { '~standard': { version: 1, vendor: 'any', validate, ...(jsonSchema && { jsonSchema }) } }
}

async function problemsWith(config: StandardSchemaV1, options: unknown): Promise<readonly string[]> {
  const problems = collectProblems(() => undefined)
  const validated = await validateOptions('x', config, options, ['use', 0], problems)
  expect(validated).toBe(undefined)
  return problems.problems.map(({ message, hint, path }) => `${path} | ${message} | ${hint}`)
}

const end = 'The plugin says what its options must be; it does not run with others.'

test('any Standard Schema will do, with objects or words in its paths, and asynchronous ones too', async () => {
  const config = schema(async () => ({ issues: [{ message: 'Not a port', path: ['server', { key: 'port' }] }] }))
  expect(await problemsWith(config, { server: { port: 'x' } })).toEqual([
    `use[0].server.port | plugin "x": server.port is not valid: Not a port | ${end}`,
  ])
})

test('a schema that only says what its keys are still gets a did-you-mean', async () => {
  const config = schema(() => ({ issues: [{ message: 'never', path: ['pth'] }] }), { path: {}, mode: {} })
  expect(await problemsWith(config, { pth: 1 })).toEqual([
    `use[0].pth | plugin "x": pth is no option of it | Did you mean "path"? Its options here: path, mode. ${end}`,
  ])
})

test('a schema that throws is the plugin’s fault, and is said to be', async () => {
  const config = schema(() => {
    throw new RangeError('bug\n  at x')
  })
  expect(await problemsWith(config, {})).toEqual([`use[0] | plugin "x": its options can't be checked: bug | ${end}`])
})

test('a schema whose messages are left out for size is put into words', async () => {
  const config = mini.strictObject({ path: mini.string(), depth: mini.optional(mini.int().check(mini.gte(1))) })
  expect(await problemsWith(config, { path: 3, depth: 0 })).toEqual([
    `use[0].path | plugin "x": path must be text, not a number | ${end}`,
    `use[0].depth | plugin "x": depth must be at least 1 | ${end}`,
  ])
})
