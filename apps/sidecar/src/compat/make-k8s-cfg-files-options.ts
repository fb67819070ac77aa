import { UsageError } from './fridge-options.ts'

/** What `make-k8s-cfg-files` was asked for. */
export interface CfgFilesOptions {
  readonly help: boolean
  /** Where the scripts are in the container. */
  readonly scriptsPath: string
  readonly namespace: string
  readonly project: string
  readonly container: string
  readonly input: string
  readonly output: string
}

const positional = ['NAMESPACE', 'PROJECT_NAME', 'CONTAINER_NAME', 'INPUT_DIR', 'OUTPUT_DIR'] as const
const long = '--container-scripts-path'

/**
 * Reads the arguments as sidefridge's parser did: options anywhere, unambiguous beginnings of the long name, `-cspPATH`,
 * and nothing but arguments after `--`.
 *
 * @throws UsageError
 */
export function parseCfgFilesOptions(args: readonly string[]): CfgFilesOptions {
  const words: string[] = []
  const unknown: string[] = []
  let scriptsPath = '/scripts'
  let help = false
  const rest = [...args]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const option = readOption(word)
    if (word === '--') words.push(...rest.splice(0))
    else if (option === 'argument') words.push(word)
    else if (option === 'unknown') unknown.push(word)
    else if (option === 'help') help = true
    else {
      const value = option.value ?? rest.shift()
      if (value === undefined || (option.value === undefined && isOption(value))) {
        throw new UsageError(`argument -csp/${long}: expected one argument`)
      }
      scriptsPath = value
    }
    // Whatever follows it, as there.
    if (help) break
  }
  const missing = positional.slice(words.length)
  if (!help && missing.length > 0) {
    throw new UsageError(`the following arguments are required: ${missing.join(', ')}`)
  }
  const more = [...unknown, ...words.slice(positional.length)]
  if (!help && more.length > 0) throw new UsageError(`unrecognized arguments: ${more.join(' ')}`)
  const [namespace = '', project = '', container = '', input = '', output = ''] = words
  return { help, scriptsPath, namespace, project, container, input, output }
}

function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-'
}

function readOption(word: string): 'argument' | 'unknown' | 'help' | { readonly value: string | undefined } {
  if (!isOption(word)) return 'argument'
  if (word === '-h' || (word.length > 2 && '--help'.startsWith(word))) return 'help'
  const [, name = word, value] = /^(--[^=]*)=(.*)$/s.exec(word) ?? []
  if (name.length > 2 && long.startsWith(name)) return { value }
  if (word.startsWith('-csp'))
    return { value: word === '-csp' ? undefined : word.slice('-csp'.length).replace(/^=/, '') }
  return 'unknown'
}
