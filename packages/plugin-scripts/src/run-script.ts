import { constants, tmpdir } from 'node:os'
import { statSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  formatDuration,
  isHoldfastError,
  parseDuration,
  type Bytes,
  type HoldfastFailure,
  type ServiceContext,
} from '@holdfast/sdk'
import type { ScriptsConfig } from './config.ts'
import { fingerprintOf, isRemembered } from './discover.ts'
import type { ScriptEnvironment, Surroundings } from './environment.ts'
import { errors } from './errors.ts'
import { missingForInstalling } from './installing.ts'
import type { RunnableFile } from './script.ts'

/** What running a script needs of any context. */
export type ScriptContext = Pick<ServiceContext<ScriptsConfig>, 'config' | 'exec' | 'log' | 'signal' | 'workspace'>

/** One call of a script. */
export interface ScriptCall {
  readonly file: RunnableFile
  readonly surroundings: Surroundings
  /** For this call alone. */
  readonly env?: ScriptEnvironment | undefined
  /** After the path, which is always the first word. */
  readonly arguments?: readonly string[] | undefined
  /** Default: nothing to read. */
  readonly stdin?: Bytes | undefined
}

/**
 * Runs a script: no shell, its output to the run's. It runs under the path at which it was found; if the file there is
 * not the one that the run began with any more, the remembered one runs from a private directory.
 *
 * @throws HoldfastError `SCRIPT_FAILED`, `SCRIPT_TIMEOUT`, `SCRIPT_GONE`, or `EXEC_…` when it could not be started
 */
export async function runScript(ctx: ScriptContext, call: ScriptCall): Promise<void> {
  const { file } = call
  ctx.log.info(`Starting '${file.path}'`, { script: file.path })
  if (isUnchanged(file)) return execute(ctx, call, file.executable ? [file.path] : [...file.interpreter, file.path])
  if (!isRemembered(file)) throw errors.SCRIPT_GONE({ script: file.path })
  ctx.log.warn(`'${file.path}' was changed or removed since the run began: the run goes on with the one it began with`)
  return runRemembered(ctx, call)
}

/** At once: handing it to a thread costs ten times as much, and starting a command waits for the same file system. */
function isUnchanged({ path, fingerprint }: RunnableFile): boolean {
  try {
    return fingerprintOf(statSync(path)) === fingerprint
  } catch {
    return false
  }
}

/** Runs a script from its remembered bytes, in a private directory, whatever is at its path by now. */
export async function runRemembered(ctx: ScriptContext, call: ScriptCall): Promise<void> {
  const { file } = call
  const copy = await makeCopy(ctx, file)
  try {
    // By its interpreter, because the private directory may be mounted without the right to execute.
    await execute(ctx, call, [...file.interpreter, copy.path])
  } finally {
    await copy.remove()
  }
}

interface Copy {
  readonly path: string
  remove(): Promise<void>
}

/** In the workspace; where that takes no file any more, elsewhere: what is frozen must not wait until a disk has room. */
async function makeCopy(ctx: ScriptContext, file: RunnableFile): Promise<Copy> {
  try {
    const directory = join(await ctx.workspace(), 'scripts')
    await mkdir(directory, { recursive: true, mode: 0o700 })
    // It goes with the workspace.
    return { path: await writeCopy(directory, file), remove: async () => {} }
  } catch (error) {
    ctx.log.warn(`'${file.path}' can't be copied into the state directory, and is copied to ${tmpdir()}`, { error })
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-'))
    const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
    try {
      return { path: await writeCopy(directory, file), remove }
    } catch (again) {
      await remove()
      throw again
    }
  }
}

async function writeCopy(directory: string, { name, bytes }: RunnableFile): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, bytes, { mode: 0o700 })
  return path
}

async function execute(ctx: ScriptContext, call: ScriptCall, command: readonly string[]): Promise<void> {
  const { file, surroundings, stdin } = call
  const { timeout } = ctx.config
  const [program, ...rest] = [...command, ...(call.arguments ?? [])]
  try {
    await ctx.exec.local({
      command: [program ?? file.path, ...rest],
      env: { ...surroundings.env, ...call.env },
      cwd: surroundings.home,
      stdout: 'log',
      stderr: 'log',
      stdin,
      timeout,
      signal: ctx.signal,
    })
  } catch (error) {
    // Told to stop: that is the reason, not what became of the script.
    if (ctx.signal.aborted || !isHoldfastError(error)) throw error
    const script = file.path
    if (error.code === 'EXEC_TIMEOUT' && timeout !== undefined) {
      throw errors.SCRIPT_TIMEOUT({ script, after: formatDuration(parseDuration(timeout)) }, { cause: error })
    }
    const exitCode = exitCodeOf(error)
    if (exitCode === undefined) throw error
    const { signal } = error.details
    const missing = surroundings.env.HOLDFAST_HOOK === 'install_dependencies' ? missingForInstalling() : undefined
    throw errors.SCRIPT_FAILED(
      { script, exitCode, ...(missing !== undefined && { missing }) },
      { cause: error, details: typeof signal === 'string' ? { signal } : {} },
    )
  }
}

/** A script's end as one number: its exit code, or the negative number of the signal that ended it. */
function exitCodeOf({ code, details }: HoldfastFailure): number | undefined {
  if (code === 'EXEC_FAILED' && typeof details.exitCode === 'number') return details.exitCode
  if (code !== 'EXEC_SIGNAL' || typeof details.signal !== 'string') return undefined
  return -(constants.signals[details.signal as NodeJS.Signals] ?? 0)
}
