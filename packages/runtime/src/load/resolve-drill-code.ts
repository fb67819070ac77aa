import { stat } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import {
  isHoldfastError,
  type Awaitable,
  type DrillCleanupContext,
  type DrillContext,
  type HoldfastError,
  type Permission,
} from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { ResolveContext } from './context.ts'
import { describeExport, describeValue } from './describe-export.ts'
import { displayPath, importModule, isPath, parseReference, pickExport } from './import-module.ts'
import type { Path } from './problems.ts'
import type { ResolvedDrillCode } from './resolved.ts'

/** A script, or a directory of scripts, that looks at what was restored, or cleans it up. */
export interface DrillScripts {
  /** What would keep them from running, all at once. */
  check(): Promise<readonly HoldfastError[]>
  expect(ctx: DrillContext): Promise<void>
  cleanup(ctx: DrillCleanupContext): Promise<void>
  /** What they need from the Kubernetes API. */
  readonly permissions: readonly Permission[]
}

/** Makes them of an absolute path. */
export type DrillScriptsForm = (path: string) => Awaitable<DrillScripts>

/** Code that was found, and what it needs from the Kubernetes API by itself. */
export interface FoundDrillCode<Context> {
  readonly code: ResolvedDrillCode<Context>
  readonly permissions: readonly Permission[]
}

type Call<Context> = (ctx: Context) => unknown
/** What of scripts is called. */
type ScriptCall<Context> = (scripts: DrillScripts) => Call<Context>

const modules: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'])

/**
 * Finds what a drill calls: a function, a module's, a script or a directory of scripts.
 *
 * @param what - `expect` or `cleanup`, for messages
 * @returns `undefined` when there is nothing that could be called, with the reason among the problems
 */
export async function resolveDrillCode<Context>(
  given: unknown,
  path: Path,
  { what, call }: { readonly what: string; readonly call: ScriptCall<Context> },
  context: ResolveContext,
): Promise<FoundDrillCode<Context> | undefined> {
  const { draft, problems, from } = context
  if (typeof given === 'function') {
    const source = draft.exported.get(given)?.file ?? draft.source
    return { code: { source, run: given as Call<Context> }, permissions: [] }
  }
  // A wrong shape has its own problem.
  if (typeof given !== 'string' || given === '') return undefined
  const reference = parseReference(given)
  const file = resolve(dirname(from), given)
  const kind = await kindOf(file)
  const isModule = reference.export !== undefined || modules.has(extname(given)) || (!isPath(given) && kind === 'none')
  if (isModule) return fromModule(given, path, { what }, context)
  const refuse = (reason: string, suggestion?: string): undefined => {
    problems.add(errors.DRILL_CODE_INVALID({ what, code: given, reason, suggestion }), { path })
  }
  if (kind === 'none') return refuse('it is not there')
  if (!isPath(given)) return refuse('a path begins with ./ or /', `Did you mean "./${given}"? `)
  if (context.drillScripts === undefined) return refuse('scripts are not supported here')
  const scripts = await context.drillScripts(file)
  return {
    code: { source: file, run: call(scripts), check: () => scripts.check() },
    permissions: scripts.permissions,
  }
}

async function fromModule<Context>(
  given: string,
  path: Path,
  { what }: { readonly what: string },
  context: ResolveContext,
): Promise<FoundDrillCode<Context> | undefined> {
  const { problems, from } = context
  const reference = parseReference(given)
  const imported = await importModule(reference.module, context)
  if ('error' in imported) {
    problems.add(imported.error, { path, position: imported.position })
    return undefined
  }
  try {
    const name = reference.export
    const value = name === undefined ? imported.exports['default'] : pickExport(imported, name)
    if (typeof value === 'function') {
      return { code: { source: imported.source, run: value as Call<Context> }, permissions: [] }
    }
    const found = name === undefined ? describeExport(imported.exports) : describeValue(value)
    const module = imported.isFile ? displayPath(imported.source, dirname(from)) : imported.source
    problems.add(errors.DRILL_CODE_INVALID({ what, code: module, reason: `it exports ${found}, not a function` }), {
      path,
    })
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    problems.add(error, { path })
  }
  return undefined
}

async function kindOf(path: string): Promise<'there' | 'none'> {
  return stat(path).then(
    () => 'there',
    () => 'none',
  )
}
