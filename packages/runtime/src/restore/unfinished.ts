import { lstat } from 'node:fs/promises'
import { defineUndo } from '@holdfast/sdk'
import * as z from 'zod/mini'
import { formatBytes } from '../format-bytes.ts'
import { removePartial } from './partial.ts'

/** What a restore has begun. */
const input = z.union([
  z.object({ artifact: z.string(), file: z.string(), partial: z.string() }),
  z.object({ point: z.string(), target: z.string(), plugin: z.string() }),
])

/** What a restore has begun, as its undo knows it. */
export type UnfinishedRestore = z.infer<typeof input>

/**
 * Armed as long as something is half restored. After `kill -9` it says what that is, and removes it where it is a file: of
 * what a plugin writes only the plugin knows how to take it back, by an undo of its own.
 */
export const unfinishedRestore = defineUndo({
  name: 'unfinished-restore',
  input,
  deadline: '1m',
  async run(unfinished, { log, recovered }) {
    if ('plugin' in unfinished) {
      const { point, target, plugin } = unfinished
      if (recovered) {
        log.warn(
          `the restore of ${point} of "${target}" by "${plugin}" was interrupted and is not complete: do not rely on what it has written, restore it again`,
        )
      }
      return
    }
    const { artifact, file, partial } = unfinished
    const found = await lstat(partial).catch(() => undefined)
    if (found) await removePartial({ path: partial })
    if (!recovered) return
    const left = found
      ? `the ${formatBytes(found.size)} that were there, in ${partial}, are removed`
      : `${partial} is not there, or not on this machine`
    log.warn(`${file} was half restored when its process ended: ${left}. Restore ${artifact} again`)
  },
})

/**
 * One line about what an armed undo says is half restored.
 *
 * @returns `undefined`: it is another undo
 */
export function describeUnfinished({
  undo,
  input: text,
}: {
  readonly undo: string
  readonly input: string
}): string | undefined {
  if (undo !== unfinishedRestore.name) return undefined
  const unfinished = input.safeParse(JSON.parse(text)).data
  if (!unfinished) return undefined
  return 'plugin' in unfinished
    ? `${unfinished.point} of "${unfinished.target}", by "${unfinished.plugin}"`
    : `${unfinished.file}, so far ${unfinished.partial}`
}
