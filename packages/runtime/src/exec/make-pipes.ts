import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

// A descriptor that only names a file (O_PATH of Linux, the same on every architecture that Node runs on).
const pathOnly = 0o10000000
const descriptors = [3, 4, 5, 6, 7, 8]
const timeoutMs = 5000

// Each level is a pipeline whose right side keeps the pipe it reads from; the innermost process holds them all, says
// who it is, and waits for the end of its input.
const script = [
  'exec 9<&0; ',
  ...descriptors.map((fd) => `: | { exec ${fd}<&0; `),
  `exec sh -c 'echo $$; read x <&9'`,
  ...descriptors.map(() => '; }'),
].join('')

/**
 * Makes pipes, which Node itself can't: a shell makes them, and they are taken over from it through /proc.
 *
 * @returns a descriptor for each, which keeps it without being an end of it; none where that is not possible
 */
export async function makePipes(): Promise<number[]> {
  const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'], env: {} })
  const exited = new Promise<void>((resolve) => shell.once('exit', () => resolve()).once('error', () => resolve()))
  shell.stdin.on('error', () => {})
  const timer = setTimeout(() => shell.kill('SIGKILL'), timeoutMs)
  try {
    const pid = await new Promise<string>((resolve, reject) => {
      shell.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()))
      void exited.then(() => reject(new Error('the shell ended early')))
    })
    return takeOver(pid)
  } catch {
    return []
  } finally {
    clearTimeout(timer)
    shell.stdin.end()
    await exited
  }
}

function takeOver(pid: string): number[] {
  const taken: number[] = []
  try {
    for (const fd of descriptors) taken.push(openSync(`/proc/${pid}/fd/${fd}`, pathOnly))
    return taken
  } catch (error) {
    for (const fd of taken) closeSync(fd)
    throw error
  }
}
