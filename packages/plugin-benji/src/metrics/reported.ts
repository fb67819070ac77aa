import type { RunContext } from '@holdfast/sdk'
import type { BenjiEngine } from '../engine.ts'
import { commandLabel } from './groups.ts'
import { pushCompatMetrics } from './push.ts'

/**
 * A hook that does what one command of Benji does, and pushes the metrics that Benji's tools had for it.
 *
 * @param words - the command's arguments, as `benji-command` would be given them
 */
export function reported<Config extends { readonly engine?: BenjiEngine | undefined }>(
  words: (config: Config) => readonly string[],
  handler: (ctx: RunContext<Config>) => Promise<void>,
): (ctx: RunContext<Config>) => Promise<void> {
  return async (ctx) => {
    const command = commandLabel(words(ctx.config))
    const startedAt = ctx.clock.now()
    const push = (succeeded: boolean): Promise<void> =>
      pushCompatMetrics(ctx, { kind: 'command', command, startedAt, endedAt: ctx.clock.now(), succeeded })
    try {
      await handler(ctx)
    } catch (error) {
      await push(false)
      throw error
    }
    await push(true)
  }
}
