/** Arguments after parsing. */
export interface Parsed {
  /** Those that are no options. */
  readonly words: readonly string[]
  /** By long name without dashes; flags are `true`. */
  readonly options: ReadonlyMap<string, readonly string[]>
  /** An option that there is not. */
  readonly unknown: string | undefined
}

/** What options there are: name → whether it has a value. `short` gives one-letter names. */
export interface OptionTable {
  readonly options: Readonly<Record<string, boolean>>
  readonly short?: Readonly<Record<string, string>>
  /** Nothing after the first word is read. */
  readonly stopAtWord?: boolean
}

/** Parses as getopt, argparse and boost's program_options do, as far as they agree. */
export function parseArgv(argv: readonly string[], table: OptionTable): Parsed {
  const words: string[] = []
  const options = new Map<string, string[]>()
  let unknown: string | undefined
  const rest = [...argv]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      words.push(...rest)
      break
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg)
      if (table.stopAtWord === true) {
        words.push(...rest)
        break
      }
      continue
    }
    const equals = arg.startsWith('--') ? arg.indexOf('=') : -1
    const given = equals === -1 ? arg : arg.slice(0, equals)
    const name = given.startsWith('--') ? given.slice(2) : (table.short?.[given.slice(1)] ?? given)
    const takesValue = table.options[name]
    if (takesValue === undefined) {
      unknown ??= arg
      continue
    }
    const value = takesValue ? (equals === -1 ? rest.shift() : arg.slice(equals + 1)) : 'true'
    // argparse takes what begins with a dash for an option, never for a value.
    if (value === undefined || (takesValue && equals === -1 && /^-./.test(value))) unknown ??= arg
    else options.set(name, [...(options.get(name) ?? []), value])
  }
  return { words, options, unknown }
}
