// The demo drives Holdfast as anybody would: by its command line.
import { spawn, type ChildProcess } from 'node:child_process'

/** What `holdfast history RUN --json` tells, as far as the demo reads it. */
export interface RunReport {
  readonly id: string
  readonly plan: string
  readonly trigger: string
  readonly status: string
  readonly durationMs?: number
  readonly error?: { readonly message: string }
  readonly targets: readonly { readonly verification: string }[]
  readonly undos: readonly {
    readonly undo: string
    readonly armedAt: string
    readonly settledAt?: string
    readonly state: string
  }[]
}

/** What `holdfast list --json` tells, as far as the demo reads it. */
export interface ArtifactReport {
  readonly id: string
  readonly run: string
  readonly size: number
  readonly storedSize: number
}

/** A command line of Holdfast with everything but the command settled. */
export interface Holdfast {
  /** @returns what it printed; rejects unless it exits with `expected` */
  run(args: readonly string[], expected?: number): Promise<string>
  start(args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess
  json<T>(args: readonly string[]): Promise<T>
}

/** @param options - what every command gets: `--config`, `--state-dir` */
export function holdfastWith(options: readonly string[], env: NodeJS.ProcessEnv): Holdfast {
  const start: Holdfast['start'] = (args, more = {}) =>
    spawn('holdfast', [...args, ...options], { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] })
  const run: Holdfast['run'] = async (args, expected = 0) => {
    const child = start(args)
    const out = collect(child, 'stdout')
    const err = collect(child, 'stderr')
    const code = await ended(child)
    if (code !== expected) throw new Error(`holdfast ${args.join(' ')} exited with ${code}\n${await err}${await out}`)
    return out
  }
  return { run, start, json: async (args) => JSON.parse(await run([...args, '--json'])) as never }
}

/** The exit code of a process, or the signal that ended it. */
export function ended(child: ChildProcess): Promise<number | NodeJS.Signals> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1))
  })
}

async function collect(child: ChildProcess, from: 'stdout' | 'stderr'): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of child[from] ?? []) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
