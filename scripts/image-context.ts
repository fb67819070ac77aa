// Writes the directory from which the sidecar's images are built: everything that npm makes, laid out as the
// Dockerfiles copy it. Needs a build.
//   node scripts/image-context.ts [DIRECTORY]   default: dist-image
//   SOURCE_DATE_EPOCH   the time that all files get, in seconds. Default: that of the last commit
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { argv, env } from 'node:process'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { scriptDirectories } from '../packages/plugin-scripts/src/hooks.ts'
import { renderSbom, type SbomComponent } from './sbom.ts'
import { listBundled } from './third-party-notices.ts'
import { binsOf, readManifest, root } from './workspaces.ts'

/** Where the application is in an image. The Dockerfiles and the commands' links name it. */
export const applicationDirectory = '/app'

/** They are in the context, too, so that it needs nothing else. */
const dockerfiles = ['Dockerfile', 'Dockerfile.alpine', 'Dockerfile.benji', 'Dockerfile.benji-k8s']

/** What marks a directory as one that may be removed and written again. */
const marker = '.image-context'

/** Options of {@link writeImageContext}. */
export interface ImageContextOptions {
  /** The repository. */
  readonly from?: string | undefined
  /** The directory to write. One that isn't empty must be of an earlier call: it is removed first. */
  readonly to: string
  /** What all files are dated. */
  readonly time: Date
  /** Compresses what is packed, which takes seconds at Brotli's best. */
  readonly compress?: ((bytes: Buffer) => Buffer) | undefined
}

/** As small as Brotli can. */
export function compressBest(bytes: Buffer): Buffer {
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
}

/**
 * Writes it. Twice with the same build and time, it is the same, byte for byte.
 *
 * @throws Error when there is no build, or something else in that directory
 */
export function writeImageContext({ from = root, to, time, compress = compressBest }: ImageContextOptions): void {
  const source = join(from, 'apps/sidecar')
  if (!existsSync(join(source, 'dist/holdfast.js'))) {
    throw new Error(`${join(source, 'dist')} is not built: npm run build`)
  }
  clear(to)
  const app = join(to, 'app')
  copyApplication(source, app)
  for (const name of ['zod-locales.cjs', 'aws-s3.cjs', 'kube-config.cjs', 'mongodb.cjs', 'nodemailer.cjs']) {
    const module = join(app, 'dist', name)
    if (existsSync(module)) pack(module, compress)
  }
  copyFileSync(join(from, 'NOTICE'), join(app, 'NOTICE'))
  const installed = copyDependencies({ from, source, app, compress })
  const components = [...listBundled(join(source, 'dist')), ...installed]
  writeFileSync(join(app, 'sbom.cdx.json'), renderSbom(readManifest(source), components))
  for (const name of dockerfiles) copyFileSync(join(source, name), join(to, name))
  for (const part of ['build', 'debian', 'benji'])
    cpSync(join(source, 'image', part), join(to, part), { recursive: true, verbatimSymlinks: true })
  writeRoot(source, join(to, 'rootfs'))
  settle(to, time)
}

function clear(to: string): void {
  if (existsSync(to) && readdirSync(to).length > 0 && !existsSync(join(to, marker))) {
    throw new Error(`${to} has something else in it: name a directory that is empty or not there`)
  }
  rmSync(to, { recursive: true, force: true })
  mkdirSync(join(to, 'app'), { recursive: true })
  writeFileSync(join(to, marker), 'Written by npm run image:context, which removes it and writes it again.\n')
}

/** What npm would publish, without what only debuggers read. */
function copyApplication(source: string, app: string): void {
  for (const name of ['bin', 'dist']) {
    cpSync(join(source, name), join(app, name), {
      recursive: true,
      filter: (path) => !path.endsWith('.map') && relative(source, path) !== 'dist/.cache',
    })
  }
  for (const name of ['package.json', 'LICENSE']) copyFileSync(join(source, name), join(app, name))
  // 150 kB of licences: as Debian packs what is long in /usr/share/doc. The header has no time in it.
  const notices = 'THIRD_PARTY_NOTICES.md'
  writeFileSync(join(app, `${notices}.gz`), gzipSync(readFileSync(join(source, notices)), { level: 9 }))
}

/** What stays outside of the bundle. */
function copyDependencies({
  from,
  source,
  app,
  compress,
}: Record<'from' | 'source' | 'app', string> & { compress(bytes: Buffer): Buffer }): readonly SbomComponent[] {
  return Object.keys(readManifest(source).dependencies ?? {}).map((name) => {
    const installed = [source, from]
      .map((folder) => join(folder, 'node_modules', name))
      .find((path) => existsSync(path))
    if (installed === undefined) throw new Error(`${name} is not installed: npm ci`)
    const { dependencies = {}, ...manifest } = readManifest(installed)
    const own = Object.keys(dependencies)
    if (own.length > 0) throw new Error(`${name} needs ${own.join(', ')}, which images don't get: bundle it`)
    cpSync(installed, join(app, 'node_modules', name), {
      recursive: true,
      dereference: true,
      filter: (path) => !/\/(README\.md|[^/]*\.d\.[cm]?ts)$/.test(path),
    })
    // For TypeScript with more than types, which few configurations have.
    if (name === 'jiti')
      for (const part of ['jiti', 'babel']) pack(join(app, `node_modules/jiti/dist/${part}.cjs`), compress)
    return manifest
  })
}

/** Compresses a CommonJS module, which then unpacks itself when it is loaded: for what is large and seldom needed. */
function pack(module: string, compress: (bytes: Buffer) => Buffer): void {
  writeFileSync(`${module}.br`, compress(readFileSync(module)))
  writeFileSync(
    module,
    `// ${basename(module)}.br is this module, compressed by npm run image:context.
const packed = require('node:fs').readFileSync(__filename + '.br')
module._compile(require('node:zlib').brotliDecompressSync(packed).toString(), __filename)
`,
  )
}

/** Every command is on the PATH, and everything that people mount something at is there. */
function writeRoot(source: string, rootfs: string): void {
  const commands = join(rootfs, 'usr/local/bin')
  mkdirSync(commands, { recursive: true })
  for (const [name, file] of Object.entries(binsOf(readManifest(source)))) {
    symlinkSync(`${applicationDirectory}/${file}`, join(commands, name))
  }
  for (const directory of scriptDirectories) mkdirSync(join(rootfs, 'scripts', directory), { recursive: true })
  mkdirSync(join(rootfs, 'secrets'))
}

/** Modes and times don't depend on who builds, when and where. */
function settle(to: string, time: Date): void {
  const paths = readdirSync(to, { recursive: true, encoding: 'utf8' }).map((path) => join(to, path))
  for (const path of paths) {
    const found = lstatSync(path)
    if (!found.isSymbolicLink()) chmodSync(path, (found.mode & 0o111) === 0 ? 0o644 : 0o755)
    lutimesSync(path, time, time)
  }
}

/** `SOURCE_DATE_EPOCH`, else the time of the last commit. */
function sourceDate(): Date {
  const given = env['SOURCE_DATE_EPOCH']
  const seconds = given ?? execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' })
  const time = new Date(Number(seconds) * 1000)
  if (!(time.getTime() >= 0)) throw new Error(`SOURCE_DATE_EPOCH is ${given}, which is no number of seconds`)
  return time
}

if (import.meta.filename === argv[1]) {
  const to = resolve(argv[2] ?? join(root, 'dist-image'))
  try {
    writeImageContext({ to, time: sourceDate() })
    console.log(`${to} is ready: docker build ${relative(process.cwd(), to)}`)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
