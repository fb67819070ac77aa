// The variables of a run: what scripts read and write with `save_var` and `load_var` (POSIX sh, in the sidecar's bin/),
// and hooks with `ctx.vars`. Both sides share one format: one file per key; it holds the value and a newline, and a file
// that doesn't end in a newline is only being written.
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Vars } from '@holdfast/sdk'

const longestName = 200
const plainKey = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/
let count = 0

/**
 * The name of a key's file. Keys of letters, digits, `_`, `.` and `-` that don't begin with `.` or `-` keep their name;
 * the bytes of all others follow a `%` in hex, so that nothing collides and nothing is hidden or leaves the directory.
 * A name longer than 200 characters, which file systems may refuse, gives way to `%%` and the key's SHA-256.
 *
 * @param key - any text, the empty one too
 */
export function varFileName(key: string): string {
  const name = plainKey.test(key) ? key : `%${Buffer.from(key).toString('hex')}`
  return name.length <= longestName ? name : `%%${createHash('sha256').update(key).digest('hex')}`
}

/**
 * The variables in a directory, which is made where it is missing. Writes are atomic: readers find the old value or the
 * new one. They are not synced to disk: variables outlive a killed process, not a power failure, like the effects that
 * they are about.
 *
 * @param directory - one per run, private to the user
 */
export function createVars(directory: string): Vars {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    directory,
    async get(key) {
      const content = await readFile(join(directory, varFileName(key)), 'utf8').catch((error: unknown) => {
        // What is no file of ours is no variable: a damaged store must not stop a run.
        if (['ENOENT', 'EISDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
        throw error
      })
      return content?.endsWith('\n') ? content.slice(0, -1) : undefined
    },
    async set(key, value) {
      const temporary = join(directory, `.tmp.${process.pid}.${++count}`)
      try {
        await writeFile(temporary, `${value}\n`, { mode: 0o600 })
        await rename(temporary, join(directory, varFileName(key)))
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
    },
  }
}
