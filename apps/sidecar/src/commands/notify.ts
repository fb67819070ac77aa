import { hostname } from 'node:os'
import {
  createSecrets,
  deliver,
  reasonOfFailure,
  recordFailure,
  testFacts,
  toFailure,
  type ResolvedConfig,
  type ResolvedNotifier,
} from '@holdfast/runtime'
import type { HoldfastFailure } from '@holdfast/sdk'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'

/** A notifier, and what it is told of. */
interface Tested {
  readonly notifier: ResolvedNotifier
  readonly plan: string
  readonly drill?: string | undefined
  /** `undefined`: at the top of the configuration. */
  readonly where: string | undefined
}

/** `holdfast notify test [NAME]`: sends every notifier, or those of a name, a message that says that it is a test. */
export async function runNotifyTestCommand(context: CommandContext, name: string | undefined): Promise<number> {
  const { config } = await openConfiguration(context)
  const all = notifiersIn(config)
  if (all.length === 0) throw errors.NOTIFIER_NONE({ source: config.source })
  const chosen = all.filter(({ notifier }) => name === undefined || notifier.name === name)
  if (name !== undefined && chosen.length === 0) {
    const known = [...new Set(all.map(({ notifier }) => notifier.name))].join(', ')
    throw errors.NOTIFIER_UNKNOWN({ notifier: name, known })
  }
  const results = await Promise.all(
    chosen.map(async (tested) => ({ ...tested, error: await tell(tested, config, context) })),
  )
  if (context.settings.json) {
    context.printJson(
      results.map(({ notifier, plan, drill, error }) => ({
        notifier: notifier.name,
        kind: notifier.kind,
        plan,
        drill,
        ok: error === undefined,
        error: error && recordFailure(error),
      })),
    )
  } else for (const { notifier, where, error } of results) context.print(lineOf(notifier, where, error, context))
  return results.every(({ error }) => error === undefined) ? exitCode.ok : exitCode.failed
}

/** @returns why it was not told */
async function tell(
  { notifier, plan, drill }: Tested,
  { instance, plans }: ResolvedConfig,
  { io, log, redactor }: CommandContext,
): Promise<HoldfastFailure | undefined> {
  const maintenance = plans.find((each) => each.name === plan)?.maintenance ?? false
  const facts = testFacts({ plan, drill, maintenance }, { at: io.clock.now(), instance, host: hostname() })
  const secrets = createSecrets({ redactor, env: io.env })
  try {
    // Whoever tries it looks what happens: one attempt.
    const { signal } = new AbortController()
    await deliver(notifier, facts, { clock: io.clock, log, secrets, redactor, signal, attempts: 1 })
    return undefined
  } catch (error) {
    return toFailure(error, {})
  }
}

function lineOf(
  { name, kind }: ResolvedNotifier,
  where: string | undefined,
  error: HoldfastFailure | undefined,
  { style }: CommandContext,
): string {
  const of = [name === kind ? undefined : kind, where].filter(Boolean).join(', ')
  const what = `${name}${of === '' ? '' : ` (${of})`}`
  if (!error) return `${style.green('✓')} ${what}: told\n`
  const hint = error.code === 'HOOK_FAILED' ? '' : `\n  ${error.hint ?? ''}`
  return `${style.red('✗')} ${what}: ${reasonOfFailure(error.code === 'HOOK_FAILED' ? error.cause : error)}${hint}\n`
}

/** Each notifier once: those at the top as the first plan or drill that has them would be told of. */
function notifiersIn({ notify, plans, drills }: ResolvedConfig): readonly Tested[] {
  const found = new Map<ResolvedNotifier, Tested>()
  const add = (notifiers: readonly ResolvedNotifier[], of: Pick<Tested, 'plan' | 'drill'>, where: string): void => {
    for (const notifier of notifiers) {
      const isOwn = !notify.includes(notifier)
      if (!found.has(notifier)) found.set(notifier, { ...of, notifier, where: isOwn ? where : undefined })
    }
  }
  for (const { name, notify: own } of plans) add(own, { plan: name }, `plan "${name}"`)
  for (const { name, plan, notify: own } of drills) add(own, { plan: plan.name, drill: name }, `drill "${name}"`)
  // Nobody has them: every plan has its own.
  add(notify, { plan: plans[0]?.name ?? 'none' }, '')
  return [...found.values()]
}
