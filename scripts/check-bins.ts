// Every `bin` must be a small committed file: npm links only what exists at install time, so a bin that points at an
// unbuilt dist/ file would be missing from node_modules/.bin, and a later build would not add it.
//   node scripts/check-bins.ts            the files are committed, executable and no build output
//   node scripts/check-bins.ts --linked   after an install, each command is in node_modules/.bin and its target exists
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { binsOf, listWorkspaces, root } from './workspaces.ts'

/** What is wrong with the `bin` entries of a repository, one line each. */
export function findBinProblems(from: string = root): readonly string[] {
  return listBins(from).flatMap(({ name, file }) => {
    if (/(^|\/)dist\//.test(file)) return [`${name}: ${file} is build output`]
    if (!existsSync(join(from, file))) return [`${name}: ${file} does not exist`]
    const mode = committedMode(from, file)
    if (mode === undefined) return [`${name}: ${file} is not in git`]
    if (mode !== '100755') return [`${name}: ${file} is not executable in git (git update-index --chmod=+x)`]
    if (!readFileSync(join(from, file), 'utf8').startsWith('#!')) return [`${name}: ${file} has no #! line`]
    return []
  })
}

/** Commands that an install did not link to their files, one line each. */
export function findUnlinkedBins(from: string = root): readonly string[] {
  return listBins(from).flatMap(({ name, file }) => {
    const link = join(from, 'node_modules/.bin', name)
    if (!existsSync(link)) return [`${name}: not in node_modules/.bin`]
    return realpathSync(link) === realpathSync(join(from, file)) ? [] : [`${name}: linked to another file`]
  })
}

function listBins(from: string): readonly { readonly name: string; readonly file: string }[] {
  return listWorkspaces(from).flatMap(({ folder, manifest }) =>
    Object.entries(binsOf(manifest)).map(([name, file]) => ({ name, file: join(folder, file) })),
  )
}

function committedMode(from: string, file: string): string | undefined {
  const line = execFileSync('git', ['ls-files', '--stage', '--', file], { cwd: from, encoding: 'utf8' })
  return line === '' ? undefined : line.split(' ')[0]
}

if (import.meta.filename === argv[1]) {
  const problems = argv.includes('--linked') ? findUnlinkedBins() : findBinProblems()
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
}
