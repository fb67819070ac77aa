import { cpSync } from 'node:fs'

/** Copies a directory as it is at this moment. */
export function copyFiles(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
}
