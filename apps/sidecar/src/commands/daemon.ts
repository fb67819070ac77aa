import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { runDaemon } from '../daemon/daemon.ts'

/** `holdfast daemon`: runs plans on their schedules. */
export async function runDaemonCommand(context: CommandContext): Promise<number> {
  return runDaemon(context, await openConfiguration(context))
}
