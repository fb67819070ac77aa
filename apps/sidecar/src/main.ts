import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { CommanderError } from 'commander'
import { createContext, type CommandContext } from './context.ts'
import { errors } from './errors.ts'
import { exitCode, exitCodeOfFailure } from './exit-codes.ts'
import type { Io } from './io.ts'
import { createProgram } from './program/program.ts'

/**
 * Runs one command of `holdfast`.
 *
 * @param argv - what follows the program's name
 * @returns the exit code
 */
export async function runHoldfast(argv: readonly string[], io: Io): Promise<number> {
  let context: CommandContext | undefined
  let code: number = exitCode.ok
  const program = createProgram(io, async (options, body) => {
    context = createContext(io, options)
    code = await body(context)
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
    const failure = isHoldfastError(error) ? error : internal(error)
    context ??= createContext({ ...io, env: {} }, {})
    context.fail(failure)
    return exitCodeOfFailure(failure)
  }
}

/** What nobody foresaw is our fault, and is said so. */
function internal(error: unknown): HoldfastError {
  const reason = error instanceof Error ? error.message : String(error)
  return errors.INTERNAL({ reason: reason.split('\n', 1)[0] ?? '' }, { cause: error })
}
