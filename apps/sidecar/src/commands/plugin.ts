import {
  executeTask,
  runPluginCommand,
  suggest,
  unknownCommand,
  toFailure,
  type Participant,
  type ResolvedPlan,
} from '@holdfast/runtime'
import { findConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode, exitCodeOfFailure, exitCodeOfSignal } from '../exit-codes.ts'
import { formatTable } from '../output/table.ts'
import { showRun } from './run.ts'
import { openEngine, startEngine } from '../session.ts'
import { stopOnSignals } from '../stop-signals.ts'

/** A plugin with commands, in a plan. */
interface Candidate {
  readonly plan: ResolvedPlan
  readonly participant: Participant
}

/**
 * `holdfast PLUGIN COMMAND …`: what a plugin of the configuration can do besides its hooks. In every plan that has the
 * plugin, or in that of `--plan`.
 */
export async function runPluginCommandLine(
  context: CommandContext,
  plugin: string,
  words: readonly string[],
  builtin: readonly string[],
): Promise<number> {
  const config = (await findConfiguration(context))?.config
  const all = (config?.plans ?? []).flatMap((plan) => plan.participants.map((participant) => ({ plan, participant })))
  const known = all.filter(({ participant }) => participant.commands !== undefined)
  const named = known.filter(({ participant: { id, name } }) => id === plugin || name === plugin)
  if (!config || named.length === 0) {
    const plugins = [...new Set(known.map(({ participant }) => participant.name))]
    const there = [...builtin, ...plugins]
    throw errors.COMMAND_MISSING({ command: plugin, suggestion: suggest(plugin, there), known: there.join(', ') })
  }
  const { plan, rest } = takePlan(words)
  const chosen = named.filter((candidate) => plan === undefined || candidate.plan.name === plan)
  if (chosen.length === 0)
    throw errors.COMMAND_PLAN({ plan: plan ?? '', plugin, plans: named.map((each) => each.plan.name).join(', ') })
  const [command, ...args] = rest
  if (command === undefined || command === '--help' || command === '-h') {
    context.print(helpOf(plugin, chosen, context))
    return command === undefined ? exitCode.usage : exitCode.ok
  }
  const lacking = chosen.find(({ participant }) => participant.commands?.[command] === undefined)
  if (lacking) throw unknownCommand(lacking.participant, command)
  const codes: number[] = []
  for (const candidate of chosen) {
    const { code, isStopped } = await run(context, config, candidate, command, args)
    codes.push(code)
    if (isStopped) return code
  }
  // One that failed is never hidden by the others, nor keeps them from their turn.
  return codes.find((code) => code !== exitCode.ok) ?? exitCode.ok
}

async function run(
  context: CommandContext,
  config: Parameters<typeof openEngine>[1]['config'],
  { plan, participant }: Candidate,
  command: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly isStopped?: boolean }> {
  const { context: shown, view, close } = showRun(context)
  const session = await openEngine(shown, { config }, view)
  const signals = stopOnSignals(shown, session.engine)
  try {
    const started = await startEngine(session, shown)
    if (started.failed) throw toFailure(started.error, { hook: 'installDependencies' })
    const { services } = session.engine
    const { outcome, value } = await executeTask(services, {
      plan: plan.name,
      trigger: 'command',
      budgetMs: plan.budgetMs,
      body: (call) => runPluginCommand(services, call, { plan, participant, command, args }),
    })
    const received = signals.received()
    if (signals.faulted()) return { code: exitCode.failed, isStopped: true }
    if (received !== undefined) return { code: exitCodeOfSignal(received), isStopped: true }
    if (outcome.error) return { code: exitCodeOfFailure(outcome.error) }
    return { code: typeof value === 'number' ? value : exitCode.ok }
  } finally {
    signals.close()
    close()
    await session.close()
  }
}

/** `--plan NAME`, before or after the command's own words. */
function takePlan(words: readonly string[]): { readonly plan: string | undefined; readonly rest: readonly string[] } {
  const at = words.indexOf('--plan')
  const joined = words.findIndex((word) => word.startsWith('--plan='))
  // Without a name it is no plan: it must not mean all of them, as an empty variable of a script would.
  if (at !== -1) return { plan: words[at + 1] ?? '', rest: [...words.slice(0, at), ...words.slice(at + 2)] }
  if (joined === -1) return { plan: undefined, rest: words }
  return { plan: words[joined]?.slice('--plan='.length), rest: words.filter((_, index) => index !== joined) }
}

function helpOf(plugin: string, candidates: readonly Candidate[], { style }: CommandContext): string {
  const commands = new Map(
    candidates.flatMap(({ participant }) =>
      Object.entries(participant.commands ?? {}).map(([name, { summary }]) => [name, summary] as const),
    ),
  )
  return `Usage: holdfast ${plugin} COMMAND [--plan NAME] …\n\n${formatTable(['COMMAND', ''], [...commands], { style })}`
}
