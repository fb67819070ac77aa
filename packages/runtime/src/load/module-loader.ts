import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { systemClock, type RuntimeClock } from '../clock.ts'
import { providedTo } from './module-fallback.ts'
import { beginGeneration, commonJsFiles, forget } from './module-hooks.ts'
import { nativeImport } from './native-import.ts'

/** Loads modules for one configuration. Each loader sees the files as they are now, whatever was loaded before. */
export interface ModuleLoader {
  /**
   * Imports what `specifier` means in the file `from`. Where Node refuses TypeScript that needs code of its own (enums,
   * parameter properties, namespaces, or any in node_modules), jiti compiles the file and what it imports.
   *
   * @throws what the module throws, Node's errors, or an `Error` when it takes longer than 30 s
   */
  import(specifier: string, from: string): Promise<Record<string, unknown>>
  /** Files of the user's that were loaded, packages left out. */
  readonly files: ReadonlySet<string>
  /** What they export: value → file and export name. */
  exported(): Promise<ReadonlyMap<unknown, ExportedAs>>
}

/** Where a value was exported. */
export interface ExportedAs {
  readonly file: string
  readonly name: string
}

// A top-level await may never settle.
const limit = 30_000

const refusals = new Set([
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
])

// CommonJS, and with it jiti, caches by file name: what an earlier loader loaded is forgotten.
const loadedBefore = new Set<string>()

/** Begins loading anew. */
export function createModuleLoader(clock: Pick<RuntimeClock, 'setTimer'> = systemClock): ModuleLoader {
  forget(loadedBefore)
  const generation = beginGeneration()
  const { files } = generation
  const compiled = new Set<string>()

  async function compile(specifier: string, from: string): Promise<Record<string, unknown>> {
    const { createJiti } = await import('jiti')
    const before = new Set(commonJsFiles())
    const provided = [...providedTo(from)].map(async ([name, url]) => [name, await nativeImport(url)] as const)
    const virtualModules = Object.fromEntries(await Promise.all(provided))
    try {
      // Nothing is written: the file system may be read-only, and another user's cache is no place for code.
      const jiti = createJiti(from, { fsCache: false, interopDefault: false, virtualModules })
      return await jiti.import(specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier)
    } finally {
      for (const file of commonJsFiles()) if (!before.has(file)) compiled.add(file)
    }
  }

  async function importNow(specifier: string, from: string): Promise<Record<string, unknown>> {
    // Also when it isn't there: its appearing is a change.
    if (specifier.startsWith('file:')) files.add(fileURLToPath(specifier))
    const before = new Set(commonJsFiles())
    try {
      return await nativeImport(generation.entryURL(specifier, from))
    } catch (error) {
      if (!refusals.has((error as NodeJS.ErrnoException | undefined)?.code ?? '')) throw error
      return await compile(specifier, from)
    } finally {
      for (const file of commonJsFiles()) if (!before.has(file)) files.add(file)
      for (const file of files) loadedBefore.add(file)
    }
  }

  async function exported(): Promise<ReadonlyMap<unknown, ExportedAs>> {
    const found = new Map<unknown, ExportedAs>()
    for (const file of files) {
      // Loaded already: this only asks for the exports. What can't be asked (JSON) exports nothing of interest.
      const exports: unknown = compiled.has(file)
        ? createRequire(file).cache[file]?.exports
        : await nativeImport(generation.entryURL(pathToFileURL(file).href, file)).catch(() => ({}))
      for (const [name, value] of Object.entries(Object(exports) as Record<string, unknown>)) {
        // A hook's own file comes before one that hands it on.
        if (!found.has(value) || name === 'default') found.set(value, { file, name })
      }
    }
    return found
  }

  return {
    files,
    import: (specifier, from) => inTime(clock, importNow(specifier, from)),
    exported: () => inTime(clock, exported()),
  }
}

async function inTime<T>(clock: Pick<RuntimeClock, 'setTimer'>, work: Promise<T>): Promise<T> {
  let cancel: (() => void) | undefined
  const late = new Promise<never>((_, reject) => {
    cancel = clock.setTimer(limit, () => reject(new Error(`it did not finish loading within ${limit / 1000} s`)))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    cancel?.()
  }
}
