// The cluster as an administrator sees it: kubectl of the kit, with the kit's kubeconfig.
import { spawn } from 'node:child_process'

/** How a command ended. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Options of {@link run}. */
export interface RunCommandOptions {
  readonly input?: string | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly cwd?: string | undefined
}

/** Runs a program and waits for it, whatever its exit code. */
export function run(program: string, args: readonly string[], options: RunCommandOptions = {}): Promise<Ended> {
  const { input, env, cwd } = options
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdin.on('error', () => {})
    child.once('error', reject)
    child.once('close', (code, signal) =>
      resolve({
        code: code ?? (signal ? 128 : 0),
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    )
    child.stdin.end(input)
  })
}

/** Runs a program that must succeed. @returns its standard output */
export async function succeed(program: string, args: readonly string[], options?: RunCommandOptions): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`)
  return stdout
}

/** kubectl that must succeed. */
export function kubectl(args: readonly string[], options?: RunCommandOptions): Promise<string> {
  return succeed('kubectl', args, options)
}

/** An object, or `undefined` where there is none. */
export async function getObject<T = Record<string, unknown>>(
  type: string,
  name: string,
  namespace: string,
): Promise<T | undefined> {
  const { code, stdout, stderr } = await run('kubectl', ['-n', namespace, 'get', type, name, '-o', 'json'])
  if (code === 0) return JSON.parse(stdout) as T
  if (stderr.includes('NotFound')) return undefined
  throw new Error(stderr)
}

/** The objects of a type. */
export async function listObjects<T = Record<string, unknown>>(
  type: string,
  namespace: string,
  more: readonly string[] = [],
): Promise<readonly T[]> {
  const text = await kubectl(['-n', namespace, 'get', type, '-o', 'json', ...more])
  return (JSON.parse(text) as { items: T[] }).items
}

/** Applies objects. */
export async function apply(...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects }
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(list) })
}

/** Asks again and again until the answer is there; fails with the last error, or what was seen last. */
export async function waitFor<T>(what: string, ask: () => Promise<T | undefined | false>, seconds = 60): Promise<T> {
  const end = Date.now() + seconds * 1000
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
      last = answer
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`gave up waiting for ${what} after ${seconds} s`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
