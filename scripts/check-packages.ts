// Packs every public package and looks at the tarballs as their users get them: publint, attw, and a consumer that
// imports every entry point, compiled with each supported TypeScript and run; a new plugin, and a very old one; and what
// has become of their APIs.
// Needs a build.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { argv, execPath } from 'node:process'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { findSilentChanges } from './api-changes.ts'
import { findFrozenPluginProblems } from './check-frozen-plugin.ts'
import { findInstallProblems } from './check-installs.ts'
import { findScaffoldProblems } from './check-scaffold.ts'
import { compilers, resolutions, tscOf } from './compilers.ts'
import { all, tryProgram } from './try-program.ts'
import { listWorkspaces, readManifest, root, type Manifest, type Workspace } from './workspaces.ts'

/** A packed and unpacked public package. */
interface Packed {
  readonly manifest: Manifest
  readonly tarball: string
  /** Import specifiers of its entry points; none for a package that is only a program. */
  readonly entries: readonly string[]
}

/** What a user of the packed packages would trip over, one line each. */
async function findPackageProblems(folder: string): Promise<readonly string[]> {
  const packed = listWorkspaces()
    .filter(({ manifest }) => manifest.private !== true)
    .map((workspace) => pack(workspace, folder))
  const consumer = join(folder, 'consumer')
  install(packed, consumer)
  return all([
    ...packed.map((one) => lint(one, join(consumer, 'node_modules', one.manifest.name))),
    ...packed.map(checkTypes),
    ...consume(packed, consumer),
    findScaffoldProblems(consumer),
    findInstallProblems(folder, new Map(packed.map(({ manifest, tarball }) => [manifest.name, tarball]))),
    findFrozenPluginProblems(consumer),
    // A process of its own: it would keep the others waiting.
    tryProgram([execPath, 'scripts/api-reports.ts', '--check'], { cwd: root, title: 'APIs' }),
    Promise.resolve(findSilentChanges()),
  ])
}

function pack({ folder, manifest }: Workspace, destination: string): Packed {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', destination]
  const output = execFileSync('npm', args, {
    cwd: join(root, folder),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [result] = JSON.parse(output) as readonly { readonly filename: string }[]
  if (result === undefined) throw new Error(`npm pack said nothing about ${folder}`)
  const entries = Object.keys(manifest.exports ?? {})
    .filter((entry) => !entry.endsWith('.json'))
    .map((entry) => manifest.name + entry.slice(1))
  return { manifest, tarball: join(destination, result.filename), entries }
}

// As npm would lay them out, but from the tarballs, and with nothing in reach that no package declares.
function install(packed: readonly Packed[], consumer: string): void {
  const modules = join(consumer, 'node_modules')
  const outside = new Set(packed.flatMap(({ manifest }) => Object.keys(manifest.dependencies ?? {})))
  for (const { manifest, tarball } of packed) {
    const target = join(modules, manifest.name)
    mkdirSync(target, { recursive: true })
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', target])
    outside.delete(manifest.name)
  }
  for (const name of [...outside, '@types/node']) {
    const link = join(modules, name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
}

async function lint({ manifest }: Packed, folder: string): Promise<readonly string[]> {
  const { messages } = await publint({ pkgDir: folder, pack: false, strict: true })
  const unpacked = { ...readManifest(folder) }
  const complaints = messages
    .filter(({ type }) => type !== 'suggestion')
    .map((message) => `publint: ${formatMessage(message, unpacked, { color: false }) ?? message.code}`)
  if (!hasLicense(folder)) complaints.push("the LICENSE file is missing or not the repository's")
  complaints.push(...findStrayFiles(folder))
  return complaints.map((complaint) => `${manifest.name}: ${complaint}`)
}

/** What is in a package for no good, and what is not: the built code, its sources for debuggers, and what somebody reads. */
function findStrayFiles(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'))
  const stray = files.filter(
    (file) =>
      !/^(package\.json|README\.md|LICENSE|THIRD_PARTY_NOTICES\.md|(bin|dist|src|template)\/.+)$/.test(file) ||
      (!file.startsWith('template/') &&
        /(^|\/)(test|fixtures|node_modules)\/|\.test\.|\.tsbuildinfo$|(^|\/)\.env/.test(file)),
  )
  return [
    ...stray.map((file) => `${file} has no business in the package`),
    ...(files.includes('README.md') ? [] : ['there is no README.md in the package']),
  ]
}

function hasLicense(folder: string): boolean {
  const file = join(folder, 'LICENSE')
  return existsSync(file) && readFileSync(file, 'utf8') === readFileSync(join(root, 'LICENSE'), 'utf8')
}

async function checkTypes({ manifest, tarball, entries }: Packed): Promise<readonly string[]> {
  if (entries.length === 0) return []
  const args = [
    '--profile',
    'esm-only',
    '--no-definitely-typed',
    '--no-color',
    '--no-emoji',
    '--format',
    'ascii',
    tarball,
  ]
  const attw = join(root, 'node_modules/.bin/attw')
  return tryProgram([attw, ...args], { cwd: root, title: `${manifest.name}: attw` })
}

function consume(packed: readonly Packed[], consumer: string): readonly Promise<readonly string[]>[] {
  const entries = packed.flatMap((one) => one.entries)
  writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }\n')
  const imports = entries.map((entry, index) => `import * as entry${index} from '${entry}'`)
  const uses = `console.log([${entries.map((_, index) => `entry${index}`).join(', ')}].length)`
  writeFileSync(join(consumer, 'consumer.ts'), `${[...imports, uses].join('\n')}\n`)
  const types = compilers.flatMap((compiler) =>
    resolutions.map((resolution) => {
      const compilerOptions = {
        ...resolution,
        target: 'es2023',
        lib: ['es2024', 'esnext.disposable'],
        types: ['node'],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
      }
      const project = join(consumer, `tsconfig.${compiler}.${resolution.moduleResolution}.json`)
      writeFileSync(project, JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
      const title = `consumer with ${compiler}, ${resolution.moduleResolution}`
      return tryProgram([execPath, tscOf(compiler), '-p', project, '--pretty', 'false'], { cwd: consumer, title })
    }),
  )
  return [...types, tryProgram([execPath, 'consumer.ts'], { cwd: consumer, title: 'consumer at run time' })]
}

if (import.meta.filename === argv[1]) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-packages-'))
  try {
    const problems = await findPackageProblems(folder)
    for (const problem of problems) console.error(problem)
    if (problems.length > 0) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}
