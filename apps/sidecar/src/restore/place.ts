import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileNameOf } from './file.ts'

/** Where to restore to, as `--to` says. */
export interface Place {
  /** A plain `--to`. */
  readonly path: string | undefined
  /** For a plugin; a plain `--to PLACE` is `path=PLACE`. */
  readonly options: Readonly<Record<string, string>>
}

/** Reads the values of `--to`. */
export function parsePlace(to: readonly string[]): Place {
  const options: Record<string, string> = {}
  for (const value of to) {
    const [, key, text = ''] = /^([A-Za-z][\w-]*)=(.*)$/s.exec(value) ?? []
    options[key ?? 'path'] = key === undefined ? value : text
  }
  return { path: options['path'], options }
}

/**
 * The file that an artifact becomes: the place itself, or below it where that is a directory.
 *
 * @param several - more than one artifact goes to this place
 */
export function fileAt(place: string, name: string, { cwd, several }: { cwd: string; several: boolean }): string {
  const to = resolve(cwd, place)
  const isDirectory = several || place.endsWith('/') || statSync(to, { throwIfNoEntry: false })?.isDirectory()
  return isDirectory ? join(to, fileNameOf(name)) : to
}
