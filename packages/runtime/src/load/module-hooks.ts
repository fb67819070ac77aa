import { readFileSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isRelative, resolveWithFallback } from './module-fallback.ts'

// Every load of a configuration is a generation, and its number is in the URL of every file of the user's that is
// loaded for it: a changed file is new code, also one that another file imports, because no two generations share a URL.
const parameter = 'holdfast'
const entry = 'holdfast-entry:'

const generations = new Map<number, Set<string>>()
let last = 0
let isRegistered = false

/** What belongs to one load of a configuration. */
export interface Generation {
  /** Files of the user's that were loaded, the ones they import among them; packages are left out. */
  readonly files: Set<string>
  /**
   * A URL that, when imported, gives what `specifier` means in the file `from`: relative to it, or a package beside it.
   */
  entryURL(specifier: string, from: string): string
}

/** Begins a generation; the hooks stay registered from the first file on. */
export function beginGeneration(): Generation {
  last += 1
  const generation = last
  const files = new Set<string>()
  generations.set(generation, files)
  return {
    files,
    entryURL(specifier, from) {
      // Not before there is something to load: where code is loaded by a test runner's own loader, as in jest, Node's refuses.
      if (!isRegistered) registerHooks({ resolve, load })
      isRegistered = true
      return entry + encodeURIComponent(JSON.stringify({ generation, specifier, from }))
    },
  }
}

const resolve: Parameters<typeof registerHooks>[0]['resolve'] = (specifier, context, next) => {
  if (specifier.startsWith(entry)) {
    const {
      generation,
      specifier: wanted,
      from,
    } = JSON.parse(decodeURIComponent(specifier.slice(entry.length))) as {
      readonly generation: number
      readonly specifier: string
      readonly from: string
    }
    const parentURL = pathToFileURL(from).href
    return mark(generation, wanted, resolveWithFallback(wanted, { ...context, parentURL }, next))
  }
  return mark(generationOf(context.parentURL), specifier, resolveWithFallback(specifier, context, next))
}

function mark<Resolved extends { readonly url: string; readonly format?: string | null | undefined }>(
  generation: number | undefined,
  specifier: string,
  resolved: Resolved,
): Resolved {
  if (generation === undefined || !isRelative(specifier) || !resolved.url.startsWith('file:')) return resolved
  const file = fileURLToPath(resolved.url)
  generations.get(generation)?.add(file)
  const url = `${resolved.url.replace(/\?.*$/, '')}?${parameter}=${generation}`
  const unsure = resolved.format?.startsWith('commonjs') ?? true
  return { ...resolved, url, format: (unsure ? moduleFormat(file) : undefined) ?? resolved.format }
}

// Without a package.json that says so, Node guesses by parsing twice, and warns. With one that says "commonjs", as `npm
// init` writes it, Node refuses; but a file with imports and exports can be nothing but a module.
function moduleFormat(file: string): string | undefined {
  const format = { '.ts': 'module-typescript', '.js': 'module' }[extname(file)]
  return format !== undefined && /^\s*(?:import[\s'"{*]|export[\s{*])/m.test(readFileSync(file, 'utf8'))
    ? format
    : undefined
}

const load: Parameters<typeof registerHooks>[0]['load'] = (url, context, next) => {
  const loaded = next(url, context)
  // What is required, here or by another file, is what it is.
  const isRequired = context.conditions.includes('require')
  if (isRequired || generationOf(url) === undefined || !loaded.format?.startsWith('commonjs')) return loaded
  // CommonJS is cached by file name, whatever the URL says: so it is required, and its cache emptied (see `forget`).
  const source = `import { createRequire } from 'node:module'
    const exports = createRequire(import.meta.url)(${JSON.stringify(fileURLToPath(url))})
    export { exports as 'module.exports' }
    export default exports?.__esModule ? exports.default : exports`
  return { format: 'module', source, shortCircuit: true }
}

function generationOf(url: string | undefined): number | undefined {
  if (url === undefined || !url.startsWith('file:') || !url.includes(`?${parameter}=`)) return undefined
  return Number(new URL(url).searchParams.get(parameter))
}

const { cache } = createRequire(import.meta.url)

/** The files that CommonJS has loaded, packages left out. */
export function commonJsFiles(): string[] {
  return Object.keys(cache).filter((file) => !file.includes('/node_modules/'))
}

/** Makes CommonJS load files anew. */
export function forget(files: Iterable<string>): void {
  for (const file of files) delete cache[file]
}
