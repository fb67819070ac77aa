import { parseCron } from '@holdfast/runtime'
import type { Schedule } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { Blueprint } from './blueprint.ts'
import { cronJobSchedule } from './cron-schedule.ts'
import { checkName, nearestLabel } from './names.ts'
import { commentsAt, containerOf, volumesOf } from './pod.ts'
import { inNamespace } from './in-namespace.ts'
import type { YamlComment, YamlPage } from './yaml.ts'

/** The Job's name is the CronJob's and eleven characters. */
const longestName = 52

/** Beyond its budget a run may boot, take back what an earlier one has taken, and give back what it took itself. */
const spareSeconds = 1_800

/** What a CronJob runs. */
interface CronJobTask {
  /** `plan "shop"`, for messages. */
  readonly what: string
  /** Of the plan or the drill, and how its CronJob is called after the blueprint. */
  readonly name: string
  readonly suffix: string
  readonly schedule: Schedule
  readonly args: readonly string[]
  readonly budgetMs: number
}

/**
 * A CronJob for each plan with a schedule, which runs the plan once, and for each such drill.
 *
 * @throws HoldfastError `GENERATE_UNSCHEDULED`, `GENERATE_SCHEDULE`, `GENERATE_NAME_…`
 */
export function cronJobPages(blueprint: Blueprint): readonly YamlPage[] {
  const { source, plans, drills } = blueprint
  const tasks = [
    ...plans.flatMap(({ name, schedule, budgetMs }): readonly CronJobTask[] => {
      const args = ['run', name]
      return schedule
        ? [{ what: `plan "${name}"`, name, suffix: nearestLabel(name) ?? '', schedule, args, budgetMs }]
        : []
    }),
    ...drills.flatMap(({ name, schedule, budgetMs }): readonly CronJobTask[] => {
      const [suffix, args] = [`drill-${nearestLabel(name)}`, ['drill', name]]
      return schedule ? [{ what: `drill "${name}"`, name, suffix, schedule, args, budgetMs }] : []
    }),
  ]
  if (tasks.length === 0) throw errors.GENERATE_UNSCHEDULED({ source })
  const names = new Set<string>()
  return tasks.map((task) => {
    const name = checkName('CronJob', [blueprint.name, task.suffix].join('-'), longestName)
    if (names.has(name)) {
      const rule = 'names of plans and drills that differ in more than capitals, "." and "_"'
      throw errors.GENERATE_NAME_INVALID({ what: 'another plan', name: task.name, rule, suggestion: '' })
    }
    names.add(name)
    return cronJobPage(blueprint, task, name)
  })
}

function cronJobPage(blueprint: Blueprint, task: CronJobTask, name: string): YamlPage {
  const { namespace, account, graceSeconds, options } = blueprint
  const { cron, timeZone, jitter, misfire = 'skip', paused = false } = task.schedule
  // Not the zone of the machine that makes the manifest.
  const parsed = parseCron(cron, timeZone ?? 'UTC')
  const schedule = cronJobSchedule(parsed.expression)
  if ('reason' in schedule) {
    throw errors.GENERATE_SCHEDULE({ what: task.what, cron: parsed.expression, reason: schedule.reason })
  }
  const container = containerOf(blueprint, { args: ['holdfast', ...task.args, ...options] })
  const volumes = volumesOf(blueprint)
  const value = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, ...inNamespace(namespace) },
    spec: {
      schedule: schedule.schedule,
      timeZone: parsed.timeZone,
      concurrencyPolicy: 'Forbid',
      ...(misfire === 'skip' && { startingDeadlineSeconds: 300 }),
      ...(paused && { suspend: true }),
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        spec: {
          backoffLimit: 0,
          activeDeadlineSeconds: Math.ceil(task.budgetMs / 1_000) + spareSeconds,
          template: {
            spec: {
              restartPolicy: 'Never',
              serviceAccountName: account.name,
              terminationGracePeriodSeconds: graceSeconds,
              securityContext: { fsGroup: 1000, fsGroupChangePolicy: 'OnRootMismatch' },
              containers: [container.value],
              volumes: volumes.value,
            },
          },
        },
      },
    },
  }
  const job = ['spec', 'jobTemplate', 'spec']
  const pod = [...job, 'template', 'spec']
  const comments: YamlComment[] = [
    { at: ['spec', 'concurrencyPolicy'], text: 'One run of a plan at once.' },
    {
      at: [...job, 'backoffLimit'],
      text: 'What is worth trying again, the run tries again itself: `retry` of the plan.',
    },
    {
      at: [...job, 'activeDeadlineSeconds'],
      text: "The plan's budget and half an hour: a pod that hangs blocks no more.",
    },
    { at: [...pod, 'securityContext'], text: 'Volumes belong to the user that runs Holdfast.' },
    ...(jitter === undefined
      ? []
      : [{ at: ['spec', 'schedule'], text: "A CronJob has no jitter: the plan's is left out." }]),
    ...commentsAt([...pod, 'containers', 0], container),
    ...commentsAt([...pod, 'volumes'], volumes),
  ]
  return { value, comments }
}
