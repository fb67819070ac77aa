import { globSync, readFileSync } from 'node:fs'
import { basename, join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isHoldfastError, type ErrorFactory } from '@holdfast/sdk'
import { listWorkspaces, root } from '../workspaces.ts'

/** One error code, as its catalogue declares it. */
export interface CatalogueEntry {
  readonly code: string
  /** With `<name>` where a parameter goes. */
  readonly message: string
  readonly hint: string
  readonly retryable: boolean
}

/** A package's error catalogue. */
export interface Catalogue {
  /** The package's name. */
  readonly name: string
  readonly folder: string
  readonly entries: readonly CatalogueEntry[]
}

/** The error catalogues of all packages that have one: `src/errors.ts` exporting `errors`. */
export async function readCatalogues(): Promise<readonly Catalogue[]> {
  const catalogues: Catalogue[] = []
  for (const { folder, manifest } of listWorkspaces()) {
    const [file] = globSync('src/errors.ts', { cwd: join(root, folder) })
    if (file === undefined) continue
    const module = (await import(pathToFileURL(join(root, folder, file)).href)) as { readonly errors: object }
    const factories = Object.values(module.errors) as readonly ErrorFactory<unknown>[]
    catalogues.push({ name: manifest.name, folder, entries: factories.map(describe) })
  }
  return catalogues
}

/** The sources of a package but its catalogues, path → text. */
export function readSources(folder: string): ReadonlyMap<string, string> {
  return new Map(
    globSync('src/**/*.ts', { cwd: join(root, folder) })
      .map((file) => file.split(sep).join('/'))
      .filter((file) => basename(file) !== 'errors.ts')
      .map((file) => [`${folder}/${file}`, readFileSync(join(root, folder, file), 'utf8')]),
  )
}

function describe(create: ErrorFactory<unknown>): CatalogueEntry {
  const error = create(parameters)
  if (!isHoldfastError(error)) throw new TypeError(`${create.code} does not make a HoldfastError`)
  // oxlint-disable-next-line typescript/no-unnecessary-type-conversion -- a hint that is nothing but a parameter is a placeholder, no string yet
  const hint = String(error.hint ?? '')
  return { code: create.code, message: error.message, hint, retryable: error.retryable }
}

// Any parameter is a placeholder with its name; whatever a message does with one, the placeholder stays.
const parameters: unknown = new Proxy({}, { get: (_, name) => placeholder(String(name)) })

function placeholder(name: string): unknown {
  const text = `<${name}>`
  return new Proxy(() => text, {
    get: (_, key) => {
      if (key === Symbol.toPrimitive || key === 'toString') return () => text
      if (key === Symbol.iterator) return () => [text][Symbol.iterator]()
      if (key === 'length') return 1
      return placeholder(name)
    },
    apply: () => placeholder(name),
  })
}
