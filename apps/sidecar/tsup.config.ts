import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { defineConfig } from 'tsup'

const require = createRequire(import.meta.url)

// One bundle with everything inside: three times faster to start than node_modules (docs/adr/0003-bundle.md). Each
// command has an entry of its own, and loads only what it needs; sdk, runtime and plugin-scripts are for users' hooks
// that can't find those packages themselves.
export default defineConfig({
  entry: {
    holdfast: 'src/holdfast.ts',
    fridge: 'src/fridge.ts',
    sdk: '../../packages/sdk/src/index.ts',
    runtime: '../../packages/runtime/src/index.ts',
    'plugin-scripts': '../../packages/plugin-scripts/src/index.ts',
  },
  format: ['esm'],
  target: 'node22',
  sourcemap: true,
  clean: true,
  splitting: true,
  minify: true,
  removeNodeProtocol: false,
  noExternal: [/^(?!jiti$)/],
  external: ['jiti'],
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  esbuildOptions(options) {
    // From the sources, module by module: of a package's own bundle, one chunk would carry everything.
    options.conditions = ['@holdfast/source']
    // yaml's build for Node is CommonJS, whose names a bundled import() can't see; its other build is the same as ESM.
    options.alias = { yaml: join(dirname(require.resolve('yaml/package.json')), 'browser/index.js') }
  },
})
