// The process that is killed, as one file that starts fast: it starts once for each kill.
import { join } from 'node:path'
import { build } from 'esbuild'

/** Writes it to a directory. @param entry - its source, in this directory. @returns what to start it with */
export async function buildProgram(
  directory: string,
  entry = 'process.ts',
): Promise<{ readonly program: string; readonly env: NodeJS.ProcessEnv }> {
  const program = join(directory, 'process.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, entry)],
    outfile: program,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@holdfast/source'],
    external: ['jiti'],
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    plugins: [
      {
        // As in the bundle that is shipped: see tsup.config.ts.
        name: 'lazy-builtins',
        setup(setup) {
          setup.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
            kind === 'import-statement' ? { path, namespace: 'builtin' } : { path, external: true },
          )
          setup.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
            contents: `module.exports = require(${JSON.stringify(path)})`,
          }))
        },
      },
    ],
  })
  return { program, env: { ...process.env, NODE_COMPILE_CACHE: join(directory, 'compiled') } }
}
