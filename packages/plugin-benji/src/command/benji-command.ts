import { definePlugin, type PluginFactory, type RunContext, type Sink } from '@holdfast/sdk'
import * as z from 'zod'
import { benjiFailure } from '../benji/exit-codes.ts'
import { createBenjiLog } from '../benji/log.ts'
import { engineSchema, type BenjiEngine, type BenjiEngineOptions } from '../engine.ts'
import { reported } from '../metrics/reported.ts'
import { everyExitCode } from '../program.ts'

/** Options of {@link benjiCommand}. */
export interface BenjiCommandOptions {
  /** What follows `benji`: a command and its arguments. */
  readonly args: readonly string[]
  /** What the command reads from its standard input. */
  readonly stdin?: string | undefined
  /** Takes what Benji prints, as it prints it. Default: results go to the run's output, records of its log to the log. */
  readonly output?: { readonly stdout: Sink; readonly stderr: Sink } | undefined
  readonly engine?: BenjiEngineOptions | undefined
}

const sink = z.custom<Sink>((value) => typeof (value as Partial<Sink> | null | undefined)?.write === 'function')

const commandSchema = z.strictObject({
  args: z.array(z.string()).readonly(),
  stdin: z.string().optional(),
  output: z.strictObject({ stdout: sink, stderr: sink }).optional(),
  engine: engineSchema.optional(),
})

type Config = z.output<typeof commandSchema>

const run = reported<Config>(({ args }) => args, runCommand)

/**
 * Runs any command of Benji, exactly as it is told.
 *
 * @example
 * ```ts
 * const plan: Plan = {
 *   name: 'usage',
 *   schedule: { cron: '0 6 * * *' },
 *   use: [benjiCommand({ args: ['storage-usage', 'volume like "shop/%"'] })],
 * }
 * ```
 */
export const benjiCommand: PluginFactory<BenjiCommandOptions> = definePlugin({
  name: 'benji-command',
  version: '1.0.0',
  sdk: '^1.0',
  config: commandSchema,
  hooks: {
    // A deep scrub, or an export over NBD, may take days; the plan's budget ends it all the same.
    maintain: { handler: run, timeout: '30d' },
  },
  commands: {
    run: {
      summary: 'run the command once more, now',
      async run(ctx) {
        await run(ctx)
        return 0
      },
    },
  },
})

/** @throws HoldfastError `BENJI_…`, with `details.exitCode` */
async function runCommand({ config, exec, log }: RunContext<Config>): Promise<void> {
  const { args, stdin, output, engine } = config
  const records = createBenjiLog({ log: output ? silent : log, level: engine?.logLevel })
  const { exitCode } = await exec.local({
    command: commandOf(args, engine),
    env: engine?.env,
    stdin,
    stdout: output?.stdout ?? 'log',
    stderr: {
      async write(chunk) {
        await output?.stderr.write(chunk)
        await records.sink.write(chunk)
      },
    },
    okExitCodes: everyExitCode,
    // On SIGTERM it leaves its locks behind (C6).
    stopSignal: 'SIGINT',
  })
  records.sink.end()
  if (exitCode !== 0) throw benjiFailure({ what: `benji ${args[0] ?? ''}`.trim(), exitCode, event: records.lastWords })
}

function commandOf(args: readonly string[], engine: BenjiEngine | undefined): readonly [string, ...string[]] {
  const { command = ['benji'], configFile, logLevel = 'INFO' } = engine ?? {}
  const [program, ...leading] = command
  const config = configFile === undefined ? [] : ['--config-file', configFile]
  return [program, ...leading, ...config, '--machine-output', '--log-level', logLevel, ...args]
}

const nothing = (): void => {}
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing }
