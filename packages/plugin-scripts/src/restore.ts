import { resolve } from 'node:path'
import type { PlannedStep, RestoreCheckContext, RestoreDefinition, RestorePoint } from '@holdfast/sdk'
import * as z from 'zod'
import { artifactOf, artifactVariables, type ArtifactPoint } from './artifact-variables.ts'
import { refusal } from './check.ts'
import type { ScriptsConfig } from './config.ts'
import { errors } from './errors.ts'
import { scriptsOf } from './hook-scripts.ts'
import { readScriptSet } from './script-set.ts'

const restoreOptions = z.strictObject({
  /** A file, or a directory (one that is there, or ending in `/`); relative to the working directory. */
  path: z.string().min(1).optional(),
})

/** How a set of scripts is restored. */
export type ScriptsRestore = RestoreDefinition<ScriptsConfig, typeof restoreOptions>

/**
 * Restores an artifact: the scripts of `restore` get its bytes, one after the other; without scripts it becomes the file
 * of `--to path=…`.
 *
 * @param target - what the set is called as a target
 */
export function createRestore(target: string): ScriptsRestore {
  return {
    options: restoreOptions,
    check: planRestore,
    async run(ctx) {
      const { point, options, config } = ctx
      const artifact = pointArtifact(point)
      const to = options.path === undefined ? undefined : resolve(options.path)
      const hook = await scriptsOf(ctx, await readScriptSet(config), 'restore', target, {
        ...artifactVariables(artifact),
        ...(to !== undefined && { HOLDFAST_RESTORE_TO: to }),
      })
      if (hook.scripts.length > 0) {
        for (const script of hook.scripts) await hook.run(script, { stdin: ctx.openArtifact(artifact.id) })
        return { where: to ?? hook.scripts.map(({ path }) => path) }
      }
      return { where: await ctx.writeArtifact(artifact.id, placeOf(artifact, options.path)) }
    },
  }
}

/** What a restore would do. Throws what is in its way. */
async function planRestore(
  ctx: RestoreCheckContext<ScriptsConfig, z.output<typeof restoreOptions>>,
): Promise<readonly PlannedStep[]> {
  const { config, options, point } = ctx
  const artifact = pointArtifact(point)
  const { root, directories } = await readScriptSet(config)
  const { scripts, problems } = directories.restore
  const refused = refusal(`${root}/restore`, problems)
  if (refused) throw refused
  if (scripts.length > 0) return scripts.map(({ path }) => ({ kind: 'exec', what: `give ${artifact.name} to ${path}` }))
  const file = await ctx.checkWrite(artifact.id, placeOf(artifact, options.path))
  return [{ kind: 'artifact', what: `write ${artifact.name} to ${file}` }]
}

function pointArtifact(point: RestorePoint): ArtifactPoint {
  return artifactOf(point) ?? { id: point.id, name: point.id, size: point.size, sha256: undefined }
}

function placeOf({ name }: ArtifactPoint, path: string | undefined): string {
  if (path === undefined) throw errors.RESTORE_NO_DIRECTORY({ artifact: name })
  return path
}
