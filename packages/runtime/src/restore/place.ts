import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * The file that an artifact becomes: the place itself, or a file below it where that is a directory: one that is there,
 * one whose name ends in `/`, and any that several artifacts go to.
 *
 * @param to - relative to `cwd`
 * @param name - the artifact's
 */
export function fileAt(to: string, name: string, { cwd, several }: { cwd: string; several: boolean }): string {
  const path = resolve(cwd, to)
  const isDirectory = several || to.endsWith('/') || statSync(path, { throwIfNoEntry: false })?.isDirectory()
  return isDirectory ? join(path, fileNameOf(name)) : path
}

/** An artifact's name as one component of a path. */
export function fileNameOf(name: string): string {
  const isPlain = !/[/\0]/.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 200
  return isPlain ? name : encodeURIComponent(name).replaceAll('.', '%2E').slice(0, 200)
}
