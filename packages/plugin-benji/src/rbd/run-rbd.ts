import {
  formatDuration,
  isHoldfastError,
  parseDuration,
  type Duration,
  type ExecResult,
  type ServiceContext,
  type Sink,
} from '@holdfast/sdk'
import type { BenjiEngine } from '../engine.ts'
import { errors } from '../errors.ts'
import { everyExitCode, lastWords } from '../program.ts'

/** What running `rbd` needs of any context. */
export type RbdContext = Pick<ServiceContext<unknown>, 'exec' | 'signal' | 'log'>

/** One call of `rbd`. */
export interface RbdCall {
  /** `['snap', 'ls']`. */
  readonly command: readonly [string, ...string[]]
  readonly options?: readonly string[] | undefined
  /** `pool/[ns/]image[@snapshot]`. */
  readonly spec: string
  readonly timeout: Duration
  readonly stdout?: Sink | undefined
}

/** What `rbd` says of what isn't there. It exits with 2 for a cluster that it can't reach, too. */
const notFound =
  /error opening (?:image|pool) |namespace '[^']*' does not exist|failed to remove snapshot|failed to create snapshot|error setting snapshot context|diff error/
const noCluster = /couldn't connect|unable to open config|failed to fetch mon|get_monmap/

/**
 * Runs `rbd`.
 *
 * @throws HoldfastError `RBD_…`
 */
export async function runRbd(ctx: RbdContext, engine: BenjiEngine | undefined, call: RbdCall): Promise<ExecResult> {
  const { command, options = [], spec, timeout, stdout } = call
  const what = `rbd ${command.join(' ')} ${spec}`
  const result = await exec(ctx, engine, call, what)
  const { exitCode, stderrTail } = result
  if (exitCode === 0) {
    if (stderrTail.trim() !== '') ctx.log.debug(`${what}: ${lastWords(stderrTail)}`)
    return result
  }
  const said = lastWords(stderrTail)
  const details = {
    exitCode,
    options: [...options],
    ...(stdout === undefined && { timeout: formatDuration(parseDuration(timeout)) }),
  }
  if (exitCode === 2 && notFound.test(stderrTail) && !noCluster.test(stderrTail)) {
    throw errors.RBD_NOT_FOUND({ what, said }, { details })
  }
  if (exitCode > 128) throw errors.RBD_STOPPED({ what, said: `it was killed (${exitCode})` }, { details })
  throw errors.RBD_FAILED({ what, said: said === '' ? `exit code ${exitCode}` : said }, { details })
}

async function exec(
  ctx: RbdContext,
  engine: BenjiEngine | undefined,
  { command, options = [], spec, timeout, stdout }: RbdCall,
  what: string,
): Promise<ExecResult> {
  const [program, ...leading] = engine?.ceph?.rbd ?? ['rbd']
  try {
    return await ctx.exec.local({
      command: [program, ...leading, ...clusterOptions(engine), ...command, ...options, '--', spec],
      env: engine?.env,
      stdout: stdout ?? 'text',
      // What it says is told with its failure; its progress is nobody's business.
      stderr: { write: async () => {} },
      okExitCodes: everyExitCode,
      timeout,
      signal: ctx.signal,
    })
  } catch (error) {
    if (!isHoldfastError(error)) {
      if (ctx.signal.aborted) throw errors.RBD_STOPPED({ what, said: 'told to stop' }, { cause: error })
      throw error
    }
    const cause = { cause: error }
    switch (error.code) {
      case 'EXEC_NOT_FOUND':
      case 'EXEC_NOT_EXECUTABLE':
      case 'EXEC_FORMAT':
        throw errors.RBD_MISSING({ program, reason: error.message }, cause)
      case 'EXEC_TIMEOUT':
        throw errors.RBD_TIMEOUT({ what, after: formatDuration(parseDuration(timeout)) }, cause)
      case 'EXEC_ABORTED':
        throw errors.RBD_STOPPED({ what, said: error.message }, cause)
      default:
        throw errors.RBD_FAILED({ what, said: error.message }, cause)
    }
  }
}

/** Which cluster, and as whom (K22). */
function clusterOptions(engine: BenjiEngine | undefined): readonly string[] {
  const { user, conf, keyring } = engine?.ceph ?? {}
  return [
    ...(conf === undefined ? [] : [`--conf=${conf}`]),
    ...(user === undefined ? [] : [`--id=${user}`]),
    ...(keyring === undefined ? [] : [`--keyring=${keyring}`]),
  ]
}
