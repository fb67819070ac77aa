// Changes of an API are told to those who upgrade: where a report (packages/*/api) differs from the branch that this one comes
// from, a changeset names its package. Part of `npm run check:packages`; where git knows no such branch, there is nothing to
// compare with.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { readManifest, root } from './workspaces.ts'

/** What {@link findSilentChanges} looks at. */
export interface FindSilentChangesOptions {
  /** The repository. Default: this one. */
  readonly from?: string | undefined
  /** What a branch is compared with. Default: `origin/main`. */
  readonly upstream?: string | undefined
}

/** Reports that have changed without a changeset, one line each. */
export function findSilentChanges({
  from = root,
  upstream = 'origin/main',
}: FindSilentChangesOptions = {}): readonly string[] {
  const git = (...args: readonly string[]): readonly string[] =>
    execFileSync('git', args, { cwd: from, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .filter((line) => line !== '')
  let base: string | undefined
  try {
    ;[base] = git('merge-base', 'HEAD', upstream)
  } catch {
    // No git, no such branch, or not enough history.
  }
  if (base === undefined) return []
  const changedSince = (...args: readonly string[]): readonly string[] => git('diff', '--name-only', ...args)
  const reports = changedSince(base, '--', ':(glob)packages/*/api/*.api.md').filter((file) =>
    existsSync(join(from, file)),
  )
  if (reports.length === 0) return []
  const changesets = [
    ...changedSince('--diff-filter=AM', base, '--', ':(glob).changeset/*.md'),
    ...git('ls-files', '--others', '--exclude-standard', '--', ':(glob).changeset/*.md'),
  ]
  const named = new Set(changesets.flatMap((file) => packagesOf(readFileSync(join(from, file), 'utf8'))))
  return reports.flatMap((file) => {
    const { name } = readManifest(join(from, file, '../..'))
    if (named.has(name)) return []
    return [`${file} has changed, and no changeset says so to who upgrades ${name}: \`npx changeset\``]
  })
}

/** The packages that a changeset names. */
function packagesOf(changeset: string): readonly string[] {
  const [, front = ''] = /^---\n(.*?)^---$/ms.exec(changeset) ?? []
  return Object.keys((parse(front) as object | null) ?? {})
}
