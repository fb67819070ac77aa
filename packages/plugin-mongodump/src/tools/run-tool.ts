import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createSecret,
  isHoldfastError,
  type Bytes,
  type Duration,
  type ExecRequest,
  type ServiceContext,
  type Sink,
} from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { describePlace, type Place } from '../place.ts'
import { toolScript } from './container-script.ts'

/** What running a tool needs of any context. */
export type ToolContext = Pick<ServiceContext<unknown>, 'exec' | 'signal' | 'log' | 'workspace'>

/** A call of mongodump or mongorestore. */
export interface ToolCall {
  readonly place: Place
  /** The program, with leading arguments. */
  readonly program: readonly [string, ...string[]]
  readonly args: readonly string[]
  /** The connection string. Without one, no configuration is handed over. */
  readonly uri?: string | undefined
  readonly stdin?: Bytes | undefined
  readonly stdout?: Sink | undefined
  /** Hears each line of standard error, which goes nowhere else. */
  readonly onLine?: ((line: string) => void) | undefined
  /** Default: none beyond the hook's own. */
  readonly timeout?: Duration | undefined
}

/** What comes of it when a tool ended well. */
export interface ToolResult {
  /** Unless there was a sink. */
  readonly stdout: string
}

const nowhere: Sink = { write: async () => {} }

/**
 * Runs a tool of MongoDB. The connection string is never an argument: here it is a file of mode 0600 in the workspace, in a
 * container a descriptor.
 *
 * In a container, `integrity` is `status`: that the end has arrived is proven, and an archive carries sums of its own, which
 * are checked. `sha256` would take three times as long.
 *
 * @throws HoldfastError `MONGODUMP_MISSING`, `EXEC_…`
 */
export async function runTool(ctx: ToolContext, call: ToolCall): Promise<ToolResult> {
  const { place, program, args, uri, stdin, stdout, onLine, timeout } = call
  const request: Omit<ExecRequest, 'command'> = {
    stdin,
    stdout: stdout ?? 'text',
    stderr: nowhere,
    onLine: onLine && ((line, from) => from === 'stderr' && onLine(line)),
    timeout,
    signal: ctx.signal,
  }
  try {
    if (place.kind === 'local') return await runHere(ctx, request, program, args, uri)
    const env: ExecRequest['env'] = uri === undefined ? {} : { HOLDFAST_MONGODB_CONFIG: createSecret(configOf(uri)) }
    const command: ExecRequest['command'] =
      uri === undefined ? [...program, ...args] : ['/bin/sh', '-c', toolScript, ...program, ...args]
    return await ctx.exec.container(place.container, { ...request, command, env, integrity: 'status' })
  } catch (error) {
    const reason = whyMissing(error)
    if (reason === undefined) throw error
    throw errors.MONGODUMP_MISSING({ program: program[0], where: describePlace(place), reason }, { cause: error })
  }
}

async function runHere(
  ctx: ToolContext,
  request: Omit<ExecRequest, 'command'>,
  program: readonly [string, ...string[]],
  args: readonly string[],
  uri: string | undefined,
): Promise<ToolResult> {
  if (uri === undefined) return ctx.exec.local({ ...request, command: [...program, ...args] })
  const file = join(await ctx.workspace(), `mongodb-${randomBytes(6).toString('hex')}.yaml`)
  await writeFile(file, configOf(uri), { mode: 0o600, flag: 'wx' })
  try {
    return await ctx.exec.local({ ...request, command: [...program, '--config', file, ...args] })
  } finally {
    await rm(file, { force: true })
  }
}

/** The configuration of MongoDB's tools is YAML, in which a text of JSON is one. */
function configOf(uri: string): string {
  return `uri: ${JSON.stringify(uri)}\n`
}

/** In a container a shell says it, by its exit code. */
function whyMissing(error: unknown): string | undefined {
  if (!isHoldfastError(error)) return undefined
  const { code, details, message } = error
  if (['EXEC_NOT_FOUND', 'EXEC_NOT_EXECUTABLE', 'EXEC_FORMAT'].includes(code)) return message
  const exitCode = code === 'EXEC_FAILED' ? details['exitCode'] : undefined
  if (exitCode === 127) return 'there is no such program'
  return exitCode === 126 ? 'it may not be executed' : undefined
}
