import { closeSync, constants, openSync } from 'node:fs'
import type { ExecRequest } from '@holdfast/sdk'
import type { CommandWiring, RunningCommand } from './command.ts'
import { giveBackPipes, openEnds, takePipes } from './os-pipe.ts'
import { BrokenPipe } from './pipe-reader.ts'

/**
 * Between two stages of a pipeline. The second reads the end of its input only when the first has ended well: it must
 * not take a part for the whole, as the commands of a shell's pipeline do.
 */
export interface Link {
  /** How the first stage is started. */
  readonly writer: { readonly wiring: CommandWiring; readonly stdout: ExecRequest['stdout'] }
  /** How the second stage is started. */
  readonly reader: CommandWiring
  /** The second stage is there. */
  started(stage: RunningCommand): void
  /** The first stage has ended well. */
  finish(): void
  /** Both have settled, or never started. An end that was handed to a stage is closed already. */
  release(ends: { readonly writerHanded: boolean; readonly readerHanded: boolean }): void
}

/**
 * Links two stages by a pipe of their own, so that their bytes never pass through this process, unless somebody wants
 * to see the first one's output or such pipes can't be had.
 */
export async function linkStages(first: ExecRequest): Promise<Link> {
  const watched = first.onLine !== undefined || first.idleTimeout !== undefined
  const [pipe] = (watched ? undefined : await takePipes(1)) ?? []
  if (!pipe) return pumpedLink()

  const { reader, writer } = openEnds(pipe, 'neither')
  // Ours: as long as it is open, the second stage waits for more.
  const holder = openSync(pipe.path, constants.O_WRONLY)
  let held = true
  const finish = (): void => {
    if (held) closeSync(holder)
    held = false
  }
  return {
    writer: { wiring: { stdout: writer }, stdout: undefined },
    reader: { stdin: reader },
    started() {},
    finish,
    release({ writerHanded, readerHanded }) {
      finish()
      if (!writerHanded) closeSync(writer)
      if (!readerHanded) closeSync(reader)
      giveBackPipes([pipe])
    },
  }
}

function pumpedLink(): Link {
  const second = Promise.withResolvers<RunningCommand>()
  second.promise.catch(() => {})
  const write = async (chunk: Uint8Array): Promise<void> => {
    const { stdin } = await second.promise
    if (!(await stdin?.write(chunk))) throw new BrokenPipe()
  }
  return {
    writer: { wiring: {}, stdout: { write } },
    reader: { stdin: 'open' },
    started: (stage) => second.resolve(stage),
    finish: () => void second.promise.then((stage) => stage.stdin?.end()),
    release: () => second.reject(new BrokenPipe()),
  }
}
