// Everything that repeats a version follows the packages: the SDK's own constant, which plugins are held against, what plugins
// say of themselves, and the chart, which names the image. `npm run version-packages` calls it after changesets; a test looks whether they agree.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { readManifest, root } from '../workspaces.ts'

interface Repeated {
  /** Relative to the repository; may be a pattern. */
  readonly files: string
  /** The package whose version it is. */
  readonly of: string
  /** Around the version: what is before it, the version, and what is after it. */
  readonly lines: RegExp
}

/** In the definition of a plugin, not in an example of one. */
const pluginVersion = /^( +version: ')(\d+\.\d+\.\d+[^']*)(',)$/gm

const repeated: readonly Repeated[] = [
  { files: 'packages/sdk/src/internal.ts', of: 'packages/sdk', lines: /^(export const sdkVersion = ')(.+)(')$/gm },
  ...['packages/plugin-scripts', 'packages/plugin-benji', 'packages/plugin-mongodump'].map((of) => ({
    files: `${of}/src/**/*.ts`,
    of,
    lines: pluginVersion,
  })),
  { files: 'apps/sidecar/src/crontab.ts', of: 'apps/sidecar', lines: pluginVersion },
  { files: 'charts/holdfast/Chart.yaml', of: 'apps/sidecar', lines: /^(version: )(.+)()$/gm },
  { files: 'charts/holdfast/Chart.yaml', of: 'apps/sidecar', lines: /^(appVersion: ')(.+)(')$/gm },
]

/** What says another version than its package, one line each. */
export function findOldVersions(from: string = root): readonly string[] {
  return repeated.flatMap(({ files, of, lines }) => {
    const { version } = readManifest(join(from, of))
    const found = globSync(files, { cwd: from }).flatMap((file) =>
      [...readFileSync(join(from, file), 'utf8').matchAll(lines)].map(([, , says]) => ({ file, says })),
    )
    if (found.length === 0) return [`${files} says no version`]
    return found
      .filter(({ says }) => says !== version)
      .map(({ file, says }) => `${file} says ${says}, ${of}/package.json ${version}`)
  })
}

/** Writes the versions of the packages where they are repeated. */
export function writeVersions(from: string = root): void {
  for (const { files, of, lines } of repeated) {
    const { version } = readManifest(join(from, of))
    for (const file of globSync(files, { cwd: from })) {
      const text = readFileSync(join(from, file), 'utf8')
      const written = text.replaceAll(lines, (_, before: string, _old, after: string) => `${before}${version}${after}`)
      if (written !== text) writeFileSync(join(from, file), written)
    }
  }
}

if (import.meta.filename === argv[1]) writeVersions(argv[2])
