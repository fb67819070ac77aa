// What pages say in code is so: configurations, Kubernetes objects, JSON, and calls of our programs. TypeScript is compiled
// by snippets.test.ts; what is typed into a terminal is run by transcripts.ts, by a test that looks it up, or by CI.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { imagePlugins } from '../charts/generator/config-schema.ts'
import { configJsonSchema } from '../packages/runtime/src/index.ts'
import { commandsOf, holdfastProgram, readHelps } from './docs/command-line-page.ts'
import { listPages } from './docs/links.ts'
import { findUnrunBlocks } from './docs/run-blocks.ts'
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

/** Tests, what they are made of, and workflows: what may look a block up. */
const readers = new Map(
  globSync(
    ['{e2e,scripts}/**/*.ts', '{apps,packages}/*/test/**/*.ts', 'charts/test/**/*.ts', '.github/workflows/*.yml'],
    { cwd: root, exclude: ['**/node_modules/**'] },
  ).map((file) => [file, read(file)]),
)

test('YAML is what it says it is: a configuration, values, an object', () => {
  expect(pages.flatMap((page) => findYamlProblems(page, read(page), schemas))).toEqual([])
})

test('calls of our programs can be: command, options, arguments', () => {
  expect(pages.flatMap((page) => findCommandProblems(page, read(page), programs))).toEqual([])
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

test('what is typed into a terminal, or shows one, is run', () => {
  expect(pages.flatMap((page) => findUnrunBlocks(root, page, read(page), readers))).toEqual([])
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

  test('a block that nothing runs is found', () => {
    const found = (said: string, text: string, language = 'sh'): readonly string[] =>
      findUnrunBlocks(root, 'docs/a.md', `${said}\n\n\`\`\`${language}\n${text}\n\`\`\`\n`, readers)
    expect(found('Nothing.', 'ls')).toEqual([expect.stringContaining('docs/a.md:3 says nothing')])
    expect(found('Nothing.', '$ ls\na', '')).toHaveLength(1)
    expect(found('Nothing.', '/\n└── a', '')).toEqual([])
    expect(found('<!-- run -->', 'ls')).toEqual([])
    expect(found('<!-- Not run: it has to be published. -->', 'npm publish')).toHaveLength(1)
    expect(found('<!-- run: gone -->', 'ls')).toEqual(['docs/a.md:3 is to be run as gone, and no test does'])
    expect(found('<!-- seen: e2e/gone.e2e.ts -->', '$ ls', '')).toEqual([expect.stringContaining('is not there')])
    expect(found('<!-- seen: e2e/benji-page.e2e.ts -->', '$ ls', '')).toEqual([expect.stringContaining('is not seen')])
    expect(found('<!-- run by: .ci/run, package.json -->', 'npm test # all\ne2e/run.sh exec')).toEqual([])
    expect(found('<!-- run by: .ci/run -->', 'npm ci && npm tset')).toEqual([expect.stringContaining('npm tset')])
    expect(found('<!-- copy of: .nvmrc -->', read('.nvmrc').trim())).toEqual([])
    expect(found('<!-- copy of: .nvmrc -->', '4')).toHaveLength(1)
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
