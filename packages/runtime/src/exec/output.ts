import type { Writable } from 'node:stream'
import type { Logger } from '@holdfast/sdk'
import { createByteWriter, type ByteWriter } from './byte-writer.ts'

/** Where the output of commands goes whose streams are `'log'`: a terminal, a container's log, log lines. */
export interface ExecOutput {
  /** Called once per command. */
  open(label: ExecOutputLabel): ExecOutputStream
}

/** Whose output it is. */
export interface ExecOutputLabel {
  /** The program or script, without its arguments. */
  readonly command: string
  /** The log of whoever runs it: of a run, its hook, its target. */
  readonly log?: Pick<Logger, 'info' | 'warn'> | undefined
}

/** Takes the output of one command. */
export interface ExecOutputStream {
  /**
   * Takes bytes, secrets already blanked, in the order in which they were written. Waiting for the result slows the
   * command down. The chunk is valid only until then. An error here never fails the command.
   */
  write(chunk: Uint8Array, from: 'stdout' | 'stderr'): void | Promise<void>
  /** The command has ended. */
  end(): void
}

/** Options of {@link rawOutput}. */
export interface RawOutputOptions {
  /** A descriptor is preferred: it is written to without blocking the process, however slow its reader is. */
  readonly stdout: number | Writable
  readonly stderr: number | Writable
  /** Hears it once when a destination can't be written to any more; the commands go on. */
  readonly log?: Pick<Logger, 'warn'> | undefined
}

/**
 * Passes bytes straight through, untouched but for secrets: for terminals, and where the output of scripts is the log.
 * A slow destination slows the commands down.
 */
export function rawOutput({ stdout, stderr, log }: RawOutputOptions): ExecOutput {
  const guard = (to: number | Writable): ByteWriter => {
    const writer = createByteWriter(to)
    let lost = false
    const lose = (error: unknown): void => {
      if (!lost) log?.warn('the output of scripts can no longer be written and is dropped from here on', { error })
      lost = true
    }
    return (chunk) => {
      if (lost) return
      try {
        return writer(chunk)?.catch(lose)
      } catch (error) {
        lose(error)
      }
    }
  }
  const writers = { stdout: guard(stdout), stderr: stderr === stdout ? undefined : guard(stderr) }
  return {
    open: () => ({
      write: (chunk, from) => (from === 'stderr' && writers.stderr ? writers.stderr : writers.stdout)(chunk),
      end() {},
    }),
  }
}

/** Opens an output for one command so that no error of it reaches the command; the first one is logged. */
export function openOutput(
  output: ExecOutput,
  label: ExecOutputLabel,
  log: Pick<Logger, 'info' | 'warn'>,
): ExecOutputStream {
  let lost = false
  const lose = (error: unknown): void => {
    if (!lost) log.warn(`the output of ${label.command} could not be passed on`, { ...label, error })
    lost = true
  }
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return lost ? undefined : work()
    } catch (error) {
      lose(error)
      return undefined
    }
  }
  const stream = attempt(() => output.open({ ...label, log }))
  return {
    write: (chunk, from) => attempt(() => stream?.write(chunk, from))?.catch(lose),
    end: () => attempt(() => stream?.end()),
  }
}
