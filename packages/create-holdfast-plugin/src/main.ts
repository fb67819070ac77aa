import { resolve } from 'node:path'
import { namesOf } from './names.ts'
import { identifiersOfTemplate, writePlugin } from './write-plugin.ts'

const usage = `Usage: npm create holdfast-plugin NAME

Begins a plugin for Holdfast in ./holdfast-plugin-NAME: a schema for its options, hooks, tests with the conformance
suite, a README, and a workflow for CI. NAME is in small letters, such as redis or redis-cluster; with a scope, such as
@acme/redis, the package has it, too.
`

/** Where the command works, and what it says. */
export interface MainOptions {
  /** Default: the working directory. */
  readonly cwd?: string | undefined
  readonly out?: ((text: string) => void) | undefined
  readonly err?: ((text: string) => void) | undefined
  /** Of Node. Default: that of this process. */
  readonly node?: string | undefined
}

/** The oldest Node that runs TypeScript as it is, which the tests of a new plugin are. */
const oldestNode = [22, 19] as const

/**
 * The command.
 *
 * @returns the exit code: 0, 1 when it can't be written, 2 for what it can't understand
 */
export function main(args: readonly string[], options: MainOptions = {}): number {
  const {
    cwd = process.cwd(),
    out = (text) => process.stdout.write(text),
    err = (text) => process.stderr.write(text),
    node = process.versions.node,
  } = options
  const [name, ...more] = args
  if (name === '--help' || name === '-h') {
    out(usage)
    return 0
  }
  if (name === undefined || more.length > 0) {
    err(`${name === undefined ? 'The plugin has no name yet' : 'A plugin has one name'}.\n\n${usage}`)
    return 2
  }
  const names = namesOf(name, identifiersOfTemplate())
  if (names === undefined) {
    err(`${JSON.stringify(name)} can't be the name of a plugin.\n\n${usage}`)
    return 2
  }
  const { directory } = names
  try {
    const written = writePlugin(names, resolve(cwd, directory))
    if (written === undefined) {
      err(`There is something in ${directory} already. Nothing was written: move it, or take another name.\n`)
      return 1
    }
    const tooOld = isTooOld(node)
      ? `\nThis is Node ${node}. Building and testing it takes ${oldestNode.join('.')} or newer: install that first.\n`
      : ''
    out(
      `${written.map((path) => `  ${directory}/${path}`).join('\n')}\n\nNow:\n\n  cd ${directory}\n  npm install\n  npm test\n${tooOld}`,
    )
    return 0
  } catch (error) {
    err(`${directory} can't be written: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

function isTooOld(node: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  return major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])
}
