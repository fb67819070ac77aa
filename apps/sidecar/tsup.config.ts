import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { defineConfig, type Options } from 'tsup'
import { awsEntry, awsForPods } from './bundle/aws-sdk.ts'
import { apart, mongodbEntry } from './bundle/apart.ts'
import { leanNodemailer, mailerEntry } from './bundle/nodemailer.ts'

// As the runtime sees them: yaml and zod are dependencies of its own.
const require = createRequire(createRequire(import.meta.url).resolve('@holdfast/runtime/package.json'))
const folderOf = (name: string): string => dirname(require.resolve(`${name}/package.json`))

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/**
 * Node's own modules, without their ESM faces: those read every export of a module when it is imported, getters too. That
 * of node:http loads all of undici for its WebSocket, that of node:crypto all of WebCrypto: 60 ms and 14 MB for nothing.
 * As ES modules all the same: of a CommonJS module, each file that imports it would get a copy, with a getter for each
 * name, 2 MB of them.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin', sideEffects: false } : { path, external: true },
    )
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const names = Object.keys(require(path) as object).filter((name) => /^[a-zA-Z_]\w*$/.test(name))
      const module = `require(${JSON.stringify(path)})`
      if (onDemand.has(path)) {
        return {
          contents: `module.exports = { ${names.map((name) => `get ${name}() { return ${module}.${name} }`).join(', ')} }`,
        }
      }
      const exported = names.map((name) => `export const ${name} = /* @__PURE__ */ (() => module.${name})()`)
      return { contents: [`const module = ${module}`, 'export default module', ...exported].join('\n') }
    })
  },
}
/** Loaded when something of them is used for the first time: a daemon at rest does without. */
const onDemand: ReadonlySet<string> = new Set(['node:http', 'node:https', 'node:tls'])

/**
 * Of Kubernetes' client only how a kubeconfig is read and how one logs in. Requests we send ourselves: so its models of the
 * whole API, and the HTTP client that only they use, stay out. They would be nine tenths of it.
 */
const kubeconfigOnly: Plugin = {
  name: 'kubeconfig-only',
  setup(build) {
    build.onResolve({ filter: /^(undici|\.\/gen\/index\.js)$/ }, ({ path, importer }) =>
      importer.endsWith(join('@kubernetes', 'client-node', 'dist', 'config.js'))
        ? { path, namespace: 'not-needed' }
        : undefined,
    )
    build.onLoad({ filter: /.*/, namespace: 'not-needed' }, ({ path }) => ({
      contents: unneeded[path]?.map((name) => `export const ${name} = undefined`).join('\n'),
    }))
  },
}
const unneeded: Readonly<Record<string, readonly string[]>> = {
  undici: ['Agent', 'ProxyAgent'],
  './gen/index.js': ['createConfiguration', 'ServerConfiguration'],
}

/**
 * Of MongoDB's driver what asks a server a few questions: half of it. Node's own URL takes the place of a copy of it with all of
 * Unicode's domain names; encryption in the client, GridFS and writes in bulk are left out, and so is what its users install
 * beside it for logins and compressions of their own.
 */
const leanMongodb: Plugin = {
  name: 'lean-mongodb',
  setup(build) {
    const isDriver = (importer: string): boolean =>
      /[\\/]node_modules[\\/]mongodb(-connection-string-url)?[\\/]/.test(importer)
    build.onResolve({ filter: /^whatwg-url$/ }, ({ path, importer }) =>
      isDriver(importer) ? { path, namespace: 'node-url' } : undefined,
    )
    build.onLoad({ filter: /.*/, namespace: 'node-url' }, () => ({
      contents: 'module.exports = { URL, URLSearchParams }',
    }))
    const unused = /[\\/]mongodb[\\/]lib[\\/](client-side-encryption|gridfs|bulk|operations[\\/]client_bulk_write)[\\/]/
    build.onLoad({ filter: unused }, () => ({ contents: 'module.exports = {}' }))
    // Which says its version to the server, and has a list of everything that it is developed with.
    build.onLoad({ filter: /[\\/]node_modules[\\/]mongodb[\\/]package\.json$/ }, ({ path }) => ({
      contents: JSON.stringify({ version: (require(path) as { readonly version: string }).version }),
      loader: 'json',
    }))
    const beside =
      /^(socks|kerberos|snappy|gcp-metadata|@mongodb-js\/zstd|@aws-sdk\/credential-providers|mongodb-client-encryption)$/
    build.onResolve({ filter: beside }, ({ path, importer }) =>
      isDriver(importer) ? { path, external: true } : undefined,
    )
  },
}

/** Of zod's languages, more than half of it, a hook uses one at most: they are a module of their own, loaded on demand. */
const lazyLocales: Plugin = {
  name: 'lazy-locales',
  setup(build) {
    build.onResolve({ filter: /\/locales\/index\.js$/ }, ({ path }) => ({ path, namespace: 'locales' }))
    build.onResolve({ filter: /^\.\/zod-locales\.cjs$/ }, ({ path }) => ({ path, external: true }))
    build.onLoad({ filter: /.*/, namespace: 'locales' }, () => ({
      contents: Object.keys(require(join(folderOf('zod'), 'v4/locales/index.cjs')) as object)
        .map((name) => `export const ${name} = () => require('./zod-locales.cjs').${name}()`)
        .join('\n'),
    }))
  },
}

const common: Options = {
  format: ['esm'],
  target: 'node22',
  minify: true,
  removeNodeProtocol: false,
  esbuildPlugins: [lazyBuiltins, apart],
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
}

export default defineConfig([
  {
    // One bundle with everything inside: three times faster to start than node_modules (docs/adr/0003-bundle.md). Each
    // command has an entry of its own, and loads only what it needs; sdk, runtime and the plugins are for users'
    // hooks that can't find those packages themselves.
    ...common,
    entry: {
      holdfast: 'src/holdfast.ts',
      fridge: 'src/fridge.ts',
      'make-k8s-cfg-files': 'src/make-k8s-cfg-files.ts',
      'benji-backup-pvc': 'src/benji-backup-pvc.ts',
      'benji-command': 'src/benji-command.ts',
      'benji-restore-pvc': 'src/benji-restore-pvc.ts',
      'benji-versions-status': 'src/benji-versions-status.ts',
      kubeconfig: '../../packages/runtime/src/kubernetes/kubeconfig.ts',
      sdk: '../../packages/sdk/src/index.ts',
      runtime: '../../packages/runtime/src/index.ts',
      'plugin-benji': '../../packages/plugin-benji/src/index.ts',
      'plugin-mongodump': '../../packages/plugin-mongodump/src/index.ts',
      'plugin-scripts': '../../packages/plugin-scripts/src/index.ts',
      'storage-s3': '../../packages/storage-s3/src/index.ts',
    },
    sourcemap: true,
    splitting: true,
    noExternal: [/^(?!jiti$)/],
    external: ['jiti'],
    esbuildOptions(options) {
      // From the sources, module by module: of a package's own bundle, one chunk would carry everything.
      options.conditions = ['@holdfast/source']
      // yaml's build for Node is CommonJS, whose names a bundled import() can't see; its other build is the same as ESM.
      options.alias = { yaml: join(folderOf('yaml'), 'browser/index.js') }
    },
  },
  {
    // By itself, for scripts call it again and again: with the others it would load what `runtime` above has for everybody.
    // CommonJS, because Node's loader for ES modules alone takes 15 ms, and because V8 can keep all of it compiled
    // (bin/compiled.js). Of Node's modules only what is named is looked at: some have getters that load others.
    ...common,
    format: ['cjs'],
    banner: {},
    entry: { kubectlexec: 'src/kubectlexec.ts' },
    splitting: false,
    noExternal: [/^(?!node:)/],
    esbuildOptions(options) {
      options.conditions = ['@holdfast/source']
    },
    esbuildPlugins: [
      {
        name: 'kubeconfig-of-the-other-bundle',
        setup: (build) =>
          build.onResolve({ filter: /\/kubeconfig\.ts$/ }, () => ({ path: './kubeconfig.js', external: true })),
      },
    ],
  },
  // For users' hooks too, but by itself: shared, our own commands would have to load all of it.
  {
    ...common,
    entry: { zod: join(folderOf('zod'), 'index.js') },
    noExternal: [/./],
    esbuildPlugins: [lazyBuiltins, lazyLocales],
  },
  {
    ...common,
    format: ['cjs'],
    banner: {},
    entry: { 'zod-locales': join(folderOf('zod'), 'v4/locales/index.js') },
    splitting: false,
    noExternal: [/./],
  },
  // What a store in S3 needs of the AWS SDK. CommonJS, so that images can keep it compressed.
  {
    ...common,
    format: ['cjs'],
    banner: {},
    entry: { 'aws-s3': awsEntry },
    sourcemap: true,
    splitting: false,
    noExternal: [/./],
    esbuildOptions(options) {
      // Its modules one by one; of its CommonJS nothing could be left out.
      options.conditions = ['module']
      options.mainFields = ['module', 'main']
      // import() would get the ESM faces of Node's modules.
      options.supported = { 'dynamic-import': false }
    },
    esbuildPlugins: [awsForPods],
  },
  // How a kubeconfig is read, likewise.
  {
    ...common,
    format: ['cjs'],
    banner: {},
    entry: { 'kube-config': join(dirname(require.resolve('@kubernetes/client-node')), 'config.js') },
    sourcemap: true,
    splitting: false,
    noExternal: [/./],
    esbuildPlugins: [kubeconfigOnly],
  },
  // What a dump of MongoDB needs of its driver, likewise.
  {
    ...common,
    format: ['cjs'],
    banner: {},
    entry: { mongodb: mongodbEntry },
    sourcemap: true,
    splitting: false,
    noExternal: [/./],
    esbuildPlugins: [leanMongodb],
  },
  // What sends mail, likewise.
  {
    ...common,
    format: ['cjs'],
    banner: {},
    entry: { nodemailer: mailerEntry },
    sourcemap: true,
    splitting: false,
    noExternal: [/./],
    esbuildOptions(options) {
      options.conditions = ['import']
    },
    esbuildPlugins: [leanNodemailer],
  },
])
