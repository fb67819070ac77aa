import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'

/** A process that was started. */
export interface StartedProcess {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Standard output and error as one, in the order in which they arrived. */
  output(): Buffer
  /** Resolves when the text was printed to either. */
  printed(text: string): Promise<void>
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/** How a process is started. */
export interface StartProcessOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  /** Where standard output and error go to; what goes to a descriptor can't be looked at. */
  readonly to?: readonly ['pipe' | number, 'pipe' | number]
}

/** Starts a command of the bundle, as it is installed (`npm run build` makes it); it starts five times as fast. */
export function startProcess(
  command: 'holdfast' | 'fridge',
  args: readonly string[],
  options: StartProcessOptions,
): StartedProcess {
  return follow([join(import.meta.dirname, '../../bin', `${command}.js`), ...args], options)
}

/** Starts Node. */
export function follow(
  args: readonly string[],
  { cwd, env, to = ['pipe', 'pipe'] }: StartProcessOptions,
): StartedProcess {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], HOLDFAST_LISTEN: '0', ...env },
    stdio: ['ignore', ...to],
  })
  const chunks: { readonly from: 'stdout' | 'stderr'; readonly bytes: Buffer }[] = []
  const waiting = new Set<() => void>()
  for (const from of ['stdout', 'stderr'] as const) {
    child[from]?.on('data', (bytes: Buffer) => {
      chunks.push({ from, bytes })
      for (const look of waiting) look()
    })
  }
  const of = (from: 'stdout' | 'stderr'): string =>
    Buffer.concat(chunks.filter((chunk) => chunk.from === from).map(({ bytes }) => bytes)).toString()
  const output = (): Buffer => Buffer.concat(chunks.map(({ bytes }) => bytes))
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  return {
    child,
    stdout: () => of('stdout'),
    stderr: () => of('stderr'),
    output,
    ended,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output().includes(text)) resolve()
        }
        waiting.add(look)
        void ended.then(() => reject(new Error(`it ended without printing ${text}:\n${output().toString()}`)))
        look()
      }),
  }
}
