import { createHash } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'

/** Files at one moment. */
export interface Fingerprint {
  /** How they look from outside, which is cheap to ask: where links lead, times, sizes. */
  readonly seen: string
  /** What is in them. */
  readonly content: string
}

/** Equal to no other: whatever is there is new. */
export const unknownFingerprint: Fingerprint = { seen: '', content: '' }

/** Reads files as they are now; one that can't be read counts by its error. */
export async function fingerprint(files: readonly string[]): Promise<Fingerprint> {
  // Before the content: what changes in between is noticed at the next look.
  const seen = await appearance(files)
  const hash = createHash('sha256')
  for (const file of files) {
    const bytes = await readFile(file).catch((error: unknown) => codeOf(error))
    hash.update(`${file}\0${bytes.length}\0`).update(bytes)
  }
  return { seen, content: hash.digest('hex') }
}

/** {@link Fingerprint.seen} of files. */
export async function appearance(files: readonly string[]): Promise<string> {
  const parts = files.map(async (file) => {
    try {
      const [real, { mtimeMs, size, ino }] = await Promise.all([realpath(file), stat(file)])
      return [file, real, mtimeMs, size, ino].join('\0')
    } catch (error) {
      return `${file}\0${codeOf(error)}`
    }
  })
  return (await Promise.all(parts)).join('\n')
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unreadable'
}
