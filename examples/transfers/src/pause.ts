// How the application is asked to stand still: a file, so that the order outlives every process. The application puts
// a second file beside it when it stands.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const standing = (file: string): string => `${file}.standing`

/** Asks the application to stand still, and waits until it does. */
export async function pause(file: string, order: string, signal: AbortSignal): Promise<void> {
  writeFileSync(file, order)
  while (!existsSync(standing(file)) || readFileSync(standing(file), 'utf8') !== order)
    await sleep(5, undefined, { signal })
}

/** Lets it go on; asking twice does no harm. */
export function resume(file: string): void {
  rmSync(file, { force: true })
}

/** For the application: stands still while it is asked to. @returns whether it had to */
export async function standStillWhileAsked(file: string): Promise<boolean> {
  if (!existsSync(file)) return false
  while (existsSync(file)) {
    let order = ''
    try {
      order = readFileSync(file, 'utf8')
    } catch {
      break
    }
    writeFileSync(standing(file), order)
    await sleep(5)
  }
  rmSync(standing(file), { force: true })
  return true
}
