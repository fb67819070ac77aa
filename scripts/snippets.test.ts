// Every TypeScript example, in the code's documentation and in the pages, compiles.
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { tscOf } from './compilers.ts'

const root = join(import.meta.dirname, '..')
// Inside the tree, so that packages are found from there; ignored by git.
const place = join(root, 'node_modules', '.holdfast-snippets')
afterAll(() => rmSync(place, { recursive: true, force: true }))

const packages = ['sdk', 'runtime', 'testing', 'plugin-scripts', 'plugin-benji', 'plugin-mongodump', 'storage-s3']
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'docs/**/*.md',
  'packages/*/README.md',
  'apps/*/README.md',
  'examples/*/README.md',
]

/** Names that examples use without saying where they come from. */
const given: Readonly<Record<string, string>> = {
  z: `import { z } from 'zod'`,
  pathSchema: `import { z as zod } from 'zod'\nconst pathSchema = zod.strictObject({ path: zod.string() })`,
  myPlugin: `declare function myPlugin(options: { path: string }): import('@holdfast/sdk').Plugin`,
  assert: `import assert from 'node:assert/strict'`,
  clock: `declare const clock: import('@holdfast/runtime').RuntimeClock`,
  log: `declare const log: import('@holdfast/runtime').RuntimeLogger`,
  load: `declare function load(): Promise<import('@holdfast/runtime').LoadedConfig>`,
  takeOver: `declare function takeOver(): void`,
  report: `declare function report(): void`,
  test: `import { createTestRun as start } from '@holdfast/testing'\nconst test = await start({ use: [] })`,
}

interface Snippet {
  readonly from: string
  readonly code: string
  /** Where it is written, so that snippets of a page that say their file can import each other. */
  readonly file: string
}

function snippetsOf(path: string): Snippet[] {
  const text = readFileSync(join(root, path), 'utf8')
  const plain = path.endsWith('.ts') ? text.replaceAll(/^ *\* ?/gm, '') : text
  const folder = path.replaceAll(/[^\w-]/g, '-')
  const taken = new Set<string>()
  return [...plain.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ''], index) => {
    const [, named = ''] = /^\/\/ ([\w-]+(?:\/[\w-]+)*(?:\.\w+)*\.ts)\b/.exec(code) ?? []
    const own = named !== '' && !taken.has(named)
    taken.add(named)
    return { from: `${path} #${index + 1}`, code, file: join(folder, own ? named : `snippet-${index + 1}.ts`) }
  })
}

/** Imports what a snippet uses without importing it. */
function complete(code: string, exported: ReadonlyMap<string, string>): string {
  const uses = (name: string): boolean => new RegExp(`(?<![\\w.'"])${name}\\b(?!\\s*[:?])`).test(code)
  const declares = (name: string): boolean =>
    new RegExp(`(const|function)\\s+${name}\\b|import[^\\n]*\\b${name}\\b|const \\{[^}]*\\b${name}\\b[^}]*\\} =`).test(
      code,
    )
  const needed = (name: string): boolean => uses(name) && !declares(name)
  const imports = [...exported]
    .filter(([name]) => needed(name))
    .map(([name, from]) => `import { ${name} } from '${from}'`)
  const prelude = Object.entries(given)
    .filter(([name]) => needed(name) && !exported.has(name))
    .map(([, line]) => line)
  return [...imports, ...prelude, code, 'export {}'].join('\n')
}

function exportedNames(): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  // The first package that has a name is meant: what the SDK exports is the SDK's.
  for (const name of packages) {
    const index = readFileSync(join(root, 'packages', name, 'src', 'index.ts'), 'utf8')
    for (const [, list = ''] of index.matchAll(/export (?:type )?\{([^}]*)\}/g)) {
      for (const exported of list
        .split(',')
        .map((each) => each.trim().replace(/^type /, ''))
        .filter(Boolean)) {
        if (!names.has(exported)) names.set(exported, `@holdfast/${name}`)
      }
    }
  }
  return names
}

test('every example compiles', { timeout: 60_000 }, () => {
  const files = [
    ...globSync('packages/*/src/**/*.ts', { cwd: root }),
    ...pages.flatMap((page) => globSync(page, { cwd: root })),
  ]
  const snippets = files.filter((file) => !file.includes('node_modules')).flatMap(snippetsOf)
  expect(snippets.length).toBeGreaterThan(15)
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  const exported = exportedNames()
  for (const { from, code, file } of snippets) {
    mkdirSync(dirname(join(place, file)), { recursive: true })
    writeFileSync(join(place, file), `// ${from}\n${complete(code, exported)}\n`)
  }
  const options = {
    noEmit: true,
    customConditions: ['@holdfast/source'],
    verbatimModuleSyntax: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  }
  const extended = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: options,
    include: ['**/*.ts', join(root, 'packages/*/src/**/*.d.ts')],
  }
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(extended))
  const named = (output: string): string =>
    snippets.reduce((text, { from, file }) => text.replaceAll(`${file}(`, `${from}: ${file}(`), output)
  let output = ''
  try {
    // The fastest of them. With the others packages are tried by check-packages.ts.
    execFileSync(tscOf('ts7'), ['-p', place], { cwd: place, encoding: 'utf8' })
  } catch (error) {
    output = (error as { stdout: string }).stdout
  }
  expect(named(output)).toBe('')
})
