import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A file of a test: its content, and its mode where that isn't 0755. */
export type TestFile = string | Uint8Array | { readonly text: string | Uint8Array; readonly mode: number }

/** Files by path. */
export type TestFiles = Readonly<Record<string, TestFile>>

/** A directory with files, gone when the test is. */
export function directoryWith(files: TestFiles = {}): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'scripts-')))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  writeFiles(path, files)
  return path
}

/** Writes files below a directory. */
export function writeFiles(root: string, files: TestFiles): void {
  for (const [name, file] of Object.entries(files)) {
    const path = join(root, name)
    mkdirSync(dirname(path), { recursive: true })
    const plain = typeof file === 'string' || file instanceof Uint8Array
    writeFileSync(path, plain ? file : file.text)
    chmodSync(path, plain ? 0o755 : file.mode)
  }
}

/** A script in sh. */
export function sh(...lines: readonly string[]): string {
  return `#!/bin/sh\n${lines.join('\n')}\n`
}

/** Where the commands for scripts are. */
export const bin = join(import.meta.dirname, '../../../../apps/sidecar/bin')
