// `benji-command`, as users of Benji's Kubernetes tools know it, on Holdfast's engine.
import type { Plan, Sink } from '@holdfast/sdk'
import { createByteWriter, executeTask, runPluginCommand, type ByteWriter } from '@holdfast/runtime'
import { exitCode, exitCodeOfSignal } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { benjiEngine } from './benji-engine.ts'
import {
  benjiEnvironment,
  configurationOf,
  readArguments,
  withContext,
  withSession,
  type BenjiProgram,
} from './benji-run.ts'

const program: BenjiProgram = {
  name: 'benji-command',
  usage: 'usage: benji-command [-h] COMMAND [ARGUMENT ...]\n',
  help: `Runs a command of Benji, \`benji --machine-output COMMAND ARGUMENT ...\`, exactly as it is told. Its result is printed on
standard output and its log on standard error, as Benji prints them.

options:
  -h, --help          show this help message and exit

${benjiEnvironment}
exit codes: Benji's own, such as 65 a scrub found damage, 66 no such version, 77 locked or protected; 1 Benji could not
be run; 143 stopped by a signal. Interrupted, Benji releases its locks first.

\`enforce\` does what it is told. \`benjiEnforce\` in a configuration keeps the newest valid version of each volume.
`,
}

/** Where the output of the command goes: descriptors of this process; in tests something else. */
export interface BenjiCommandOutput {
  readonly stdout: ByteWriter
  readonly stderr: ByteWriter
}

/** A week: Benji also serves versions over NBD, until it is told to stop. */
const budgetMs = 7 * 86_400_000

/** Runs `benji-command`. @returns the exit code */
export async function runBenjiCommand(
  args: readonly string[],
  io: Io,
  output: BenjiCommandOutput = { stdout: createByteWriter(1), stderr: createByteWriter(2) },
): Promise<number> {
  const own = readArguments(program, io, () => ({ help: args[0] === '-h' || args[0] === '--help' }))
  if (typeof own === 'number') return own
  return withContext(io, async (context) => {
    const { benjiCommand } = await import('@holdfast/plugin-benji')
    const engine = benjiEngine(io.env)
    const sinks = { stdout: sinkOf(output.stdout), stderr: sinkOf(output.stderr) }
    const plan: Plan = {
      name: program.name,
      use: [benjiCommand({ args: withInput(args), output: sinks, engine })],
    }
    return withSession(context, await configurationOf(context, [plan]), async ({ session, signals }) => {
      const { services } = session.engine
      const resolved = session.engine.plan(program.name)
      const [participant] = resolved.participants
      if (!participant) return exitCode.failed
      // Without the plan's lock: Benji has its own, and an `ls` must not wait for a scrub.
      const { outcome } = await executeTask(services, {
        plan: program.name,
        trigger: 'command',
        budgetMs,
        body: (call) => runPluginCommand(services, call, { plan: resolved, participant, command: 'run', args: [] }),
      })
      services.journal.forgetRunsOf(program.name)
      const received = signals.received()
      if (received !== undefined) return exitCodeOfSignal(received)
      const code = outcome.error?.details['exitCode']
      if (typeof code === 'number') return code
      return outcome.error ? exitCode.failed : exitCode.ok
    })
  })
}

/** `metadata-import` reads standard input: ours, by its path, as large as it may be. */
function withInput(args: readonly string[]): readonly string[] {
  const [command, ...rest] = args
  const hasFile = rest.some((word) => /^-i|^--input-file/.test(word))
  if (command !== 'metadata-import' || hasFile) return args
  return [command, '--input-file', `/proc/${process.pid}/fd/0`, ...rest]
}

/** A reader that went away ends nothing: what Benji does may be half done. */
function sinkOf(write: ByteWriter): Sink {
  let isLost = false
  return {
    async write(chunk) {
      if (isLost) return
      try {
        await write(chunk)
      } catch {
        isLost = true
      }
    },
  }
}
