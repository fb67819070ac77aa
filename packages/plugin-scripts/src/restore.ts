import { createHash, randomUUID } from 'node:crypto'
import { link, lstat, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Bytes, Json, RestoreDefinition } from '@holdfast/sdk'
import * as z from 'zod'
import { artifactOf, artifactVariables, type ArtifactPoint } from './artifact-variables.ts'
import type { ScriptsConfig } from './config.ts'
import { errors } from './errors.ts'
import { scriptsOf } from './hook-scripts.ts'
import { readScriptSet } from './script-set.ts'

const restoreOptions = z.strictObject({
  /** A directory; relative to the working directory. */
  path: z.string().min(1).optional(),
})

/** How a set of scripts is restored. */
export type ScriptsRestore = RestoreDefinition<ScriptsConfig, typeof restoreOptions>

/**
 * Restores an artifact: the scripts of `restore` get its bytes, one after the other; without scripts it becomes a file
 * in the directory of `--to path=…`.
 *
 * @param target - what the set is called as a target
 */
export function createRestore(target: string): ScriptsRestore {
  return {
    options: restoreOptions,
    async run(ctx): Promise<{ where: Json }> {
      const { point, options, config } = ctx
      const artifact = artifactOf(point) ?? { id: point.id, name: point.id, size: point.size, sha256: undefined }
      const to = options.path === undefined ? undefined : resolve(options.path)
      const hook = await scriptsOf(ctx, await readScriptSet(config), 'restore', target, {
        ...artifactVariables(artifact),
        ...(to !== undefined && { HOLDFAST_RESTORE_TO: to }),
      })
      if (hook.scripts.length > 0) {
        for (const script of hook.scripts) await hook.run(script, { stdin: ctx.openArtifact(artifact.id) })
        return { where: to ?? hook.scripts.map(({ path }) => path) }
      }
      if (to === undefined) throw errors.RESTORE_NO_DIRECTORY({ artifact: artifact.name })
      return { where: await restoreFile(ctx.openArtifact(artifact.id), artifact, to, ctx.force) }
    },
  }
}

/** Writes an artifact to a directory: nothing is in place before its digest has been checked. */
async function restoreFile(bytes: Bytes, artifact: ArtifactPoint, directory: string, force: boolean): Promise<string> {
  await mkdir(directory, { recursive: true })
  const file = join(directory, fileNameOf(artifact.name))
  // Asked again when it is put in place; this saves reading everything first.
  if (!force && (await lstat(file).catch(() => undefined))) throw errors.RESTORE_NOT_EMPTY({ file })
  const temporary = join(directory, `.holdfast-restore-${randomUUID()}`)
  try {
    const digest = createHash('sha256')
    const handle = await open(temporary, 'wx', 0o600)
    try {
      for await (const chunk of bytes) {
        digest.update(chunk)
        await handle.writeFile(chunk)
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    const found = digest.digest('hex')
    if (artifact.sha256 !== undefined && artifact.sha256 !== found) {
      throw errors.RESTORE_DAMAGED({ artifact: artifact.name, expected: artifact.sha256, found })
    }
    await (force ? rename(temporary, file) : putNew(temporary, file))
  } finally {
    await rm(temporary, { force: true })
  }
  return file
}

/** Gives a file its name unless something has it already: `rename` would replace that. */
async function putNew(temporary: string, file: string): Promise<void> {
  const taken = (error: unknown): boolean => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false
    throw errors.RESTORE_NOT_EMPTY({ file }, { cause: error })
  }
  try {
    await link(temporary, file)
  } catch (error) {
    if (taken(error)) return
    // A file system without hard links: an empty file takes the name first.
    await writeFile(file, '', { flag: 'wx' }).catch((failure: unknown) => {
      if (!taken(failure)) throw failure
    })
    await rename(temporary, file)
  }
}

/** An artifact's name as one component of a path. */
function fileNameOf(name: string): string {
  const isPlain = !/[/\0]/.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 200
  return isPlain ? name : encodeURIComponent(name).replaceAll('.', '%2E').slice(0, 200)
}
