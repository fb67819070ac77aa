// A file that is being restored has a name of its own, beside the one that it will have, until it is whole. The name says
// which process writes it, so that whoever finds it can tell what a killed one left.
import { randomUUID } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { processStart } from '../journal/process-start.ts'

/** A file that was being restored. */
export interface PartialFile {
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** A process of this machine is still at it. */
  readonly isAlive: boolean
}

/** A new name for what will be a file of this name, in the same directory. */
export function partialName(path: string): string {
  const unique = randomUUID().slice(0, 8)
  return join(dirname(path), `${prefixOf(path)}${process.pid}-${processStart('self') ?? 0}-${unique}.restoring`)
}

/** What restores to this very place have left, or are writing. */
export async function findPartials(path: string): Promise<readonly PartialFile[]> {
  const directory = dirname(path)
  const prefix = prefixOf(path)
  const names = await readdir(directory).catch(() => [])
  const found: PartialFile[] = []
  for (const name of names) {
    const [, pid, start] = name.startsWith(prefix) ? (owner.exec(name.slice(prefix.length)) ?? []) : []
    const file = join(directory, name)
    const { size } = (start !== undefined && (await stat(file).catch(() => undefined))) || {}
    if (size !== undefined) found.push({ path: file, size, isAlive: isAlive(Number(pid), start ?? '') })
  }
  return found
}

/** Removes one. Whoever should still write it, on another machine, fails when it puts the file in its place. */
export async function removePartial({ path }: Pick<PartialFile, 'path'>): Promise<void> {
  await rm(path, { force: true })
}

const owner = /^(\d+)-(\d+)-[0-9a-f]{8}\.restoring$/

function prefixOf(path: string): string {
  return `.${basename(path).slice(0, 100)}.`
}

/** In a container it may be the pid of another container's process; when that began tells them apart. */
function isAlive(pid: number, start: string): boolean {
  if (pid === process.pid && start === (processStart('self') ?? '0')) return true
  if (start !== '0') return processStart(pid) === start
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
