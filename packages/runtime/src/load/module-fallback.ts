import { existsSync } from 'node:fs'
import { createRequire, type ResolveFnOutput, type ResolveHookContext } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

type Resolve = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput

const bundled = new Map<string, string>()

/**
 * Names modules that every file may import although it can't find them itself: a hook in a ConfigMap has no
 * `node_modules` beside it. What a file can find itself comes first; two copies understand each other.
 *
 * @param modules - specifier → file URL: `{ '@holdfast/sdk': import.meta.resolve('@holdfast/sdk') }`
 */
export function provideModules(modules: Readonly<Record<string, string>>): void {
  for (const [specifier, url] of Object.entries(modules)) bundled.set(specifier, url)
}

/** The modules of {@link provideModules} that a file gets, because it can't find its own: specifier → file URL. */
export function providedTo(file: string): ReadonlyMap<string, string> {
  const { resolve } = createRequire(file)
  const found = [...bundled].filter(([specifier, url]) => {
    try {
      return pathToFileURL(resolve(specifier)).href === url
    } catch {
      return true
    }
  })
  return new Map(found)
}

/** Resolves as Node does, then as TypeScript authors expect, then to a module that the app brings along. */
export function resolveWithFallback(specifier: string, context: ResolveHookContext, next: Resolve): ResolveFnOutput {
  try {
    return next(specifier, context)
  } catch (error) {
    const url = bundled.get(specifier)
    if (url !== undefined) return { url, shortCircuit: true }
    const file = isRelative(specifier) ? sourceFile(specifier, context.parentURL) : undefined
    if (file !== undefined) return next(file, context)
    throw Object.assign(error as Error, { specifier, importer: context.parentURL })
  }
}

/** Whether a specifier names a file of the user's, not a package. */
export function isRelative(specifier: string): boolean {
  return /^(?:\.{0,2}\/|file:)/.test(specifier)
}

// `./lib` and `./lib.js` where there is a lib.ts, `./hooks` where there is a hooks/index.ts.
function sourceFile(specifier: string, parent: string | undefined): string | undefined {
  if (parent === undefined || !parent.startsWith('file:')) return undefined
  const url = new URL(specifier, parent).href
  const candidates = [
    url.replace(/\.([cm]?)js$/, '.$1ts'),
    ...['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js'].map((ending) => url + ending),
  ]
  return candidates.find((candidate) => candidate !== url && existsSync(fileURLToPath(candidate)))
}
