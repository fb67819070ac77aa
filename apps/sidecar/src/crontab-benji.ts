import type { Plan } from '@holdfast/sdk'
import type { CrontabEntry } from '@holdfast/runtime'
import { backupOptions, parseBackupPvcOptions } from './compat/benji-backup-pvc-options.ts'
import { benjiCommands, parseKnownCommand } from './compat/benji-command-options.ts'
import { benjiEngine, benjiFreeze, type Variables } from './compat/benji-engine.ts'
import { parseArguments } from './compat/arguments.ts'
import { UsageError } from './compat/fridge-options.ts'
import { shellWords } from './crontab-words.ts'

/** Programs whose lines are done by Holdfast itself. */
const programs = ['benji-backup-pvc', 'benji-command', 'benji-versions-status'] as const

/**
 * What a line of Benji's tools uses instead of a shell.
 *
 * @param environment - of the process; the file's variables win
 * @returns `undefined` when it is for a shell: another program, or more than words and quotes
 * @throws UsageError for arguments that the program would refuse
 */
export async function benjiLine(entry: CrontabEntry, environment: Variables): Promise<Plan['use'] | undefined> {
  const program = programs.find((name) => entry.command.trimStart().startsWith(name))
  const [name, ...args] = (program && shellWords(entry.command)) || []
  if (program === undefined || name !== program) return undefined
  const engine = benjiEngine(environment, entry.env)
  switch (program) {
    case 'benji-backup-pvc': {
      const options = parseBackupPvcOptions(args)
      // They print something, and back nothing up.
      if (options.help || options.selectOnly) return undefined
      const { benjiBackup } = await loadPlugin()
      return [benjiBackup({ ...backupOptions(options), freeze: benjiFreeze(environment, entry.env), engine })]
    }
    case 'benji-versions-status': {
      if (parseArguments(args, [], { required: [] }).help) return undefined
      const { benjiVersionsStatus } = await loadPlugin()
      return [benjiVersionsStatus({ engine })]
    }
    case 'benji-command':
      return commandLine(args, { engine, stdin: entry.stdin })
  }
}

async function commandLine(
  args: readonly string[],
  { engine, stdin }: { readonly engine: ReturnType<typeof benjiEngine>; readonly stdin: string | undefined },
): Promise<Plan['use']> {
  const [word] = args
  if (word === undefined) throw new UsageError('a command of Benji is missing')
  if (!word.startsWith('-') && !benjiCommands.has(word)) throw new UsageError(`'${word}' is no command of Benji`)
  const known = parseKnownCommand(args)
  const { benjiCleanup, benjiCommand, benjiEnforce, benjiScrub } = await loadPlugin()
  switch (known?.command) {
    case undefined:
      return [benjiCommand({ args, stdin, engine })]
    case 'cleanup':
      return [benjiCleanup({ engine })]
    case 'enforce': {
      const { rules, filter = '' } = known
      // Exactly what it is told: whoever comes from Benji's tools expects the same versions to go.
      return [benjiEnforce({ rules, filter, protectNewestValid: false, engine })]
    }
    case 'scrub': {
      const { deep, versionPercentage, blockPercentage, filter } = known
      return [benjiScrub({ deep, versionPercentage, blockPercentage, filter, engine })]
    }
  }
}

/** Only for those who have such lines: it takes memory. */
const loadPlugin = () => import('@holdfast/plugin-benji')
