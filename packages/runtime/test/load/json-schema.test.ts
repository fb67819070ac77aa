import { expect, test } from 'vitest'
import { configJsonSchema, knownConfigKeys, type JsonSchema } from '../../src/load/json-schema.ts'
import { files } from './support.ts'

interface Schema extends JsonSchema {
  readonly properties: Readonly<Record<string, Schema>>
  readonly anyOf: readonly Schema[]
  readonly additionalProperties: Schema
  readonly items: Schema
}

test('the schema for editors has every key, its meaning, and the options of known plugins', async () => {
  const schema = (await configJsonSchema({ '@holdfast/plugin-files#files': files })) as Schema
  expect(schema).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: false,
    required: ['plans'],
  })
  expect(Object.keys(schema.properties)).toEqual([
    'instance',
    'storage',
    'encoding',
    'copies',
    'notify',
    'metrics',
    'replicas',
    'undoMirror',
    'drills',
    'plans',
  ])
  const [map, list] = schema.properties['plans']?.anyOf ?? []
  const plan = map?.additionalProperties
  expect(Object.keys(plan?.properties ?? {})).toEqual([...(await knownConfigKeys(['plans', 'shop'], 'map'))])
  expect(Object.keys(list?.items.properties ?? {})).toEqual(['name', ...Object.keys(plan?.properties ?? {})])
  expect(plan?.properties['budget']).toMatchObject({
    description: expect.stringContaining('Default: 24h'),
    anyOf: [{ type: 'number' }, { type: 'string' }],
  })
  expect(plan?.properties['use']).toMatchObject({ items: { $ref: '#/definitions/module' } })
  for (const copies of [schema.properties['copies'], plan?.properties['copies']])
    expect(copies).toMatchObject({ type: 'array', items: { $ref: '#/definitions/storage' } })
  expect(schema['definitions']).toMatchObject({
    storage: schema.properties['storage']?.anyOf && { anyOf: schema.properties['storage'].anyOf },
    module: {
      anyOf: [
        { type: 'string' },
        {
          additionalProperties: false,
          properties: {
            '@holdfast/plugin-files#files': {
              properties: { path: { type: 'string' }, mode: { enum: ['fast', 'thorough'] } },
            },
          },
        },
      ],
    },
  })
})

test('the keys that are known at a place', async () => {
  expect(await knownConfigKeys(['plans', 0, 'schedule'], 'list')).toEqual([
    'cron',
    'timeZone',
    'jitter',
    'overlap',
    'misfire',
    'paused',
  ])
  expect(await knownConfigKeys(['plans', 'shop', 'encoding', 'identity'], 'map')).toEqual(['env', 'file'])
  expect(await knownConfigKeys(['nowhere'], 'map')).toEqual([])
})
