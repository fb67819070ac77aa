// Everything that repeats a version follows the packages: the SDK's own constant, which plugins are held against, and the
// chart, which names the image. `npm run version-packages` calls it after changesets; a test looks whether they agree.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { readManifest, root } from '../workspaces.ts'

interface Repeated {
  /** Relative to the repository. */
  readonly file: string
  /** The package whose version it is. */
  readonly of: string
  /** Around the version: what is before it, the version, and what is after it. */
  readonly line: RegExp
}

const repeated: readonly Repeated[] = [
  { file: 'packages/sdk/src/internal.ts', of: 'packages/sdk', line: /^(export const sdkVersion = ')(.+)(')$/m },
  { file: 'charts/holdfast/Chart.yaml', of: 'apps/sidecar', line: /^(version: )(.+)()$/m },
  { file: 'charts/holdfast/Chart.yaml', of: 'apps/sidecar', line: /^(appVersion: ')(.+)(')$/m },
]

/** What says another version than its package, one line each. */
export function findOldVersions(from: string = root): readonly string[] {
  return repeated.flatMap(({ file, of, line }) => {
    const { version } = readManifest(join(from, of))
    const [, , found] = line.exec(readFileSync(join(from, file), 'utf8')) ?? []
    return found === version ? [] : [`${file} says ${found ?? 'no version'}, ${of}/package.json ${version}`]
  })
}

/** Writes the versions of the packages where they are repeated. */
export function writeVersions(from: string = root): void {
  for (const { file, of, line } of repeated) {
    const { version } = readManifest(join(from, of))
    const text = readFileSync(join(from, file), 'utf8')
    writeFileSync(
      join(from, file),
      text.replace(line, (_, before: string, _old, after: string) => `${before}${version}${after}`),
    )
  }
}

if (import.meta.filename === argv[1]) writeVersions(argv[2])
