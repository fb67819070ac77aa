import { definePlugin, type HoldfastConfig, type HoldfastFailure, type Plan } from '@holdfast/sdk'
import { parseCrontab, type CrontabEntry } from '@holdfast/runtime'

/** What a line of a crontab runs. */
interface Command {
  readonly command: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin?: string | undefined
}

/**
 * The configuration that a crontab means: a plan per line, which runs the line's command as cron would.
 *
 * @param warn - told what is scheduled, but perhaps not as it was meant
 * @throws HoldfastError `CRONTAB_INVALID`, `CRONTAB_DUPLICATE`
 */
export function crontabForm(
  text: string,
  file: string,
  env: NodeJS.ProcessEnv,
  warn: (failure: HoldfastFailure) => void,
): HoldfastConfig {
  const { entries, warnings } = parseCrontab(text, file, { environment: env })
  for (const warning of warnings) warn(warning)
  return { plans: entries.map(planOf) }
}

function planOf({ planName, schedule, timeZone, command, env, stdin }: CrontabEntry): Plan {
  return {
    name: planName,
    schedule: { cron: schedule, ...(timeZone !== undefined && { timeZone }) },
    use: [cronCommand({ command, env, ...(stdin !== undefined && { stdin }) })],
  }
}

/** Runs one command line by the shell that the crontab names. */
const cronCommand = definePlugin({
  name: 'command',
  version: '1.0.0',
  sdk: '^1.0',
  config: {
    // Made here and nowhere else, so there is nothing to check.
    '~standard': { version: 1, vendor: 'holdfast', validate: (value) => ({ value: value as Command }) },
  },
  hooks: {
    maintain: ({ config, exec }) =>
      exec.local({
        command: [config.env['SHELL'] || '/bin/sh', '-c', config.command],
        env: config.env,
        stdin: config.stdin,
        cwd: config.env['HOME'] || process.env['HOME'],
        stdout: 'log',
      }),
  },
})
