// `benji-versions-status`, as users of Benji's Kubernetes tools know it, on Holdfast's engine.
import type { Plan } from '@holdfast/sdk'
import type { Io } from '../io.ts'
import { parseArguments } from './arguments.ts'
import { benjiEngine } from './benji-engine.ts'
import {
  benjiEnvironment,
  configurationOf,
  readArguments,
  runFree,
  slotsOf,
  withContext,
  withSession,
  type BenjiProgram,
} from './benji-run.ts'

const program: BenjiProgram = {
  name: 'benji-versions-status',
  usage: 'usage: benji-versions-status [-h]\n',
  help: `Counts Benji's versions that are invalid, and those that are incomplete for more than a day: in the log, and as the
metrics benji_invalid_versions and benji_older_incomplete_versions.

options:
  -h, --help          show this help message and exit

${benjiEnvironment}
exit codes: 0 they were counted, whatever the numbers; 1 they were not; 2 wrong usage.
`,
}

/** Runs `benji-versions-status`. @returns the exit code */
export async function runBenjiVersionsStatus(args: readonly string[], io: Io): Promise<number> {
  const options = readArguments(program, io, () => parseArguments(args, [], { required: [] }))
  if (typeof options === 'number') return options
  return withContext(io, async (context) => {
    const { benjiVersionsStatus } = await import('@holdfast/plugin-benji')
    const plan: Plan = { name: program.name, use: [benjiVersionsStatus({ engine: benjiEngine(io.env) })] }
    const plans = slotsOf(plan)
    return withSession(context, await configurationOf(context, plans), (started) => runFree(started, plans))
  })
}
