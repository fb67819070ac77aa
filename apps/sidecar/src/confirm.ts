import { createInterface } from 'node:readline/promises'
import type { CommandContext } from './context.ts'
import { errors } from './errors.ts'

/**
 * Asks a person before something that can't be taken back.
 *
 * @returns whether it may be done
 * @throws HoldfastError `CONFIRMATION_NEEDED` where nobody can be asked
 */
export async function confirm(context: CommandContext, what: string, question: string): Promise<boolean> {
  const { io, screen } = context
  if (!io.stdin.isTTY || !screen.isTTY) throw errors.CONFIRMATION_NEEDED({ what })
  const reader = createInterface({ input: io.stdin })
  screen.write(`${question} [y/N] `)
  try {
    // The end of the input is a no.
    for await (const answer of reader) return /^y(es)?$/i.test(answer.trim())
    return false
  } finally {
    reader.close()
  }
}
