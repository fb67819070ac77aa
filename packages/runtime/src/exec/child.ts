import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type * as Execa from 'execa'
import { launchError } from './launch-error.ts'

/** A child's standard streams: nothing, a pipe of Node's, or a descriptor of ours. */
export type ChildStream = 'ignore' | 'pipe' | number

/** What to start. */
export interface ChildOptions {
  readonly file: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string | undefined
  readonly stdin: ChildStream
  readonly stdout: ChildStream
  readonly stderr: ChildStream
  /** What it is told to end with, should this process end before it. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT' | undefined
}

/** How a child ended: by itself or by a signal. */
export type Exit =
  | { readonly exitCode: number; readonly signal?: undefined }
  | { readonly exitCode?: undefined; readonly signal: NodeJS.Signals }

/** A child in a process group of its own. */
export interface Child {
  readonly pid: number
  readonly process: ChildProcess
  /** Never rejects. Doesn't wait for the ends of its pipes. */
  readonly exited: Promise<Exit>
  /** Sends a signal to the child and all its descendants that didn't leave its group. */
  signal(signal: NodeJS.Signals): void
  /** Whether any process of the group lives; zombies don't. */
  lives(): boolean
}

const groups = new Map<number, NodeJS.Signals>()
let hooked = false
// With the first command: it costs 20 MB, which an idle daemon doesn't need.
let loading: Promise<typeof Execa> | undefined

/**
 * Starts a child. Should this process end before it, it is told to end as well.
 *
 * @throws HoldfastError `EXEC_NOT_FOUND`, `EXEC_NOT_EXECUTABLE`, `EXEC_FORMAT`, `EXEC_START`
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { execa } = await (loading ??= import('execa'))
  const { file, args, env, cwd, stdin, stdout, stderr, stopSignal = 'SIGTERM' } = options
  const subprocess = execa(file, args, {
    // Its types know descriptors up to 9 only.
    ...({ stdin, stdout, stderr } as { stdin: 'pipe'; stdout: 'pipe'; stderr: 'pipe' }),
    env,
    extendEnv: false,
    ...(cwd === undefined ? {} : { cwd }),
    // A group of its own; its end, its streams and its deadline are ours to look after.
    killDescendants: true,
    cleanup: false,
    buffer: false,
    reject: false,
  })
  const { pid, nodeChildProcess: process } = subprocess
  if (pid === undefined) {
    const { code, cause, originalMessage } = await subprocess
    throw launchError({ code, message: originalMessage ?? 'unknown reason', cause, file, cwd, env })
  }
  const exited = new Promise<Exit>((resolve) => {
    process.once('exit', (exitCode, signal) => {
      groups.delete(pid)
      resolve(signal === null ? { exitCode: exitCode ?? 0 } : { signal })
    })
  })
  groups.set(pid, stopSignal)
  if (!hooked) globalThis.process.once('exit', () => groups.forEach((signal, group) => signalGroup(group, signal)))
  hooked = true
  return {
    pid,
    process,
    exited,
    // A child that left its own group can still be told by itself.
    signal: (signal) => void (signalGroup(pid, signal) || process.kill(signal)),
    lives: () => signalGroup(pid, 0) && hasLivingMember(pid),
  }
}

/** @returns whether there was anybody to signal */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal)
  } catch {
    return false
  }
}

/** Where nobody reaps orphans, dead ones stay in the group for ever: their state is asked, where that can be. */
function hasLivingMember(group: number): boolean {
  let pids: string[]
  try {
    pids = readdirSync('/proc')
  } catch {
    return true
  }
  for (const pid of pids) {
    if (!/^\d+$/.test(pid)) continue
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      // After the name, which may hold anything: state, parent, group.
      const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(processGroup) === group && state !== 'Z' && state !== 'X') return true
    } catch {
      // It ended between the two reads.
    }
  }
  return false
}
