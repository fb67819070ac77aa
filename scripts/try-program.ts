import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { env } from 'node:process'

/** How a program is tried. */
export interface TryProgramOptions {
  readonly cwd: string
  /** What is said before its output when it fails. */
  readonly title: string
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** What must not be in its output. */
  readonly never?: string | undefined
}

let running = 0
const waiting: (() => void)[] = []

/**
 * Runs a program, with as many others at once as there are processors.
 *
 * @returns nothing, or what it printed when it failed
 */
export async function tryProgram(
  [command = '', ...args]: readonly string[],
  { cwd, title, env: variables = {}, never }: TryProgramOptions,
): Promise<readonly string[]> {
  if (running >= availableParallelism()) await new Promise<void>((resolve) => waiting.push(resolve))
  running += 1
  try {
    const { failed, output } = await new Promise<{ readonly failed: boolean; readonly output: string }>((resolve) => {
      const options = { cwd, env: { ...env, ...variables }, maxBuffer: 100_000_000 }
      execFile(command, args, options, (error, stdout, stderr) => {
        resolve({ failed: error !== null, output: `${stdout}${stderr}` })
      })
    })
    return failed || (never !== undefined && output.includes(never)) ? [`${title}:\n${output}`] : []
  } finally {
    running -= 1
    waiting.shift()?.()
  }
}

/** Tries several, each for itself. */
export async function all(tried: readonly Promise<readonly string[]>[]): Promise<readonly string[]> {
  return (await Promise.all(tried)).flat()
}

/** Tries several, one after the other, up to the first that fails. */
export async function inOrder(steps: readonly (() => Promise<readonly string[]>)[]): Promise<readonly string[]> {
  for (const step of steps) {
    const problems = await step()
    if (problems.length > 0) return problems
  }
  return []
}
