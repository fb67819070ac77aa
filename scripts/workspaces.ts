import { globSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The parts of a package.json that the checks look at. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly private?: boolean
  readonly workspaces?: readonly string[]
  readonly bin?: string | Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
}

/** One npm workspace of this repository. */
export interface Workspace {
  /** Relative to the repository's root, with forward slashes: `packages/sdk`. */
  readonly folder: string
  readonly manifest: Manifest
}

/** The repository's root folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Reads a package.json. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** Every workspace below a root folder, in the order of their folders. */
export function listWorkspaces(from: string = root): readonly Workspace[] {
  const patterns = (readManifest(from).workspaces ?? []).map((pattern) => `${pattern}/package.json`)
  return globSync(patterns, { cwd: from })
    .map((file) => dirname(file).split(sep).join('/'))
    .toSorted()
    .map((folder) => ({ folder, manifest: readManifest(join(from, folder)) }))
}

/** The commands that a package installs, name → file. */
export function binsOf(manifest: Manifest): Readonly<Record<string, string>> {
  if (typeof manifest.bin !== 'string') return manifest.bin ?? {}
  return { [manifest.name.replace(/^@[^/]*\//, '')]: manifest.bin }
}
