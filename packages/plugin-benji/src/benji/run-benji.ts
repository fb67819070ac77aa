import { isHoldfastError, type Duration, type ServiceContext } from '@holdfast/sdk'
import type { BenjiEngine } from '../engine.ts'
import { errors } from '../errors.ts'
import { everyExitCode } from '../program.ts'
import { benjiArguments, type BenjiCommand } from './arguments.ts'
import { benjiFailure } from './exit-codes.ts'
import { createBenjiLog, type BenjiEvent } from './log.ts'

/** What running Benji needs of any context. */
export type BenjiContext = Pick<ServiceContext<unknown>, 'exec' | 'signal' | 'log'>

/** One call of Benji. */
export interface BenjiCall {
  readonly command: BenjiCommand
  /** What it is about, for messages: a volume or a version. */
  readonly about?: string | undefined
  /** Commands that read or write blocks have none of their own: the hook's deadline ends them. */
  readonly timeout?: Duration | undefined
  readonly onEvent?: ((event: BenjiEvent) => void) | undefined
  /** Exit codes that aren't failures where there is a result. */
  readonly withResult?: readonly number[] | undefined
}

/** Bytes of a result; 200,000 versions are fewer. */
const longestResult = 256 * 2 ** 20

/** How a call is named in messages: `benji backup web/data`. */
export function whatOf({ command, about }: Pick<BenjiCall, 'command' | 'about'>): string {
  return `benji ${command.name}${about === undefined ? '' : ` ${about}`}`
}

/**
 * Runs Benji, and passes its log on. It is stopped with SIGINT: on that it releases its locks (C6).
 *
 * @returns its result, as text
 * @throws HoldfastError `BENJI_…`
 */
export async function runBenji(ctx: BenjiContext, engine: BenjiEngine | undefined, call: BenjiCall): Promise<string> {
  const what = whatOf(call)
  const log = createBenjiLog({ log: ctx.log, level: engine?.logLevel, onEvent: call.onEvent })
  const chunks: Uint8Array[] = []
  let bytes = 0
  const keep = async (chunk: Uint8Array): Promise<void> => {
    bytes += chunk.length
    if (bytes > longestResult) throw errors.BENJI_OUTPUT({ what, problem: `more than ${longestResult / 2 ** 20} MiB` })
    chunks.push(chunk)
  }
  const exitCode = await exec(ctx, engine, call, { stdout: { write: keep }, stderr: log.sink })
  log.sink.end()
  const result = Buffer.concat(chunks).toString()
  const hasResult = call.withResult?.includes(exitCode) === true && result.trim() !== ''
  if (exitCode !== 0 && !hasResult) throw benjiFailure({ what, exitCode, event: log.lastWords })
  return result
}

async function exec(
  ctx: BenjiContext,
  engine: BenjiEngine | undefined,
  call: BenjiCall,
  streams: Pick<Parameters<BenjiContext['exec']['local']>[0], 'stdout' | 'stderr'>,
): Promise<number> {
  const what = whatOf(call)
  const command = benjiArguments(engine, call.command)
  try {
    const { exitCode } = await ctx.exec.local({
      command,
      env: engine?.env,
      ...streams,
      okExitCodes: everyExitCode,
      stopSignal: 'SIGINT',
      timeout: call.timeout,
      signal: ctx.signal,
    })
    return exitCode
  } catch (error) {
    const cause = { cause: error }
    if (ctx.signal.aborted) throw errors.BENJI_STOPPED({ what, said: reasonOf(ctx.signal.reason) }, cause)
    if (!isHoldfastError(error) || error.code.startsWith('BENJI_')) throw error
    switch (error.code) {
      case 'EXEC_NOT_FOUND':
      case 'EXEC_NOT_EXECUTABLE':
      case 'EXEC_FORMAT':
        throw errors.BENJI_MISSING({ program: command[0], reason: error.message }, cause)
      case 'EXEC_TIMEOUT':
      case 'EXEC_ABORTED':
        throw errors.BENJI_STOPPED({ what, said: error.message }, cause)
      default:
        throw outputOf(error) ?? errors.BENJI_FAILED({ what, said: error.message }, cause)
    }
  }
}

/** What the sink of a result threw. */
function outputOf(error: Error): Error | undefined {
  return isHoldfastError(error.cause) && error.cause.code === 'BENJI_OUTPUT' ? error.cause : undefined
}

function reasonOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : 'it was told to stop'
}
