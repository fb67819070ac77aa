// Lists what the sidecar's bundle contains from others, with their licences, in apps/sidecar/THIRD_PARTY_NOTICES.md.
// Needs a build: the bundle's source maps say what is inside.
//   node scripts/third-party-notices.ts           writes the file
//   node scripts/third-party-notices.ts --check   fails when it is out of date
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { root } from './workspaces.ts'

const app = join(root, 'apps/sidecar')
const notices = join(app, 'THIRD_PARTY_NOTICES.md')

interface Bundled {
  readonly name: string
  readonly version: string
  readonly license: string
  /** The licence's text, from the package. */
  readonly text: string
}

/** The installed packages that a bundle's source maps name, by name and version. */
export function listBundled(dist: string): readonly Bundled[] {
  const maps = globSync('**/*.{js,cjs}.map', { cwd: dist })
  if (maps.length === 0) throw new Error(`there are no source maps in ${dist}: run npm run build`)
  const folders = new Set(
    maps.flatMap((file) => {
      const map = JSON.parse(readFileSync(join(dist, file), 'utf8')) as { readonly sources: readonly string[] }
      return map.sources.flatMap((source) => packageFolder(join(dist, file, '..', source)) ?? [])
    }),
  )
  return [...folders].map(readBundled).toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}

function packageFolder(path: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]
}

function key({ name, version }: Bundled): string {
  return `${name} ${version}`
}

function readBundled(folder: string): Bundled {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Partial<Bundled>
  const { name, version, license } = manifest
  if (name === undefined || version === undefined || typeof license !== 'string')
    throw new Error(`${folder}/package.json has no name, version or license: its licence must be looked up by hand`)
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
  const text = files
    .toSorted()
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r', '').trim())
    .join('\n\n')
  return { name, version, license, text }
}

/** The notices as a page. */
export function renderNotices(bundled: readonly Bundled[]): string {
  // Most packages of one owner have the same text, which images would carry once for each.
  const first = new Map<string, string>()
  const sections = bundled.map((each) => {
    const { name, version, license, text } = each
    const same = first.get(text)
    if (same === undefined) first.set(text, key(each))
    const whole = same === undefined ? `~~~text\n${text}\n~~~` : `The text is that of ${same} above.`
    const body = text === '' ? 'The package contains no licence text.' : whole
    return `## ${name} ${version}\n\n${license}\n\n${body}\n`
  })
  return `# Third-party notices

<!-- Generated from the built bundle by \`npm run notices\`. -->

The commands of @holdfast/sidecar are one bundle. It contains code of these packages, under these licences.

${sections.join('\n')}`
}

if (import.meta.filename === argv[1]) {
  const text = renderNotices(listBundled(join(app, 'dist')))
  if (!argv.includes('--check')) writeFileSync(notices, text)
  else if (!existsSync(notices) || readFileSync(notices, 'utf8') !== text) {
    console.error('apps/sidecar/THIRD_PARTY_NOTICES.md is out of date: npm run notices')
    process.exitCode = 1
  }
}
