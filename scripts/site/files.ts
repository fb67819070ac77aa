import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../workspaces.ts'
import { filesFolder } from './links.ts'

/** Puts files of the repository where {@link repositoryLinks} links to them, as plain text for every web server. */
export function copyLinkedFiles(files: Iterable<string>, to: string): void {
  for (const file of files) {
    const copy = join(to, filesFolder, `${file}.txt`)
    mkdirSync(dirname(copy), { recursive: true })
    copyFileSync(join(root, file), copy)
  }
}
