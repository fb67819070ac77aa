import { defineConfig } from 'tsup'

// One bundle with everything inside: three times faster to start than node_modules (docs/adr/0003-bundle.md).
export default defineConfig({
  entry: ['src/cli.ts'],
  format: ['esm'],
  target: 'node22',
  sourcemap: true,
  clean: true,
  splitting: true,
  minify: true,
  removeNodeProtocol: false,
  noExternal: [/.*/],
  external: ['jiti'],
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
})
