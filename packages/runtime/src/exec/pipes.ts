import type { ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { ChildStream } from './child.ts'
import { giveBackPipes, openEnds, takePipes, type PipeEnds } from './os-pipe.ts'
import type { PipeSource } from './pipe-reader.ts'
import type { StdinTarget } from './stdin.ts'

/** How a child's streams are wanted. A descriptor is handed over: it is closed here once the child has it. */
export interface PipeOptions {
  /** `'none'`: /dev/null. */
  readonly stdin: 'none' | 'write' | number
  readonly stdout: 'read' | number
  /** One pipe for standard output and error, so that they arrive in the order in which they were written. */
  readonly merge: boolean
}

/** The pipes of one child. */
export interface Pipes {
  readonly stdin: ChildStream
  readonly stdout: ChildStream
  readonly stderr: ChildStream
  /** Whether standard error arrives through standard output. */
  readonly merged: boolean
  /** Closes our copies of the child's ends, once it has them or never will. */
  handedOver(): void
  /** Our own ends. Whoever gets them closes them. */
  ends(process: ChildProcess): {
    readonly stdin: StdinTarget | undefined
    readonly stdout: PipeSource | undefined
    readonly stderr: PipeSource | undefined
  }
  /** Closes our own ends of a child that never started. */
  abandon(): void
  /** The command has settled, and our ends are closed. */
  release(): void
}

/** Opens pipes for a child: those of the system where they can be had, else the sockets that Node makes. */
export async function openPipes({ stdin, stdout, merge }: PipeOptions): Promise<Pipes> {
  const writes = stdin === 'write'
  const reads = stdout === 'read'
  const merged = merge && reads
  const pipes = await takePipes(Number(writes) + Number(reads) + Number(!merged))
  if (!pipes) return nodePipes(stdin, stdout)

  const rest = pipes.values()
  const opened: PipeEnds[] = []
  const open = (wanted: boolean, ours: 'reader' | 'writer'): PipeEnds | undefined => {
    const pipe = wanted ? rest.next().value : undefined
    if (!pipe) return undefined
    const ends = openEnds(pipe, ours)
    opened.push(ends)
    return ends
  }
  let input, output, errorOutput
  try {
    input = open(writes, 'writer')
    output = open(reads, 'reader')
    errorOutput = open(!merged, 'reader')
  } catch (error) {
    closeAll(opened.flatMap(({ reader, writer }) => [reader, writer]))
    giveBackPipes(pipes)
    throw error
  }
  const child = {
    stdin: input?.reader ?? (typeof stdin === 'number' ? stdin : ('ignore' as const)),
    stdout: output?.writer ?? (typeof stdout === 'number' ? stdout : ('ignore' as const)),
    stderr: errorOutput?.writer ?? output?.writer ?? ('ignore' as const),
  }
  return {
    ...child,
    merged,
    handedOver: () => closeAll(Object.values(child)),
    ends: () => ({
      stdin: input && { fd: input.writer },
      stdout: output && { fd: output.reader },
      stderr: errorOutput && { fd: errorOutput.reader },
    }),
    abandon: () => closeAll([input?.writer, output?.reader, errorOutput?.reader]),
    release: () => giveBackPipes(pipes),
  }
}

function nodePipes(stdin: PipeOptions['stdin'], stdout: PipeOptions['stdout']): Pipes {
  return {
    stdin: stdin === 'none' ? 'ignore' : stdin === 'write' ? 'pipe' : stdin,
    stdout: stdout === 'read' ? 'pipe' : stdout,
    stderr: 'pipe',
    merged: false,
    handedOver: () => closeAll([stdin, stdout]),
    ends: (process) => ({
      stdin: process.stdin ? { stream: process.stdin } : undefined,
      stdout: process.stdout ? { stream: process.stdout } : undefined,
      stderr: process.stderr ? { stream: process.stderr } : undefined,
    }),
    abandon() {},
    release() {},
  }
}

function closeAll(streams: readonly (number | string | undefined)[]): void {
  for (const fd of new Set(streams)) if (typeof fd === 'number') closeSync(fd)
}
