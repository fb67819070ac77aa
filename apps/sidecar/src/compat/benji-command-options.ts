import { parseRetention } from '@holdfast/runtime'
import { isHoldfastError } from '@holdfast/sdk'
import { parseArguments, type OptionSpec, type ParsedArguments } from './arguments.ts'
import { UsageError } from './fridge-options.ts'

/** What Benji can do. */
export const benjiCommands: ReadonlySet<string> = new Set([
  'backup',
  'restore',
  'ls',
  'protect',
  'unprotect',
  'rm',
  'enforce',
  'label',
  'scrub',
  'deep-scrub',
  'batch-scrub',
  'batch-deep-scrub',
  'cleanup',
  'metadata-export',
  'metadata-import',
  'metadata-backup',
  'metadata-restore',
  'metadata-ls',
  'nbd',
  'storage-stats',
  'storage-usage',
  'database-init',
  'database-migrate',
  'version-info',
  'completion',
  'rest-api',
])

/** A command of Benji that Holdfast knows how to do. */
export type KnownCommand =
  | { readonly command: 'enforce'; readonly rules: string; readonly filter: string | undefined }
  | { readonly command: 'cleanup' }
  | {
      readonly command: 'scrub'
      readonly deep: boolean
      readonly versionPercentage: number | undefined
      readonly blockPercentage: number | undefined
      readonly filter: string | undefined
    }

const groupLabel: OptionSpec = { names: ['-g', '--group_label'], takes: 'value' }
const scrubOptions: readonly OptionSpec[] = [
  { names: ['-p', '--block-percentage'], takes: 'value' },
  { names: ['-P', '--version-percentage'], takes: 'value' },
  groupLabel,
]
const options: Readonly<Record<string, readonly OptionSpec[]>> = {
  enforce: [
    { names: ['--dry-run'], takes: 'flag' },
    { names: ['-k', '--keep-metadata-backup'], takes: 'flag' },
    groupLabel,
  ],
  cleanup: [{ names: ['--override-lock'], takes: 'flag' }],
  'batch-scrub': scrubOptions,
  'batch-deep-scrub': scrubOptions,
}
/** Only Benji itself does these. */
const unusual = ['--dry-run', '--keep-metadata-backup', '--group_label', '--override-lock', '--help']

/**
 * Reads the arguments of `benji-command`, as far as Holdfast does them itself.
 *
 * @returns `undefined`: it is for Benji to say what they mean
 * @throws UsageError for what Benji would refuse
 */
export function parseKnownCommand([command = '', ...args]: readonly string[]): KnownCommand | undefined {
  const specs = Object.hasOwn(options, command) ? options[command] : undefined
  if (!specs) return undefined
  const required = command === 'enforce' ? ['rules_spec'] : []
  const parsed = parseArguments(args, specs, { required, optional: command === 'cleanup' ? 0 : 1 })
  if (parsed.help || unusual.some((name) => parsed.has(name))) return undefined
  if (command === 'cleanup') return { command }
  if (command === 'enforce') {
    const [rules = '', filter] = parsed.words
    return { command, rules: rulesOf(rules), filter }
  }
  return {
    command: 'scrub',
    deep: command === 'batch-deep-scrub',
    versionPercentage: percentage(parsed, '--version-percentage'),
    blockPercentage: percentage(parsed, '--block-percentage'),
    filter: parsed.words[0],
  }
}

function rulesOf(text: string): string {
  try {
    parseRetention(text)
    return text
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    throw new UsageError(`argument rules_spec: ${error.message}`)
  }
}

function percentage(parsed: ParsedArguments, name: string): number | undefined {
  const text = parsed.value(name)
  if (text === undefined) return undefined
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= 1 && number <= 100) return number
  throw new UsageError(`argument ${name}: '${text}' is no whole number from 1 to 100`)
}
