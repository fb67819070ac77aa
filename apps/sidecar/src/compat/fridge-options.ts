/** What `fridge` was asked for. */
export interface FridgeOptions {
  readonly initialize: boolean
  readonly run: boolean
  readonly help: boolean
  /** The directory that holds a directory per hook; `undefined`: the default. */
  readonly scriptsPath: string | undefined
  /** The crontab to write; `undefined`: the default, where it can be written. */
  readonly cronPath: string | undefined
}

/** What is wrong with the arguments, in one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const flags = {
  '-i': 'initialize',
  '--initialize': 'initialize',
  '-r': 'run',
  '--run': 'run',
  '-h': 'help',
  '--help': 'help',
} as const
const valued = {
  '-csp': 'scriptsPath',
  '--container-scripts-path': 'scriptsPath',
  '-c': 'cronPath',
  '--cron-path': 'cronPath',
} as const

type Flag = keyof typeof flags
type Valued = keyof typeof valued
const names: readonly string[] = [...Object.keys(flags), ...Object.keys(valued)]

/**
 * Reads the arguments as sidefridge's parser did: unambiguous beginnings of long names, `--name=value`, `-cVALUE` and
 * `-ir` are understood.
 *
 * @throws UsageError
 */
export function parseFridgeOptions(args: readonly string[]): FridgeOptions {
  const found = {
    initialize: false,
    run: false,
    help: false,
    scriptsPath: undefined as string | undefined,
    cronPath: undefined as string | undefined,
  }
  const rest = [...args]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const { name, value, more } = readOption(word)
    if (more !== undefined) rest.unshift(more)
    if (name in flags) {
      if (value !== undefined) throw new UsageError(`argument ${name}: ignored explicit argument '${value}'`)
      found[flags[name as Flag]] = true
      continue
    }
    const next = value ?? rest.shift()
    if (next === undefined || (value === undefined && next.startsWith('-') && next !== '-')) {
      throw new UsageError(`argument ${name}: expected one argument`)
    }
    found[valued[name as Valued]] = next
  }
  return found
}

interface Option {
  readonly name: string
  readonly value?: string | undefined
  /** Further short options that were written together with this one. */
  readonly more?: string | undefined
}

function readOption(word: string): Option {
  if (names.includes(word)) return { name: word }
  if (word.startsWith('--')) {
    const [, long = word, value] = /^([^=]+)=(.*)$/s.exec(word) ?? []
    const fitting = names.filter((name) => name.startsWith('--') && name.startsWith(long))
    const [name] = fitting.includes(long) ? [long] : fitting
    if (long.length > 2 && fitting.length > 1 && name !== long) {
      throw new UsageError(`ambiguous option: ${long} could match ${fitting.join(', ')}`)
    }
    if (long.length > 2 && name !== undefined) return { name, value }
  } else if (/^-[ircs]/.test(word)) {
    const [, name = '', value = ''] = /^(-csp|-[irc])=?(.*)$/s.exec(word) ?? []
    if (name in valued) return { name, value }
    if (name in flags) return { name, more: `-${value}` }
  }
  throw new UsageError(`unrecognized arguments: ${word}`)
}
