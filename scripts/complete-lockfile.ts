// npm leaves the binaries of other platforms out of package-lock.json when it can't find them in its registry or when
// node_modules exists (npm/cli#4828), and `npm ci` then refuses the lockfile, on every platform. This adds what is
// missing: each package whose optional dependency has no entry names it with its exact version.
//   node scripts/complete-lockfile.ts           completes the file; after an install that changed it
//   node scripts/complete-lockfile.ts --check   fails when something is missing
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { root } from './workspaces.ts'

/** What the lockfile says about one package, as far as it matters here. */
export interface LockedPackage {
  readonly version?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** The `packages` of a lockfile: path → package. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32']
const spellings: Readonly<Record<string, string>> = { windows: 'win32', 64: 'x64' }

/** Entries for the optional dependencies that no entry of the lockfile satisfies, path → package. */
export function findMissingOptionals(packages: LockedPackages): LockedPackages {
  const missing: Record<string, LockedPackage> = {}
  for (const [path, { dev, optionalDependencies }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
      if (placesOf(path, name).some((place) => place in packages)) continue
      const { os, cpu, libc } = platformOf(name, version)
      // In npm's order.
      missing[`node_modules/${name}`] = { version, cpu, ...(dev && { dev }), ...(libc && { libc }), optional: true, os }
    }
  }
  return missing
}

// Where Node looks for a package, seen from another one.
function placesOf(path: string, name: string): readonly string[] {
  const places = [`node_modules/${name}`]
  for (let folder = path; folder !== ''; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/'))))
    places.push(`${folder}/node_modules/${name}`)
  return places
}

interface Platform {
  readonly os: readonly string[]
  readonly cpu: readonly string[]
  readonly libc?: readonly string[] | undefined
}

function platformOf(name: string, version: string): Platform {
  const words = name.split(/[/-]/).map((word) => spellings[word] ?? word)
  const os = words.find((word) => systems.includes(word))
  const cpu = words.find((word) => processors.includes(word))
  if (os === undefined || cpu === undefined || !/^\d/.test(version))
    throw new Error(`${name}@${version} is missing from the lockfile, and its name does not tell its platform`)
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc'
  return { os: [os], cpu: [cpu], libc: os === 'linux' ? [libc] : undefined }
}

if (import.meta.filename === argv[1]) {
  const file = join(root, 'package-lock.json')
  const lockfile = JSON.parse(readFileSync(file, 'utf8')) as { readonly packages: LockedPackages }
  const missing = findMissingOptionals(lockfile.packages)
  if (!argv.includes('--check')) {
    const all = Object.entries({ ...lockfile.packages, ...missing }).toSorted(([a], [b]) => a.localeCompare(b, 'en'))
    writeFileSync(file, `${JSON.stringify({ ...lockfile, packages: Object.fromEntries(all) }, null, 2)}\n`)
  } else if (Object.keys(missing).length > 0) {
    console.error(`package-lock.json lacks ${Object.keys(missing).join(', ')}: node scripts/complete-lockfile.ts`)
    process.exitCode = 1
  }
}
