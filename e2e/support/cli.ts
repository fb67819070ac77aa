// Our commands as processes of this machine: the bundle that the image has, in an environment of their own.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { run, type Ended } from './kubectl.ts'

/** A command of ours. */
export type Command =
  | 'holdfast'
  | 'make-k8s-cfg-files'
  | 'benji-backup-pvc'
  | 'benji-restore-pvc'
  | 'benji-command'
  | 'benji-versions-status'

/** Where a command runs, and what it knows. */
export interface CommandOptions {
  readonly cwd: string
  /** All that it gets beside PATH and HOME: no KUBECONFIG that isn't here. */
  readonly env?: NodeJS.ProcessEnv | undefined
}

/** A process that goes on. */
export interface RunningCommand {
  /** What it has printed to both. */
  output(): string
  readonly pid: number
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<number>
}

const kit = process.env['HOLDFAST_E2E_DIR'] ?? `${process.env['HOME']}/.cache/holdfast-e2e`

/** Runs one of our commands, whatever its exit code. */
export function runCommand(command: Command, args: readonly string[], options: CommandOptions): Promise<Ended> {
  return run(process.execPath, [fileOf(command), ...args], { cwd: options.cwd, env: environment(options) })
}

/** Starts one of our commands. */
export function startCommand(command: Command, args: readonly string[], options: CommandOptions): RunningCommand {
  const env = { ...process.env, ...environment(options) }
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawn(process.execPath, [fileOf(command), ...args], { cwd: options.cwd, env, stdio: [...stdio] })
  const chunks: Buffer[] = []
  for (const from of [child.stdout, child.stderr]) from?.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? (signal ? 128 : 0)))
  })
  const { pid = NaN } = child
  return { output: () => Buffer.concat(chunks).toString(), pid, kill: (signal) => void child.kill(signal), ended }
}

/** What is kept from it is what it must not take from the tests: their administrator's KUBECONFIG, first of all. */
export function environment({ cwd, env }: CommandOptions): NodeJS.ProcessEnv {
  const hidden = Object.keys(process.env).filter((name) => /^(KUBE|HOLDFAST_|POD_|NODE_|VITEST)/.test(name))
  return {
    ...Object.fromEntries(hidden.map((name) => [name, undefined])),
    HOME: cwd,
    NODE_COMPILE_CACHE: join(kit, 'compile-cache'),
    ...env,
  }
}

function fileOf(command: Command): string {
  return join(kit, 'image-context/app/bin', `${command}.js`)
}

/** A directory with files, whose names may have directories; scripts are executable. */
export interface Project {
  readonly path: string
  at(...parts: readonly string[]): string
  write(name: string, content: string | Uint8Array, mode?: number): void
  read(name: string): string
  /** Removes a file or a directory of it; without a name, all of it. */
  remove(name?: string): void
}

/** Makes one in the directory for temporary files. */
export function createProject(files: Readonly<Record<string, string | Uint8Array>> = {}): Project {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'))
  const at = (...parts: readonly string[]): string => join(path, ...parts)
  const write = (name: string, content: string | Uint8Array, mode = 0o755): void => {
    mkdirSync(dirname(at(name)), { recursive: true })
    writeFileSync(at(name), content, { mode })
  }
  for (const [name, content] of Object.entries(files)) write(name, content)
  const read = (name: string): string => readFileSync(at(name), 'utf8')
  return { path, at, write, read, remove: (name = '') => rmSync(at(name), { recursive: true, force: true }) }
}
