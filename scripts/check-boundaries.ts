// Who may import whom (ARCHITECTURE.md). Part of `npm run lint`.
import { globSync, readFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { argv } from 'node:process'
import ts from 'typescript'
import { listWorkspaces, root, type Workspace } from './workspaces.ts'

interface Boundary {
  /** Folders that the rule is for. */
  readonly folders: RegExp
  /** Workspaces that its sources may import, by folder. */
  readonly sources: readonly RegExp[]
  /** Workspaces that its tests may import besides. */
  readonly tests: readonly RegExp[]
  /** The only packages from outside that it may import; without it, its package.json decides. */
  readonly outside?: readonly string[]
  /** Whether it may reach into the sources of what it may import. */
  readonly reachesIn?: boolean
}

const sdk = /^packages\/sdk$/
const runtime = /^packages\/runtime$/
const testing = /^packages\/testing$/
const plugins = /^packages\/(plugin|storage)-[^/]+$/
const everything = /^/

const boundaries: readonly Boundary[] = [
  { folders: sdk, sources: [], tests: [], outside: ['@standard-schema/spec'] },
  { folders: runtime, sources: [sdk], tests: [testing] },
  { folders: plugins, sources: [sdk], tests: [testing] },
  { folders: testing, sources: [sdk, runtime], tests: [] },
  // What it writes is a plugin with its tests.
  { folders: /^packages\/create-[^/]+$/, sources: [], tests: [sdk, testing] },
  { folders: /^apps\//, sources: [sdk, runtime, plugins], tests: [testing] },
  { folders: /^examples\//, sources: [sdk, plugins], tests: [testing] },
  // A benchmark measures parts that nobody else needs to see.
  { folders: /^bench$/, sources: [everything], tests: [], reachesIn: true },
]

/** What the SDK keeps for the engine, and for nobody else. */
const internal = { specifier: '@holdfast/sdk/internal', readers: [sdk, runtime, testing, /^apps\//] }

/**
 * Imports that cross a boundary, one line each: `file: what is wrong`. Static and dynamic imports, re-exports and type
 * imports all count.
 */
export function findBoundaryViolations(from: string = root): readonly string[] {
  const workspaces = listWorkspaces(from)
  return workspaces.flatMap((workspace) => {
    const boundary = boundaries.find(({ folders }) => folders.test(workspace.folder))
    if (boundary === undefined) return [`${workspace.folder}: no boundary is defined for this folder`]
    return sourcesOf(from, workspace).flatMap((file) =>
      importsOf(join(from, file)).flatMap((specifier) => {
        const problem = judge({ specifier, file, workspace, boundary, workspaces })
        return problem === undefined ? [] : [`${file}: imports ${specifier}: ${problem}`]
      }),
    )
  })
}

interface Import {
  readonly specifier: string
  readonly file: string
  readonly workspace: Workspace
  readonly boundary: Boundary
  readonly workspaces: readonly Workspace[]
}

function judge({ specifier, file, workspace, boundary, workspaces }: Import): string | undefined {
  const inTest = isTest(file, workspace)
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file), specifier)
    const stays = boundary.reachesIn === true || target.startsWith(`${workspace.folder}/`)
    // What only tests need is in no package: the checks of Kubernetes objects, kubectl and helm.
    return stays || (inTest && target.startsWith('scripts/')) ? undefined : 'a relative path leaves its package'
  }
  const [name, subpath] = splitSpecifier(specifier)
  const target = workspaces.find(({ manifest }) => manifest.name === name)
  if (target === undefined) {
    if (inTest || boundary.outside === undefined || boundary.outside.includes(name)) return undefined
    return `${workspace.folder} may import only ${boundary.outside.join(', ')}`
  }
  const allowed = inTest ? [...boundary.sources, ...boundary.tests] : boundary.sources
  if (target !== workspace && !allowed.some((pattern) => pattern.test(target.folder)))
    return `${workspace.folder} may not depend on ${target.folder}`
  if (specifier === internal.specifier && !internal.readers.some((pattern) => pattern.test(workspace.folder)))
    return 'it is for the engine alone'
  if (!(subpath in (target.manifest.exports ?? {}))) return `${name} does not export ${subpath}`
  return undefined
}

function isTest(file: string, workspace: Workspace): boolean {
  return file.startsWith(`${workspace.folder}/test/`) || !file.startsWith(`${workspace.folder}/src/`)
}

function splitSpecifier(specifier: string): readonly [name: string, subpath: string] {
  const parts = specifier.split('/')
  const length = specifier.startsWith('@') ? 2 : 1
  return [parts.slice(0, length).join('/'), ['.', ...parts.slice(length)].join('/')]
}

function sourcesOf(from: string, { folder }: Workspace): readonly string[] {
  return globSync(`${folder}/**/*.{ts,mts,js,mjs}`, {
    cwd: from,
    exclude: (path) => /(^|[/\\])(node_modules|dist|fixtures)$/.test(path),
  }).map((file) => file.split(sep).join('/'))
}

function importsOf(path: string): readonly string[] {
  return ts.preProcessFile(readFileSync(path, 'utf8'), true, true).importedFiles.map(({ fileName }) => fileName)
}

if (import.meta.filename === argv[1]) {
  const violations = findBoundaryViolations()
  for (const violation of violations) console.error(violation)
  if (violations.length > 0) process.exitCode = 1
}
