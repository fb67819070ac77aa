// When processes began, as the kernel counts: it tells a process from another one with the same pid, and a container
// from its next start.
import { readFileSync } from 'node:fs'

/**
 * When a process of this pid namespace began, in ticks since the machine's start.
 *
 * @param pid - `'self'` for this one, 1 for the first one of the container
 * @returns `undefined` when there is none, or without /proc
 */
export function processStart(pid: number | 'self'): string | undefined {
  try {
    return startIn(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** Field 22 of /proc/PID/stat. The name of the program, in parentheses, may contain anything. */
export function startIn(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}
