// Begins a plugin as its author would, in a clean folder, from the packed tarballs: it has to build, type-check with each
// supported TypeScript, and pass its tests. Part of `npm run check:packages`.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { root } from './workspaces.ts'

const compilers = ['typescript', 'ts7'] as const
const resolutions = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
] as const

/**
 * What the author of a new plugin would trip over, one line each.
 *
 * @param folder - outside of the repository, with the unpacked tarballs in its node_modules
 */
export function findScaffoldProblems(folder: string): readonly string[] {
  const bin = join(folder, 'node_modules/create-holdfast-plugin/bin/create-holdfast-plugin.js')
  const plugin = join(folder, 'holdfast-plugin-tried')
  const created = node([bin, 'tried'], folder, 'npm create holdfast-plugin')
  if (created.length > 0) return created
  const tsc = (compiler: string): string => join(root, 'node_modules', compiler, 'bin/tsc')
  const types = compilers.flatMap((compiler) =>
    resolutions.flatMap((resolution) => {
      const project = join(plugin, `tsconfig.${compiler}.${resolution.moduleResolution}.json`)
      const compilerOptions = { ...resolution, skipLibCheck: false }
      writeFileSync(project, JSON.stringify({ extends: './tsconfig.json', compilerOptions }))
      return node([tsc(compiler), '-p', project], plugin, `types with ${compiler}, ${resolution.moduleResolution}`)
    }),
  )
  return [
    ...types,
    ...node([tsc('typescript'), '-p', 'tsconfig.build.json'], plugin, 'build'),
    ...node(['--test', 'test/*.test.ts'], plugin, 'tests'),
    ...loadBuilt(folder, plugin),
  ]
}

/** The package that it is, as a configuration loads it. */
function loadBuilt(folder: string, plugin: string): readonly string[] {
  const { name, exports } = JSON.parse(readFileSync(join(plugin, 'package.json'), 'utf8')) as {
    readonly name: string
    readonly exports: { readonly '.': { readonly default: string } }
  }
  const use = join(folder, 'use')
  mkdirSync(use, { recursive: true })
  const built = JSON.stringify(join(plugin, exports['.'].default))
  const code = `
    import { createTestRun } from '@holdfast/testing'
    const { tried } = await import(${built})
    await using run = await createTestRun({ use: [tried({ path: ${JSON.stringify(use)} })] })
    const { outcome } = await run.run()
    if (outcome.status !== 'succeeded') throw new Error(JSON.stringify(outcome))
  `
  writeFileSync(join(use, 'use.mjs'), code)
  return node(['use.mjs'], use, `a run with the built ${name}`)
}

function node(args: readonly string[], cwd: string, title: string): readonly string[] {
  const { status, stdout, stderr } = spawnSync(execPath, args, { cwd, encoding: 'utf8' })
  return status === 0 ? [] : [`new plugin: ${title}:\n${stdout}${stderr}`]
}
