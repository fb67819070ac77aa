import { formatDuration, parseDuration } from '@holdfast/sdk'
import { drillSteps, recordFailure, type InspectedDrill, type ResolvedDrill } from '@holdfast/runtime'
import { count, formatTime } from './format.ts'
import { printable } from './printable.ts'
import { pointJson } from './result-json.ts'
import type { Layout } from './runs.ts'
import { formatTable } from './table.ts'

/** What a drill would do now, for people. */
export function formatInspectedDrill(inspected: InspectedDrill, { style, width }: Layout): string {
  const { drill, backups, backup, steps } = inspected
  const from = backup ? `, from ${formatTime(backup.at)}` : ''
  const which = drill.select === 'random' && backups > 1 ? `one of ${backups} at random, such as this` : 'the newest'
  const damage = backup?.damage === undefined ? '' : `, which is damaged: ${printable(backup.damage)}`
  const about = backup ? `${which}${from}${damage}` : 'nothing to restore: it fails'
  const rows = steps.map(({ kind, what, where }) => [`    ${kind}`, printable(what), printable(where ?? '')])
  const title = `  ${style.bold(`drill ${drill.name}`)}  ${backup && damage === '' ? style.dim(about) : style.yellow(about)}`
  return `${title}\n${formatTable(['    STEP', 'WHAT', 'WHERE'], rows, { style, width })}\n`
}

/** The same as `--json` prints it. */
export function inspectedDrillJson({ drill, problems, backups, backup, steps }: InspectedDrill): object {
  return {
    drill: drill.name,
    select: drill.select,
    problems: problems.map(recordFailure),
    backups,
    target: backup?.target,
    damage: backup?.damage,
    restorer: backup?.restorer?.id,
    points: backup?.points.map(pointJson) ?? [],
    steps,
  }
}

/** What a drill is, for people. */
export function formatExplainedDrill(drill: ResolvedDrill, { style, width }: Layout): string {
  const { name, plan, schedule, select, target, budgetMs } = drill
  const about = [
    schedule ? `schedule ${schedule.cron}` : 'runs by hand only',
    `${select} backup of ${target === undefined ? `plan ${plan.name}` : `${target} of plan ${plan.name}`}`,
    `budget ${formatDuration(budgetMs)}`,
  ]
  const rows = partsOf(drill).map(({ part, what, where, timeoutMs, onFailure }) => [
    part,
    printable(what),
    printable(where ?? ''),
    formatDuration(timeoutMs),
    onFailure,
  ])
  const head = ['STEP', 'WHAT', 'HOW', 'TIME', 'IF IT FAILS']
  return [
    `${style.bold(`drill ${name}`)}  ${style.dim(about.join(', '))}`,
    formatTable(head, rows, { style, width, right: [3] }),
    '',
  ].join('\n')
}

/** The same as `--json` prints it. */
export function explainedDrillJson(drill: ResolvedDrill): object {
  const { name, plan, schedule, select, target, budgetMs } = drill
  return { drill: name, plan: plan.name, schedule: schedule?.cron, select, target, budgetMs, steps: partsOf(drill) }
}

interface Part {
  readonly part: 'restore' | 'expect' | 'cleanup'
  readonly what: string
  readonly where: string | undefined
  readonly timeoutMs: number
  readonly onFailure: string
}

function partsOf(drill: ResolvedDrill): readonly Part[] {
  const [restore, expect, cleanup] = drillSteps(drill)
  const [undo] = drill.participant.undos.values()
  const failed = 'the drill fails, onError and onFinish of its plan hear of it'
  return [
    { part: 'restore', what: restore?.what ?? '', where: restore?.where, timeoutMs: drill.budgetMs, onFailure: failed },
    { part: 'expect', what: expect?.what ?? '', where: undefined, timeoutMs: drill.expectMs, onFailure: failed },
    {
      part: 'cleanup',
      what: cleanup?.what ?? '',
      where: 'an undo: after kill -9, too',
      timeoutMs: undo ? parseDuration(undo.deadline) : 0,
      onFailure: 'the drill fails, and it stays pending',
    },
  ]
}

/** For a sentence: `2 plans, 1 drill`. */
export function countDrills(drills: number): readonly string[] {
  return drills === 0 ? [] : [count(drills, 'drill')]
}
