import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { findManifestProblems } from '../../scripts/kubernetes-models.ts'
import { renderChartFiles } from '../generate.ts'
import { chart, helm, refusal, render, type GivenValues } from './support/helm.ts'
import { config, everything } from './support/values.ts'

test.for([...(await renderChartFiles())])('%s is up to date: `npm run docs`', ([path, text]) => {
  const file = join(chart, path)
  expect(existsSync(file) && readFileSync(file, 'utf8') === text).toBe(true)
})

test('helm lint has nothing to say', async () => {
  for (const values of [{}, { config }, everything]) {
    const said = await helm(['lint', chart, '--strict', '--values', '-'], values)
    expect(said).toContain('1 chart(s) linted, 0 chart(s) failed')
    expect(said).not.toMatch(/\[(WARNING|ERROR)\]/)
  }
})

test('the schema takes every default as it is in values.yaml, and has a description for each value', async () => {
  const values = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as Readonly<Record<string, unknown>>
  expect(await refusal({ ...values, config })).toBe('')
  const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Schema
  expect(undescribed(schema)).toEqual([])
  expect(undescribed(schema.definitions?.['configuration'] ?? {})).toEqual([])
  expect(looseObjects(schema)).toEqual([])
})

interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: unknown
  readonly definitions?: Readonly<Record<string, Schema>>
}

function undescribed({ properties = {} }: Schema, at = ''): readonly string[] {
  return Object.entries(properties).flatMap(([name, schema]) => [
    ...(schema.description ? [] : [`${at}${name}`]),
    // Fields of lists' items and of parts of the API have theirs where they are defined.
    ...(schema.additionalProperties === false && name !== 'configFrom' ? undescribed(schema, `${at}${name}.`) : []),
  ])
}

/** Objects that take any key, by path: only those that hold what nobody here knows. */
function looseObjects(schema: unknown, at = ''): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { type, properties, additionalProperties } = schema as Schema
  const isLoose = type === 'object' && properties !== undefined && additionalProperties !== false
  const below = Object.entries(schema).flatMap(([key, value]) => looseObjects(value, `${at}/${key}`))
  return [...(isLoose ? [at] : []), ...below]
}

test('a chart that depends on it puts the sidecar into its own pods', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parent-'))
  try {
    cpSync(join(import.meta.dirname, 'fixtures/shop'), folder, { recursive: true })
    cpSync(chart, join(folder, 'charts/holdfast'), { recursive: true })
    const rendered = await render({ global: { a: 1 }, holdfast: { enabled: true, config } }, { chart: folder })
    expect(rendered.manifests.flatMap(findManifestProblems)).toEqual([])
    const { spec } = rendered.one('Deployment').spec.template
    expect(spec.initContainers).toMatchObject([{ name: 'holdfast', restartPolicy: 'Always' }])
    expect(spec.serviceAccountName).toBe(rendered.one('ServiceAccount').metadata.name)
    const mounted = rendered.one('ConfigMap', 'shop-holdfast').data['holdfast.yaml'] as string
    expect(parse(mounted)).toEqual(config)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const readme = readFileSync(join(chart, 'README.md'), 'utf8')
const examples = [...readme.matchAll(/^```yaml\n# values\.yaml\n(.*?)^```/gms)].map(([, text = '']) => text)

test.for(examples)('an example of the README can be installed: %#', async (text) => {
  const { manifests } = await render(parse(text) as GivenValues)
  expect(manifests.flatMap(findManifestProblems)).toEqual([])
})

test('the README has examples, and sends whoever looks for the alerts to their page', () => {
  expect(examples.length).toBeGreaterThan(4)
  expect(readme).toContain('](../../docs/alerts.md#what-fires-when)')
})
