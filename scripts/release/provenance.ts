// npm's provenance compares the repository that a package names with the one whose workflow publishes it. Which one that is
// only the workflow knows: `node scripts/release/provenance.ts OWNER/NAME` writes it into every public package.json, just
// before they are published. What is published is not committed.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { listWorkspaces, root } from '../workspaces.ts'

/**
 * Writes the repository into the public packages.
 *
 * @param repository - `owner/name` on GitHub
 */
export function writeRepository(repository: string, from: string = root): void {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) throw new TypeError(`${JSON.stringify(repository)} is no OWNER/NAME`)
  for (const { folder, manifest } of listWorkspaces(from)) {
    if (manifest.private === true) continue
    const file = join(from, folder, 'package.json')
    const whole = JSON.parse(readFileSync(file, 'utf8')) as object
    const named = { type: 'git', url: `git+https://github.com/${repository}.git`, directory: folder }
    writeFileSync(file, `${JSON.stringify({ ...whole, repository: named }, undefined, 2)}\n`)
  }
}

if (import.meta.filename === argv[1]) writeRepository(argv[2] ?? '')
