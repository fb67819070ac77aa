import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ArmedUndo, Bytes, Logger } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { formatBytes } from '../format-bytes.ts'
import { reasonOf } from '../failure.ts'
import { assertFree, restoreFile } from './file.ts'
import { findPartials, removePartial } from './partial.ts'
import { fileAt } from './place.ts'
import { nearestDirectory, type SpaceCheck } from './space.ts'
import type { UnfinishedRestore } from './unfinished.ts'

/** What has to be known of an artifact that becomes a file. */
export interface RestorableArtifact {
  readonly id: string
  readonly name: string
  /** Bytes. */
  readonly size: number
}

/** Options of {@link createArtifactWriter}. */
export interface CreateArtifactWriterOptions {
  /** Decoded bytes, that fail at the end if they are not the right ones. */
  readonly open: (artifact: RestorableArtifact) => Bytes
  readonly force: boolean
  /** Relative places are below it. */
  readonly cwd: string
  /** More than one artifact goes to the same place, which is a directory then. */
  readonly several: boolean
  readonly space: SpaceCheck
  /** What became which file, where several writers are at work on one restore. Default: a list of its own. */
  readonly taken?: Map<string, string> | undefined
  readonly log: Pick<Logger, 'warn'>
  /** Arms what removes a half restored file after a crash. Default: the next restore to the same place finds it. */
  readonly arm?: ((unfinished: UnfinishedRestore) => Promise<ArmedUndo>) | undefined
}

/** Makes files of artifacts: never over one that is there unless forced, and whole or not at all. */
export interface ArtifactWriter {
  /**
   * Looks whether it can be written, and changes nothing.
   *
   * @returns the file that it becomes
   * @throws HoldfastError `RESTORE_EXISTS`, `RESTORE_TWICE`, `RESTORE_SPACE`, `RESTORE_UNWRITABLE`
   */
  check(artifact: RestorableArtifact, to: string): Promise<string>
  /**
   * @returns the file
   * @throws HoldfastError `RESTORE_EXISTS`, `RESTORE_TWICE`, `RESTORE_UNWRITABLE`, or what reading threw
   */
  write(artifact: RestorableArtifact, to: string): Promise<string>
}

/** Makes a writer for one restore. */
export function createArtifactWriter(options: CreateArtifactWriterOptions): ArtifactWriter {
  const { open, force, space, taken = new Map<string, string>(), log, arm } = options
  const pathOf = ({ id, name }: RestorableArtifact, to: string): string => {
    const path = fileAt(to, name, options)
    const other = taken.get(path) ?? id
    if (other !== id) throw errors.RESTORE_TWICE({ path, artifact: id, other })
    taken.set(path, id)
    return path
  }
  return {
    async check(artifact, to) {
      const { size } = artifact
      const path = pathOf(artifact, to)
      await assertFree(path, force)
      await assertWritable(path)
      const left = (await findPartials(path)).filter(({ isAlive }) => !isAlive)
      const freed = left.reduce((sum, partial) => sum + partial.size, 0)
      await space.require(Math.max(0, size - freed), dirname(path))
      return path
    },
    async write(artifact, to) {
      const path = pathOf(artifact, to)
      for (const partial of await findPartials(path)) {
        if (partial.isAlive) {
          log.warn(`another restore to ${path} is going on: the first one to end wins`)
          continue
        }
        log.warn(
          `${path} was half restored by a process that is gone: its ${formatBytes(partial.size)}, in ${partial.path}, are removed, and it is restored from the start`,
        )
        await removePartial(partial)
      }
      const { id } = artifact
      await restoreFile({
        path,
        bytes: open(artifact),
        force,
        arm: arm && ((partial) => arm({ artifact: id, file: path, partial })),
      })
      return path
    },
  }
}

async function assertWritable(path: string): Promise<void> {
  const directory = await nearestDirectory(dirname(path))
  try {
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw errors.RESTORE_UNWRITABLE({ path, reason: reasonOf(error) }, { cause: error })
  }
}
