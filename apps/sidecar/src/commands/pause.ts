import { readFileSync } from 'node:fs'
import { openJournal, reasonOf } from '@holdfast/runtime'
import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { statusFile, type DaemonStatus } from '../daemon/status.ts'
import { errors } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { assertPausable, planNamed } from '../plans.ts'

/** `holdfast pause PLAN`, `holdfast resume PLAN`: what a daemon of this state directory is to do with its slots. */
export async function runPauseCommand(
  context: CommandContext,
  name: string,
  options: { readonly isPaused: boolean },
): Promise<number> {
  const { isPaused } = options
  const { config } = await openConfiguration(context)
  assertPausable(planNamed(config, name))
  assertNoStandby(context)
  const since = write(context, name, isPaused)
  if (context.settings.json) context.printJson({ plan: name, paused: isPaused, ...(since && { since }) })
  else if (isPaused) {
    context.print(
      `Plan "${name}" is paused: its slots pass, and its backups grow old, until \`holdfast resume ${name}\`.\n`,
    )
  } else context.print(`Plan "${name}" runs by its schedule.\n`)
  return exitCode.ok
}

function write({ settings, io, warn }: CommandContext, plan: string, isPaused: boolean): Date | undefined {
  const directory = settings.stateDirectory
  const journal = openJournal({
    directory,
    now: () => io.clock.now(),
    onCorrupt: (error) => warn(error as HoldfastError),
  })
  try {
    journal.pauses.set(plan, isPaused)
    return journal.pauses.all().get(plan)
  } catch (error) {
    if (isHoldfastError(error)) throw error
    throw errors.PAUSE_UNWRITTEN({ plan, reason: reasonOf(error) }, { cause: error })
  } finally {
    journal.close()
  }
}

/** Of several pods the one that schedules decides; it would never hear of what is written here. */
function assertNoStandby({ settings }: CommandContext): void {
  let status: DaemonStatus
  try {
    status = JSON.parse(readFileSync(statusFile(settings.stateDirectory), 'utf8')) as DaemonStatus
  } catch {
    return
  }
  if (status.role === 'standby') throw errors.API_STANDBY({ leader: 'another pod' })
}
