import { formatDuration, parseDuration, type HookKind, type HookName, type HookPolicy } from '@holdfast/sdk'
import { hookNames, lifecyclePolicy, type Participant, type ResolvedPlan } from '@holdfast/runtime'
import { openConfiguration } from '../configuration.ts'
import type { CommandContext } from '../context.ts'
import { drillsOf } from '../drills.ts'
import { exitCode } from '../exit-codes.ts'
import { explainedDrillJson, formatExplainedDrill } from '../output/drills.ts'
import { count } from '../output/format.ts'
import { printable } from '../output/printable.ts'
import { formatTable } from '../output/table.ts'
import { plansNamed } from '../plans.ts'

/** One handler of a plan, in the order in which it would run. */
interface ExplainedHandler {
  readonly hook: HookName
  readonly kind: HookKind
  readonly participant: string
  readonly source: string | undefined
  readonly order: 'pre' | 'normal' | 'post'
  readonly timeoutMs: number
  readonly attempts: number
  readonly onFailure: string
  readonly inDryRun: string
}

const consequences = {
  'stop-boot': 'the process ends',
  'fail-run': 'the run fails',
  'fail-target': 'its target fails',
  'unverify-target': 'its target is unverified',
  warn: 'a warning',
} as const satisfies Record<HookPolicy<HookKind>['onFailure'], string>

/** `holdfast explain [PLAN]`: who takes part in which hook, in the order of a run. */
export async function runExplainCommand(context: CommandContext, name: string | undefined): Promise<number> {
  const { config } = await openConfiguration(context)
  const explained = plansNamed(config, name).map((plan) => ({ plan, handlers: handlersOf(plan) }))
  if (context.settings.json) {
    context.printJson(
      explained.map(({ plan, handlers }) => ({
        plan: plan.name,
        handlers,
        undos: undosOf(plan),
        copies: plan.copies.map((copy) => copy.name),
        drills: drillsOf(config, [plan]).map(explainedDrillJson),
      })),
    )
    return exitCode.ok
  }
  for (const { plan, handlers } of explained) {
    context.print(formatExplained(plan, handlers, context))
    for (const drill of drillsOf(config, [plan])) context.print(formatExplainedDrill(drill, context))
  }
  return exitCode.ok
}

function handlersOf(plan: ResolvedPlan): readonly ExplainedHandler[] {
  return hookNames.flatMap((hook) => {
    if (plan.maintenance && !['installDependencies', 'validate', 'maintain', 'onError', 'onFinish'].includes(hook))
      return []
    const ranks = { pre: 0, normal: 1, post: 2 }
    const own = plan.participants
      .filter(({ hooks }) => hooks[hook])
      .toSorted((a, b) => ranks[a.hooks[hook]?.order ?? 'normal'] - ranks[b.hooks[hook]?.order ?? 'normal'])
    return [...builtIn(hook, plan), ...own.map((participant) => explain(hook, participant))]
  })
}

function explain(hook: HookName, participant: Participant): ExplainedHandler {
  const policy: HookPolicy<HookKind> = lifecyclePolicy[hook]
  const resolved = participant.hooks[hook]
  return {
    hook,
    kind: policy.kind,
    participant: participant.id,
    source: participant.source,
    order: resolved?.order ?? 'normal',
    timeoutMs: resolved?.timeoutMs ?? parseDuration(policy.timeout),
    attempts: resolved?.retry.attempts ?? 1,
    onFailure: consequences[policy.onFailure],
    inDryRun: policy.inDryRun,
  }
}

/** What the engine does itself, before the others. */
function builtIn(hook: HookName, plan: ResolvedPlan): readonly ExplainedHandler[] {
  const does = hook === 'verifyBackups' || (hook === 'pruneBackups' && plan.retention !== undefined)
  if (!does || plan.maintenance) return []
  const source = hook === 'verifyBackups' ? 'reads artifacts back' : 'removes expired artifacts'
  const policy: HookPolicy<HookKind> = lifecyclePolicy[hook]
  return [
    {
      hook,
      kind: policy.kind,
      participant: 'holdfast',
      source,
      order: 'pre',
      timeoutMs: parseDuration(policy.timeout),
      attempts: 1,
      onFailure: consequences[policy.onFailure],
      inDryRun: policy.inDryRun,
    },
  ]
}

function undosOf(plan: ResolvedPlan): readonly object[] {
  return plan.participants.flatMap(({ id, undos }) =>
    [...undos.values()].map(({ name, deadline }) => ({
      undo: name,
      participant: id,
      deadlineMs: parseDuration(deadline),
    })),
  )
}

/** Copies are no hook: what is done with them is between `verifyBackups` and `pruneBackups`. */
function copiesTable({ copies, retention }: ResolvedPlan, layout: Pick<CommandContext, 'style' | 'width'>): string {
  const does = `after verifyBackups: copies what it lacks, reads it back${retention ? ', removes what expired there' : ''}`
  const rows = copies.map(({ name }) => [printable(name), does, 'the run is partial'])
  return formatTable(['COPY', 'WHAT', 'IF IT FAILS'], rows, layout)
}

function formatExplained(
  plan: ResolvedPlan,
  handlers: readonly ExplainedHandler[],
  { style, width }: Pick<CommandContext, 'style' | 'width'>,
): string {
  const about = [
    plan.schedule ? `schedule ${plan.schedule.cron}` : 'runs by hand only',
    `budget ${formatDuration(plan.budgetMs)}`,
    ...(plan.retry.attempts > 1 ? [`${plan.retry.attempts} attempts`] : []),
    ...(plan.maintenance ? ['maintenance'] : [`${count(plan.concurrency, 'target')} at once`]),
    ...(plan.maintenance || plan.copies.length === 0 ? [] : [count(plan.copies.length, 'copy', 'copies')]),
  ]
  const rows = handlers.map(({ hook, kind, participant, source, order, timeoutMs, attempts, onFailure, inDryRun }) => [
    hook,
    kind,
    participant + (order === 'normal' || participant === 'holdfast' ? '' : ` (${order})`),
    printable(source ?? ''),
    formatDuration(timeoutMs),
    attempts > 1 ? String(attempts) : '',
    onFailure,
    inDryRun === 'run' ? 'runs' : inDryRun === 'print' ? 'is printed' : '',
  ])
  const head = ['HOOK', 'KIND', 'WHO', 'FROM', 'TIME', 'ATTEMPTS', 'IF IT FAILS', 'DRY RUN']
  const undos = plan.participants.flatMap(({ id, undos: own }) =>
    [...own.values()].map(({ name, deadline }) => [name, id, formatDuration(parseDuration(deadline))]),
  )
  return [
    `${style.bold(plan.name)}  ${style.dim(about.join(', '))}`,
    formatTable(head, rows, { style, width, right: [4] }),
    ...(plan.maintenance || plan.copies.length === 0 ? [] : [copiesTable(plan, { style, width })]),
    ...(undos.length === 0 ? [] : [formatTable(['UNDO', 'OF', 'WITHIN'], undos, { style, width, right: [2] })]),
    '',
  ].join('\n')
}
