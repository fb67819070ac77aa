import { lstat, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Removes what `save_var` saved outside any run: those variables last until the next run begins. Only a directory that
 * belongs to this user is touched, because its place may be open to others.
 *
 * @returns whether there was anything of ours; never rejects, as no leftover may stop a run
 */
export async function clearStandaloneVars(environment: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const user = process.geteuid?.()
  if (user === undefined) return false
  try {
    // The same place as in save_var.
    const own = environment.XDG_RUNTIME_DIR
    const base = own !== undefined && own !== '' && (await isDirectory(own)) ? own : '/tmp'
    const directory = join(base, `holdfast-vars-${user}`)
    const found = await lstat(directory)
    if (!found.isDirectory() || found.uid !== user) return false
    await rm(directory, { recursive: true, force: true })
    return true
  } catch {
    return false
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
