import { readdir, readFile } from 'node:fs/promises'
import type { ServiceContext } from '@holdfast/sdk'

/** How often a Benji that was told to stop is looked for. */
const looks = 60

/**
 * Stops a Benji on this machine that outlived the process that had started it. It has the version's uid in its arguments,
 * and later in its title. The command, and the shell, of somebody who restores that very version have it, too, and are
 * left alone.
 */
export async function stopLeftBehind(
  uid: string,
  { clock, log, signal }: Pick<ServiceContext<unknown>, 'clock' | 'log' | 'signal'>,
): Promise<void> {
  for (let look = 0; look < looks; look++) {
    const pids = await benjisOn(uid)
    if (pids.length === 0) return
    if (look === 0) log.warn(`a Benji that was left behind still works on ${uid}; it is stopped`, { pids })
    for (const pid of pids) tell(pid, look === looks - 1 ? 'SIGKILL' : 'SIGINT')
    await clock.sleep('1s', signal)
  }
}

async function benjisOn(uid: string): Promise<readonly number[]> {
  const entries = await readdir('/proc').catch(() => [])
  const found = await Promise.all(
    entries
      .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
      .map(async (entry) => {
        const commandLine = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
        return worksOn(uid, commandLine) ? [Number(entry)] : []
      }),
  )
  return found.flat()
}

/** By the arguments that we give Benji, or by the title that it gives itself: `benji [Restoring 1/3 blocks (33.3%) - uid]`. */
function worksOn(uid: string, commandLine: string): boolean {
  const words = commandLine.split('\0')
  const isOurs = words.includes('-m') || words.includes('--machine-output')
  const isOn = words.includes(uid) || words.includes(`--uid=${uid}`)
  return (isOurs && isOn) || words[0]?.trimEnd().endsWith(` - ${uid}]`) === true
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended between the two.
  }
}
