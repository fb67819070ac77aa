import { isHoldfastError } from '@holdfast/sdk'
import { CommanderError } from 'commander'
import { createContext, type CommandContext } from './context.ts'
import { errors } from './errors.ts'
import { internalError } from './internal-error.ts'
import { exitCode, exitCodeOfFailure } from './exit-codes.ts'
import type { Io } from './io.ts'
import { createProgram } from './program/program.ts'

/** Commands whose exit code says what became of the backups, whoever could read it or not. */
const acting: ReadonlySet<string> = new Set(['daemon', 'run', 'drill', 'restore'])

/**
 * Runs one command of `holdfast`.
 *
 * @param argv - what follows the program's name
 * @returns the exit code
 */
export async function runHoldfast(argv: readonly string[], io: Io): Promise<number> {
  let context: CommandContext | undefined
  let code: number = exitCode.ok
  const program = createProgram(io, argv, async (command, options, body) => {
    context = createContext(io, options, command)
    code = await body(context)
    const lost = await io.printed()
    if (lost && code === exitCode.ok && !acting.has(command)) {
      code = exitCode.failed
      context.fail(errors.ANSWER_LOST({ reason: lost.message }, { cause: lost }))
    }
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
    const failure = isHoldfastError(error) ? error : internalError(error)
    context ??= createContext({ ...io, env: {} }, {})
    context.fail(failure)
    return exitCodeOfFailure(failure)
  }
}
