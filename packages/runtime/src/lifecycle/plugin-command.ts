import type { HoldfastError, Json } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import { createBegunWork, settled } from './begun-work.ts'
import { runContext } from './contexts.ts'
import type { TaskCall } from './task.ts'

/** A command of a plugin: `holdfast <plugin> <command> …`. */
export interface PluginCommandOptions {
  readonly plan: ResolvedPlan
  /** Has commands. */
  readonly participant: Participant
  readonly command: string
  readonly args: readonly string[]
}

/**
 * The body of a plugin's command.
 *
 * @returns its exit code
 * @throws HoldfastError `COMMAND_UNKNOWN`, or what the plugin threw
 */
export async function runPluginCommand(
  services: Services,
  call: TaskCall,
  { plan, participant, command, args }: PluginCommandOptions,
): Promise<Json> {
  const found = participant.commands?.[command]
  if (!found) throw unknownCommand(participant, command)
  const startedAt = services.clock.now()
  const begun = createBegunWork(services, call)
  const context = runContext({ ...call, services, plan, participant, begun, hook: command, startedAt })
  return settled(begun, () => found.run(context, args))
}

/** What is said of a command that a plugin doesn't have. */
export function unknownCommand({ id, commands }: Participant, command: string): HoldfastError {
  const known = Object.keys(commands ?? {}).join(', ') || 'none'
  return errors.COMMAND_UNKNOWN({ plugin: id, command, known })
}
