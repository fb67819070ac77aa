// Node's own `import()`, whatever a bundler or a test runner makes of the one in our files: only it runs the resolve
// hooks, strips types as Node does, and fails with Node's error codes.
type Import = (url: string) => Promise<Record<string, unknown>>

const source = 'data:text/javascript,export const load = (url) => import(url)'
let load: Import | undefined

/** Imports a module by its URL. */
export async function nativeImport(url: string): Promise<Record<string, unknown>> {
  load ??= ((await import(source)) as { readonly load: Import }).load
  return load(url)
}
