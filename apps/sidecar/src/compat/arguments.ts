// Reads arguments as Python's argparse does, which the commands of Benji's Kubernetes tools were written with.
import { UsageError } from './fridge-options.ts'

/** An option: its names, and whether a value follows. */
export interface OptionSpec {
  readonly names: readonly [string, ...string[]]
  /** `flag`: none. `value`: one, the last wins. `values`: may be given more than once. */
  readonly takes: 'flag' | 'value' | 'values'
}

/** Arguments, taken apart. */
export interface ParsedArguments {
  /** `-h`: whatever follows it doesn't matter. */
  readonly help: boolean
  /** What is no option, in order. */
  readonly words: readonly string[]
  has(name: string): boolean
  /** The last value of an option. */
  value(name: string): string | undefined
  /** All values of an option. */
  all(name: string): readonly string[]
}

/** What positional arguments there are; `rest`: any number of further ones is allowed. */
export interface PositionalSpec {
  readonly required: readonly string[]
  readonly optional?: number | undefined
  readonly rest?: boolean | undefined
}

const help: OptionSpec = { names: ['-h', '--help'], takes: 'flag' }

/**
 * Takes arguments apart: `--name value`, `--name=value`, `-nvalue`, `-n=value`, unambiguous beginnings of long names,
 * options anywhere, and nothing but words after `--`.
 *
 * @param options - each is known by its last name
 * @throws UsageError in argparse's words
 */
export function parseArguments(
  args: readonly string[],
  options: readonly OptionSpec[],
  { required, optional = 0, rest: takesRest = false }: PositionalSpec,
): ParsedArguments {
  const specs = [help, ...options]
  const found = new Map<OptionSpec, string[]>()
  const words: string[] = []
  const unknown: string[] = []
  const rest = [...args]
  let isHelp = false
  while (!isHelp && rest.length > 0) {
    const [word = ''] = rest.splice(0, 1)
    if (word === '--') {
      words.push(...rest.splice(0))
      break
    }
    const option = readOption(word, specs)
    if (option === 'word') words.push(word)
    else if (option === 'unknown') unknown.push(word)
    else {
      const { spec, explicit } = option
      const values = found.get(spec) ?? []
      found.set(spec, values)
      const shown = spec.names.join('/')
      if (spec.takes === 'flag') {
        isHelp = spec === help
        if (explicit === undefined) continue
        // `-fv` is `-f -v`.
        if (!word.startsWith('--') && !explicit.startsWith('=')) rest.unshift(`-${explicit}`)
        else throw new UsageError(`argument ${shown}: ignored explicit argument '${explicit.replace(/^=/, '')}'`)
        continue
      }
      const next = explicit?.replace(/^=/, '') ?? (isValue(rest[0], specs) ? rest.shift() : undefined)
      if (next === undefined) throw new UsageError(`argument ${shown}: expected one argument`)
      values.push(next)
    }
  }
  if (!isHelp) {
    const missing = required.slice(words.length)
    if (missing.length > 0) throw new UsageError(`the following arguments are required: ${missing.join(', ')}`)
    const more = takesRest ? unknown : [...unknown, ...words.slice(required.length + optional)]
    if (more.length > 0) throw new UsageError(`unrecognized arguments: ${more.join(' ')}`)
  }
  const valuesOf = (name: string): readonly string[] | undefined => {
    for (const [spec, values] of found) if (spec.names.includes(name)) return values
    return undefined
  }
  return {
    help: isHelp,
    words,
    has: (name) => valuesOf(name) !== undefined,
    value: (name) => valuesOf(name)?.at(-1),
    all: (name) => valuesOf(name) ?? [],
  }
}

type Option = 'word' | 'unknown' | { readonly spec: OptionSpec; readonly explicit?: string | undefined }

function readOption(word: string, specs: readonly OptionSpec[]): Option {
  if (!word.startsWith('-') || word === '-') return 'word'
  const exact = specs.find(({ names }) => names.includes(word))
  if (exact) return { spec: exact }
  const [, long = word, explicit] = /^(--?[^=]+)=(.*)$/s.exec(word) ?? []
  const assigned = explicit === undefined ? undefined : specs.find(({ names }) => names.includes(long))
  if (assigned) return { spec: assigned, explicit: `=${explicit}` }
  if (word.startsWith('--')) {
    const fitting = specs.flatMap((spec) =>
      spec.names.filter((name) => name.startsWith(long)).map((name) => ({ spec, name })),
    )
    if (fitting.length > 1) {
      throw new UsageError(`ambiguous option: ${word} could match ${fitting.map(({ name }) => name).join(', ')}`)
    }
    const [only] = fitting
    if (only) return { spec: only.spec, explicit: explicit === undefined ? undefined : `=${explicit}` }
  } else {
    const short = specs.find(({ names }) => names.includes(word.slice(0, 2)))
    if (short) return { spec: short, explicit: word.slice(2) }
  }
  // A negative number, and a sentence that begins with a dash, are no options.
  return /^-(?:\d+|\d*\.\d+)$/.test(word) || word.includes(' ') ? 'word' : 'unknown'
}

function isValue(word: string | undefined, specs: readonly OptionSpec[]): boolean {
  return word !== undefined && word !== '--' && readOption(word, specs) === 'word'
}
