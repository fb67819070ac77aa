import type { BenjiEngine } from '../engine.ts'
import type { BenjiBackupRequest, BenjiBatchScrubRequest } from './benji.ts'

/** A command of Benji's with what follows it. */
export interface BenjiCommand {
  readonly name: string
  readonly options?: readonly (string | undefined)[] | undefined
  /** They come after `--`: none is taken for an option. */
  readonly words?: readonly string[] | undefined
}

/**
 * Program and arguments. Global options stand before the command, values with their options in one word: what begins with
 * a dash stays a value.
 */
export function benjiArguments(engine: BenjiEngine | undefined, command: BenjiCommand): readonly [string, ...string[]] {
  const [program, ...leading] = engine?.command ?? ['benji']
  const options = (command.options ?? []).filter((option) => option !== undefined)
  const words = command.words ?? []
  return [
    program,
    ...leading,
    ...(engine?.configFile === undefined ? [] : [`--config-file=${engine.configFile}`]),
    '--machine-output',
    // Some things are said at this level alone; what is passed on is chosen later.
    `--log-level=${engine?.logLevel === 'DEBUG' ? 'DEBUG' : 'INFO'}`,
    command.name,
    ...options,
    ...(words.length === 0 ? [] : ['--', ...words]),
  ]
}

/** `name=value`, if there is a value. */
export function valueOption(name: string, value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : `--${name}=${value}`
}

/** `--name`, if it is on. */
export function flagOption(name: string, on: boolean | undefined): string | undefined {
  return on === true ? `--${name}` : undefined
}

/** `benji backup`. */
export function backupCommand(engine: BenjiEngine | undefined, request: BenjiBackupRequest): BenjiCommand {
  const { uid, snapshot, hints, base, labels, blockSize, source, volume } = request
  return {
    name: 'backup',
    options: [
      valueOption('uid', uid),
      valueOption('snapshot', snapshot),
      valueOption('rbd-hints', hints),
      valueOption('base-version', base),
      valueOption('block-size', blockSize),
      valueOption('storage', engine?.storage),
      ...Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`),
    ],
    words: [source, volume],
  }
}

/** `benji batch-scrub` and `benji batch-deep-scrub`. */
export function batchScrubCommand(request: BenjiBatchScrubRequest): BenjiCommand {
  const { deep, versionPercentage, blockPercentage, filter } = request
  return {
    name: deep ? 'batch-deep-scrub' : 'batch-scrub',
    options: [valueOption('version-percentage', versionPercentage), valueOption('block-percentage', blockPercentage)],
    words: filterWords(filter),
  }
}

/** No filter, and not an empty one, is how all versions are meant. */
export function filterWords(filter: string | undefined): readonly string[] {
  return filter === undefined || filter.trim() === '' ? [] : [filter]
}
