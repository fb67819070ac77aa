import type { ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { ChildStream } from './child.ts'
import { giveBackFifos, openToRead, openToWrite, takeFifos, type FifoEnds } from './fifo.ts'
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

/** Opens pipes for a child: FIFOs where the machine has them, else the sockets that Node makes. */
export async function openPipes({ stdin, stdout, merge }: PipeOptions): Promise<Pipes> {
  const writes = stdin === 'write'
  const reads = stdout === 'read'
  const merged = merge && reads
  const fifos = await takeFifos(Number(writes) + Number(reads) + Number(!merged))
  if (!fifos) return ordinaryPipes(stdin, stdout)

  const rest = fifos.values()
  const open = (wanted: boolean, how: typeof openToRead): FifoEnds | undefined => {
    const fifo = wanted ? rest.next().value : undefined
    return fifo && how(fifo)
  }
  const input = open(writes, openToWrite)
  const output = open(reads, openToRead)
  const errorOutput = open(!merged, openToRead)
  const child = {
    stdin: input?.reader ?? (typeof stdin === 'number' ? stdin : ('ignore' as const)),
    stdout: output?.writer ?? (stdout as number),
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
    release: () => giveBackFifos(fifos),
  }
}

function ordinaryPipes(stdin: PipeOptions['stdin'], stdout: PipeOptions['stdout']): Pipes {
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
