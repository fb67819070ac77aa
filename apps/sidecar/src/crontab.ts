import { definePlugin, type HoldfastConfig, type Plan } from '@holdfast/sdk'
import { errors, type Crontab, type CrontabEntry } from '@holdfast/runtime'
import type { Variables } from './compat/benji-engine.ts'
import { UsageError } from './compat/fridge-options.ts'
import { benjiLine } from './crontab-benji.ts'

/** What a line of a crontab runs. */
interface CronCommand {
  readonly command: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: string | undefined
}

/** What a crontab is read with. */
export interface CrontabFormOptions {
  /** For messages. */
  readonly file: string
  /** Of the process: what the file's variables don't say. */
  readonly environment: Variables
}

/**
 * The configuration that a crontab means: a plan per line. Lines of Benji's tools are done by our own plugin, any other
 * command as cron would do it.
 *
 * @throws HoldfastError `CRONTAB_INVALID` when a program would refuse its arguments; `details.problems` has all of them
 */
export async function crontabForm({ entries }: Crontab, options: CrontabFormOptions): Promise<HoldfastConfig> {
  const plans: Plan[] = []
  const refused: Parameters<typeof errors.CRONTAB_INVALID>[0][] = []
  for (const entry of entries) {
    try {
      plans.push(await planOf(entry, options.environment))
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      refused.push(refusal(entry, options.file, error.message))
    }
  }
  const [first] = refused
  if (!first) return { plans }
  const problems = refused.map((params) => {
    const { code, message, hint } = errors.CRONTAB_INVALID(params)
    return { code, message, hint, file: params.file, line: params.line, column: params.column }
  })
  throw errors.CRONTAB_INVALID(first, { details: { problems } })
}

async function planOf(entry: CrontabEntry, environment: Variables): Promise<Plan> {
  const { planName, schedule, timeZone, command, env, stdin } = entry
  return {
    name: planName,
    schedule: { cron: schedule, ...(timeZone !== undefined && { timeZone }) },
    use: (await benjiLine(entry, environment)) ?? [cronCommand({ command, env, stdin })],
  }
}

function refusal(
  { line, column, command }: CrontabEntry,
  file: string,
  reason: string,
): Parameters<typeof errors.CRONTAB_INVALID>[0] {
  const [program = ''] = command.trimStart().split(/\s/, 1)
  return { file, line, column, reason: `${program}: ${reason}`, advice: `\`${program} --help\` says what it takes.` }
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
