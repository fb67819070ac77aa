import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { kubernetesTool, type KubernetesTool } from '../../../scripts/kubernetes-tools.ts'
import { root } from '../../../scripts/workspaces.ts'

/** The chart. */
export const chart = join(root, 'charts/holdfast')

// Fetched before the first test, which has less time.
await kubernetesTool('helm')

/** A Kubernetes object. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  // What a test looks for in an object, it knows.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [field: string]: any
}

/** What Helm made of values. */
export interface Rendered {
  readonly text: string
  /** What the release consists of. */
  readonly manifests: readonly Manifest[]
  /** What is there only while it is uninstalled. */
  readonly hooks: readonly Manifest[]
  /** The only object of a kind in the release, or the one of that name. */
  one(kind: string, name?: string): Manifest
  all(kind: string): readonly Manifest[]
}

/** Options of {@link render}. */
export interface RenderOptions {
  readonly release?: string
  readonly namespace?: string
  /** Default: ours. */
  readonly chart?: string
}

/** Values, as a user has them in a file. */
export type GivenValues = Readonly<Record<string, unknown>>

const rendered = new Map<string, Promise<Rendered>>()

/** `helm template` with values; an error of Helm's is the rejection's message. */
export function render(values: GivenValues, options: RenderOptions = {}): Promise<Rendered> {
  // Many tests begin with the same values.
  const key = JSON.stringify([values, options])
  const result = rendered.get(key) ?? renderAnew(values, options)
  rendered.set(key, result)
  return result
}

async function renderAnew(values: GivenValues, options: RenderOptions): Promise<Rendered> {
  const { release = 'shop', namespace = 'shop', chart: path = chart } = options
  const text = await helm(['template', release, path, '--namespace', namespace, '--values', '-'], values)
  const documents = parseAllDocuments(text)
  const objects = documents
    .map((document) => {
      if (document.errors[0]) throw document.errors[0]
      return document.toJS() as Manifest | null
    })
    .filter((object) => object !== null)
  const isHook = ({ metadata }: Manifest): boolean => metadata.annotations?.['helm.sh/hook'] !== undefined
  const manifests = objects.filter((object) => !isHook(object))
  const all = (kind: string): readonly Manifest[] => manifests.filter((manifest) => manifest.kind === kind)
  return {
    text,
    manifests,
    hooks: objects.filter(isHook),
    all,
    one(kind, name) {
      const [found, ...others] = all(kind).filter(({ metadata }) => name === undefined || metadata.name === name)
      if (!found || others.length > 0) throw new Error(`there are ${others.length + (found ? 1 : 0)} of ${kind}`)
      return found
    },
  }
}

/** What Helm says when it refuses values; empty when it takes them. */
export async function refusal(values: GivenValues): Promise<string> {
  try {
    await render(values)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

/** What is shown after an install. */
export async function notes(values: GivenValues): Promise<string> {
  const options = ['--namespace', 'shop', '--dry-run=client', '--values', '-']
  const text = await helm(['install', 'shop', chart, ...options], values)
  return text.slice(text.indexOf('\nNOTES:\n') + '\nNOTES:\n'.length)
}

/** Runs Helm, with values on its standard input. */
export function helm(args: readonly string[], values: GivenValues = {}): Promise<string> {
  return run('helm', args, JSON.stringify(values))
}

/** Runs a program that has no cluster. What it says when it fails is the rejection's message. */
export async function run(tool: KubernetesTool, args: readonly string[], input: string): Promise<string> {
  const program = await kubernetesTool(tool)
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, KUBECONFIG: '/dev/null' }, timeout: 30_000, maxBuffer: 16 * 1024 * 1024 }
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr.trim() || error.message, { cause: error }))
      else resolve(stdout)
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}
