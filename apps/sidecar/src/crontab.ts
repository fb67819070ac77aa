import { definePlugin, type HoldfastConfig, type Plan } from '@holdfast/sdk'
import type { Crontab, CrontabEntry } from '@holdfast/runtime'

/** What a line of a crontab runs. */
interface CronCommand {
  readonly command: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: string | undefined
}

/** The configuration that a crontab means: a plan per line, which runs the line's command as cron would. */
export function crontabForm({ entries }: Crontab): HoldfastConfig {
  return { plans: entries.map(planOf) }
}

function planOf({ planName, schedule, timeZone, command, env, stdin }: CrontabEntry): Plan {
  return {
    name: planName,
    schedule: { cron: schedule, ...(timeZone !== undefined && { timeZone }) },
    use: [cronCommand({ command, env, stdin })],
  }
}

/** Made here and nowhere else, so there is nothing to check. */
const anyCommand = {
  '~standard': {
    version: 1,
    vendor: 'holdfast',
    validate: (value: unknown) => ({ value: value as CronCommand }),
    types: undefined as { readonly input: CronCommand; readonly output: CronCommand } | undefined,
  },
} as const

const cronCommand = definePlugin({
  name: 'command',
  version: '1.0.0',
  sdk: '^1.0',
  config: anyCommand,
  hooks: {
    maintain: ({ config: { command, env, stdin }, exec }) =>
      exec.local({
        command: [env['SHELL'] || '/bin/sh', '-c', command],
        env,
        stdin,
        cwd: env['HOME'] || process.env['HOME'],
        stdout: 'log',
      }),
  },
})
