// What pages say in code is so: configurations, Kubernetes objects, JSON, and calls of our programs. TypeScript is compiled
// by snippets.test.ts, and what shows a terminal is run by transcripts.ts.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { imagePlugins } from '../charts/generator/config-schema.ts'
import { configJsonSchema } from '../packages/runtime/src/index.ts'
import { commandsOf, holdfastProgram, readHelps } from './docs/command-line-page.ts'
import { listPages } from './docs/links.ts'
import { findSchemaProblems, type Schema } from './docs/schema-check.ts'
import { findCommandProblems, type Programs } from './docs/shell-blocks.ts'
import { findYamlProblems } from './docs/yaml-blocks.ts'
import { root } from './workspaces.ts'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const pages = listPages(root).filter((page) => !/CHANGELOG|THIRD_PARTY_NOTICES|^\.changeset/.test(page))
const schemas = {
  config: await configJsonSchema(imagePlugins),
  values: JSON.parse(read('charts/holdfast/values.schema.json')) as Schema,
}
const programs: Programs = {
  commands: commandsOf(holdfastProgram()),
  helps: await readHelps(),
  scripts: Object.keys((JSON.parse(read('package.json')) as { readonly scripts: object }).scripts),
}

test('YAML is what it says it is: a configuration, values, an object', () => {
  expect(pages.flatMap((page) => findYamlProblems(page, read(page), schemas))).toEqual([])
})

test('calls of our programs can be: command, options, arguments', () => {
  expect(pages.flatMap((page) => findCommandProblems(page, read(page), programs))).toEqual([])
})

test('where something was seen is a file', () => {
  const seen = pages.flatMap((page) =>
    [...read(page).matchAll(/^<!-- seen: (\S+) -->$/gm)].map(([, file = '']) => file),
  )
  expect(seen.length).toBeGreaterThan(0)
  expect(seen.filter((file) => !existsSync(join(root, file)))).toEqual([])
})

test('JSON is JSON', () => {
  const bad = pages.flatMap((page) =>
    [...read(page).matchAll(/^( *)```json\n(.*?)^\1```/gms)].flatMap(([, , text = '']) => {
      try {
        JSON.parse(text)
        return []
      } catch (error) {
        return [`${page}: ${String(error)}`]
      }
    }),
  )
  expect(bad).toEqual([])
})

test('what shows a terminal is run, or says where it was seen', () => {
  const bad = pages.flatMap((page) => {
    const blocks = read(page).matchAll(
      /(?:^<!-- (run(?:: numbers differ)?|seen: \S+) -->\n+)?^( *)```\w*\n(?=(.*?)^\2```)/gms,
    )
    return [...blocks]
      .filter(([, said, indent = '', text = '']) => said === undefined && new RegExp(`^${indent}\\$ `, 'm').test(text))
      .map(([, , , text = '']) => `${page}: ${text.split('\n')[0]}`)
  })
  expect(bad).toEqual([])
})

describe('the checks', () => {
  test('a wrong configuration is found', () => {
    const yaml = (text: string): readonly string[] => findYamlProblems('a.md', `\`\`\`yaml\n${text}\n\`\`\`\n`, schemas)
    expect(yaml('plans:\n  shop: { use: [./a.ts], schedul: {} }')).toEqual([
      'a.md, YAML block 1: plans.shop.schedul is unknown',
    ])
    expect(yaml("plans:\n  shop: { use: ['@holdfast/plugin-scripts#scripts': { paht: /x }] }")).toEqual([
      'a.md, YAML block 1: plans.shop.use[0].@holdfast/plugin-scripts#scripts.paht is unknown',
    ])
    expect(yaml('# values.yaml\nimag: {}')).toEqual(['a.md, YAML block 1: imag is unknown'])
    expect(yaml('apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndaat: {}')).toEqual([
      'a.md, YAML block 1: ConfigMap a: daat is unknown',
    ])
    expect(yaml('surprise: true')).toEqual([expect.stringContaining('say what it is')])
    expect(yaml('a: [')).toEqual([expect.stringContaining('YAML block 1')])
  })

  test('a call that can not be is found', () => {
    const calls = (text: string): readonly string[] =>
      findCommandProblems('a.md', `\`\`\`sh\n${text}\n\`\`\`\n`, programs)
    expect(calls('holdfast rum shop')).toEqual(['a.md: holdfast has no command rum'])
    expect(calls('A=1 holdfast run shop --dry-rum | cat')).toEqual(['a.md: holdfast run has no option --dry-rum'])
    expect(calls('holdfast generate kubernetes --form tent')).toEqual([
      "a.md: holdfast generate kubernetes --form can't be tent",
    ])
    expect(calls('holdfast validate shop')).toEqual(['a.md: holdfast validate takes no shop'])
    expect(calls('holdfast undo giveup')).toEqual(['a.md: holdfast undo has no command giveup'])
    expect(calls('benji-backup-pvc --al-namespaces')).toEqual(['a.md: benji-backup-pvc has no option --al-namespaces'])
    expect(calls('npm run demmo && npm run demo')).toEqual(['a.md: npm run demmo: there is no such script'])
    expect(calls('holdfast list --plan shop --json >list.json # and more\n')).toEqual([])
  })

  test('a schema is understood', () => {
    const schema = {
      type: 'object',
      properties: { a: { anyOf: [{ type: 'string' }, { enum: [1, 2] }] } },
      required: ['a'],
    }
    expect(findSchemaProblems(schema, { a: 'x' })).toEqual([])
    expect(findSchemaProblems(schema, { a: 3 })).toHaveLength(1)
    expect(findSchemaProblems(schema, {})).toEqual(['a is missing'])
  })
})
