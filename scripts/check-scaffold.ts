// Begins a plugin as its author would, in a clean folder, from the packed tarballs: it has to type-check with each supported
// TypeScript, every command of its README, of its workflows, and of the pages on writing and publishing one has to work, and what
// it packs has to back something up in both configurations of its README. Part of `npm run check:packages`.
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { env, execPath } from 'node:process'
import { parse } from 'yaml'
import { blockOf } from './page-blocks.ts'
import { compilers, resolutions, tscOf } from './compilers.ts'
import { all, inOrder, tryProgram } from './try-program.ts'
import { readManifest, root } from './workspaces.ts'

/**
 * What the author of a new plugin would trip over, one line each.
 *
 * @param folder - outside of the repository, with the unpacked tarballs in its node_modules
 */
export async function findScaffoldProblems(folder: string): Promise<readonly string[]> {
  const bin = join(folder, 'node_modules/create-holdfast-plugin/bin/create-holdfast-plugin.js')
  const [create = '', enter = '', ...begin] = linesOf(blockOf('docs/write-a-plugin.md', 'create'))
  const plugin = join(folder, enter.replace(/^cd /, ''))
  const created = await run([execPath, bin, ...create.split(' ').slice(3)], folder, create)
  if (created.length > 0) return created
  install(plugin, folder)
  const types = compilers.flatMap((compiler) =>
    resolutions.map((resolution) => {
      const project = join(plugin, `tsconfig.${compiler}.${resolution.moduleResolution}.json`)
      const compilerOptions = { ...resolution, skipLibCheck: false }
      writeFileSync(project, JSON.stringify({ extends: './tsconfig.json', compilerOptions }))
      const title = `types with ${compiler}, ${resolution.moduleResolution}`
      return run([execPath, tscOf(compiler), '-p', project], plugin, title)
    }),
  )
  const commands = new Set([...begin, ...commandsOfWorkflows(plugin), ...commandsOfReadme(plugin)])
  const publish = linesOf(blockOf('docs/publish-a-plugin.md', 'publish'))
  // What it packs is used when all of them have gone well.
  const tried = inOrder([
    ...[...commands].map((command) => () => run(here(command), plugin, command)),
    ...['git init --quiet', 'git add .', 'git commit --quiet --message=Begun', ...publish].map(
      (command) => () => run(here(command), plugin, command),
    ),
    () => useIt(folder, plugin),
  ])
  return all([...types, tried])
}

// What `npm install` does, but from the tarballs, and without asking a registry: links to what is in reach anyway.
function install(plugin: string, folder: string): void {
  const modules = join(plugin, 'node_modules')
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(plugin, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>
    readonly devDependencies: Readonly<Record<string, string>>
  }
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const link = join(modules, name)
    mkdirSync(dirname(link), { recursive: true })
    const unpacked = join(folder, 'node_modules', name)
    symlinkSync(name.startsWith('@holdfast/') ? unpacked : join(root, 'node_modules', name), link)
  }
  mkdirSync(join(modules, '.bin'))
  symlinkSync(tscOf('typescript'), join(modules, '.bin/tsc'))
}

function commandsOfWorkflows(plugin: string): readonly string[] {
  const workflows = join(plugin, '.github/workflows')
  return readdirSync(workflows).flatMap((file) => {
    const { jobs } = parse(readFileSync(join(workflows, file), 'utf8')) as {
      readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>
    }
    return Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run: command }) => command ?? []))
  })
}

function commandsOfReadme(plugin: string): readonly string[] {
  const [, blocks = ''] = readFileSync(join(plugin, 'README.md'), 'utf8').split('## Work on it')
  const [, lines = ''] = /```sh\n(.*?)```/s.exec(blocks) ?? []
  return linesOf(lines)
}

/** The commands of a block, without what is said about them. */
function linesOf(block: string): readonly string[] {
  return block.split('\n').flatMap((line) => line.replace(/\s+#.*$/, '') || [])
}

/** The same where there is no registry: whether what is installed is what was asked for; a package that nobody gets. */
function here(command: string): readonly string[] {
  if (command === 'npm install') return ['npm', 'ls']
  if (command.startsWith('npm publish')) return ['npm', 'pack', '--pack-destination', '..']
  return command.split(' ')
}

/** The package that it is, as a configuration loads it: in each form that its README shows, by the packed command. */
async function useIt(folder: string, plugin: string): Promise<readonly string[]> {
  const readme = readFileSync(join(plugin, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```(?:js|yaml)\n(?:\/\/|#) (holdfast\.\S+)\n(.*?)```/gs)]
  if (blocks.length !== 2) return ['new plugin: its README shows no configuration']
  const tarball = readdirSync(folder).find((file) => /^holdfast-plugin-redis-.*\.tgz$/.test(file))
  if (tarball === undefined) return ['new plugin: npm pack made nothing']
  return all(
    blocks.map(([, file = '', text = '']) => {
      const use = join(folder, `use-${file}`)
      const installed = join(use, 'node_modules', 'holdfast-plugin-redis')
      for (const made of [installed, join(use, 'data'), join(use, 'state')]) mkdirSync(made, { recursive: true })
      writeFileSync(join(use, file), text.replaceAll('/data', join(use, 'data')))
      writeFileSync(join(use, 'data/a.txt'), 'hello')
      const holdfast = join(folder, 'node_modules/@holdfast/sidecar', binOf(folder))
      return inOrder([
        () => run(['tar', '-xzf', join(folder, tarball), '--strip-components=1', '-C', installed], use, 'unpack'),
        ...['validate', 'plan', 'run files'].map((command) => () => {
          const args = [execPath, holdfast, ...command.split(' '), '--state-dir', join(use, 'state')]
          return run(args, use, `holdfast ${command} with ${file}`)
        }),
      ])
    }),
  )
}

function binOf(folder: string): string {
  const { bin } = readManifest(join(folder, 'node_modules/@holdfast/sidecar'))
  return (typeof bin === 'string' ? bin : bin?.['holdfast']) ?? 'bin/holdfast.js'
}

function run(command: readonly string[], cwd: string, what: string): Promise<readonly string[]> {
  const PATH = `${join(root, 'node_modules/.bin')}:${env['PATH'] ?? ''}`
  const author = { GIT_AUTHOR_NAME: 'author', GIT_AUTHOR_EMAIL: 'author@example.org' }
  const committer = { GIT_COMMITTER_NAME: 'author', GIT_COMMITTER_EMAIL: 'author@example.org' }
  const variables = { PATH, NODE_TEST_CONTEXT: undefined, ...author, ...committer }
  return tryProgram(command, { cwd, title: `new plugin: ${what}`, env: variables })
}
