// What a release is told as: `node scripts/release/notes.ts @holdfast/sdk@1.1.0` prints that version's part of the changelog
// of its package, for the release of that tag.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { listWorkspaces, root } from '../workspaces.ts'

/**
 * The part of a changelog that is about one version.
 *
 * @param tag - `name@version`, as changesets tags it
 */
export function notesOf(tag: string, from: string = root): string {
  const [, name = '', version = ''] = /^(@?[^@]+)@(.+)$/.exec(tag) ?? []
  const workspace = listWorkspaces(from).find(({ manifest }) => manifest.name === name)
  if (!workspace) throw new TypeError(`no package is called ${JSON.stringify(name)}`)
  const parts = readFileSync(join(from, workspace.folder, 'CHANGELOG.md'), 'utf8').split(/^## /m)
  const part = parts.find((each) => each.startsWith(`${version}\n`))
  if (part === undefined) throw new TypeError(`${workspace.folder}/CHANGELOG.md says nothing about ${version}`)
  return part.slice(version.length).trim()
}

if (import.meta.filename === argv[1]) console.log(notesOf(argv[2] ?? ''))
