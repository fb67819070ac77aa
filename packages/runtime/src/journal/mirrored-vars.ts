// The variables of a run, as they are carried to another state directory.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** By the names of their files, so that a key of any length and any bytes arrives; text where it is valid UTF-8. */
export type MirroredVars = Readonly<Record<string, string | { readonly base64: string }>>

/** The variables in a directory; none where there is none. */
export function readMirroredVars(directory: string): MirroredVars {
  const found: [string, MirroredVars[string]][] = []
  for (const entry of listFiles(directory)) {
    const bytes = readFileSync(join(directory, entry))
    // What doesn't end in a newline is only being written.
    if (bytes.at(-1) !== 0x0a) continue
    const text = bytes.toString('utf8')
    found.push([entry, Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') }])
  }
  return Object.fromEntries(found)
}

/** Writes them; what is there already is newer and stays. */
export function writeMirroredVars(directory: string, vars: MirroredVars): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const there = new Set(listFiles(directory))
  for (const [file, value] of Object.entries(vars)) {
    if (!isFileName(file) || there.has(file)) continue
    const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.base64, 'base64')
    writeFileSync(join(directory, file), bytes, { mode: 0o600 })
  }
}

function listFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && isFileName(entry.name))
      .map(({ name }) => name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** What is read from a cluster must not leave the directory. */
function isFileName(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !/[/\0]/.test(name)
}
