// What each public package brings along, for programs: one CycloneDX list per package, of its dependencies and theirs, as the
// lockfile has them. `npm run release:sboms` writes them to dist-release/; the release has them beside the packages.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { renderSbom, type SbomComponent } from '../sbom.ts'
import { listWorkspaces, root, type Workspace } from '../workspaces.ts'

interface Locked {
  readonly version?: string
  readonly license?: string
  /** A workspace, and where it is. */
  readonly link?: boolean
  readonly resolved?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** A package's SBOM. */
export interface PackageSbom {
  /** `holdfast-sdk-1.0.0.cdx.json`, as npm calls the package's file. */
  readonly file: string
  readonly text: string
}

/** The SBOMs of all public packages. The same lockfile makes the same texts. */
export function packageSboms(from: string = root): readonly PackageSbom[] {
  const { packages } = JSON.parse(readFileSync(join(from, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>
  }
  return listWorkspaces(from)
    .filter(({ manifest }) => manifest.private !== true)
    .map((workspace) => sbomOf(workspace, packages))
}

function sbomOf({ folder, manifest }: Workspace, packages: Readonly<Record<string, Locked>>): PackageSbom {
  const found = new Map<string, SbomComponent>()
  const visit = (place: string): void => {
    const { dependencies, optionalDependencies } = packages[place] ?? {}
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = resolve(name, place, packages)
      // Optional ones of other platforms may be left out.
      if (at === undefined || found.has(at)) continue
      const { version, license } = packages[at] ?? {}
      found.set(at, { name, version: version ?? '', license })
      visit(at)
    }
  }
  visit(folder)
  const components = [...found.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const name = manifest.name.replace('@', '').replace('/', '-')
  return { file: `${name}-${manifest.version}.cdx.json`, text: renderSbom(manifest, components) }
}

/** Where Node finds a package: in the nearest node_modules above. */
function resolve(name: string, from: string, packages: Readonly<Record<string, Locked>>): string | undefined {
  for (let place = from; ; place = place.replace(/\/?[^/]*$/, '')) {
    const at = `${place === '' ? '' : `${place}/`}node_modules/${name}`
    const locked = packages[at]
    if (locked) return locked.link === true ? locked.resolved : at
    if (place === '') return undefined
  }
}

function keyOf({ name, version }: SbomComponent): string {
  return `${name} ${version}`
}

if (import.meta.filename === argv[1]) {
  const folder = join(root, 'dist-release')
  mkdirSync(folder, { recursive: true })
  for (const { file, text } of packageSboms()) writeFileSync(join(folder, file), text)
}
