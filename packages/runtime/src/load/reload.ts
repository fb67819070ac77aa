import { isHoldfastError, type HoldfastError, type Logger } from '@holdfast/sdk'
import { createHash } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'
import type { RuntimeClock } from '../clock.ts'
import { reasonOf } from '../failure.ts'

/** What is watched, and who hears of it. */
export interface WatchConfigOptions<Loaded extends { readonly files: readonly string[] }> {
  /** What the configuration in force was read from. */
  readonly files: readonly string[]
  readonly clock: Pick<RuntimeClock, 'setTimer'>
  /** Loads it anew; rejects with `CONFIG_INVALID` when it can't be used. */
  readonly load: () => Promise<Loaded>
  /** A new configuration that is valid: to be taken over between runs. */
  readonly onChange: (loaded: Loaded) => void
  /** A new configuration that is not valid: the old one stays in force. */
  readonly onInvalid: (error: HoldfastError) => void
  readonly log: Logger
  /** Milliseconds between two looks. Default 5,000. */
  readonly intervalMs?: number | undefined
}

/** Watches until it is stopped. */
export interface ConfigWatch {
  /** Looks now, as SIGHUP asks for; resolves when what was found has been handed over. */
  reload(): Promise<void>
  /** Stops looking; a load that is under way is not handed over. */
  stop(): void
}

/**
 * Notices when the configuration changes. Begin right after it was loaded: what changes in between is not noticed.
 *
 * Looks at the files every few seconds instead of listening to the file system: a ConfigMap changes by swapping the
 * symbolic link of a directory, and network file systems tell nobody. A change counts when it was the same at two looks,
 * so that a file that is still being written is not taken for the configuration.
 */
export function watchConfig<Loaded extends { readonly files: readonly string[] }>(
  options: WatchConfigOptions<Loaded>,
): ConfigWatch {
  const { clock, load, onChange, onInvalid, log, intervalMs = 5_000 } = options
  let files = options.files
  let stopped = false
  let cancel = (): void => undefined
  let known = unknown
  let pending: string | undefined
  let failed = false
  // One look after another, whoever asked for them.
  let work = Promise.resolve()
  function then(step: () => Promise<void>): Promise<void> {
    work = work.then(step).catch((error: unknown) => {
      log.error(`looking for a changed configuration failed: ${reasonOf(error)}`)
    })
    return work
  }

  async function look(): Promise<void> {
    const seen = await appearance(files)
    if (seen === known.seen) pending = undefined
    else if (seen === pending) await take(false)
    else pending = seen
  }

  async function reload(): Promise<void> {
    if (!(await take(failed))) log.info('the configuration has not changed')
  }

  // Whether there was anything new.
  async function take(again: boolean): Promise<boolean> {
    pending = undefined
    const found = await fingerprint(files)
    const same = found.content === known.content
    known = found
    if (same && !again) return false
    const before = files
    const result = await load().catch((error: unknown) => {
      if (isHoldfastError(error)) return error
      throw error
    })
    if (stopped) return true
    failed = isHoldfastError(result)
    // A configuration that can't be used says what it was read from too: the fix may be there.
    files = isHoldfastError(result) ? [...new Set([...files, ...filesOf(result)])] : result.files
    // What changed while it was loaded is new again.
    const settled = (await fingerprint(before)).content === found.content
    known = settled ? await fingerprint(files) : unknown
    if (isHoldfastError(result)) onInvalid(result)
    else onChange(result)
    return true
  }

  async function lookAgain(): Promise<void> {
    await then(look)
    if (!stopped) wait()
  }

  function wait(): void {
    cancel = clock.setTimer(intervalMs, () => void lookAgain())
  }

  void then(async () => {
    known = await fingerprint(files)
  })
  wait()
  return {
    reload: () => then(reload),
    stop() {
      stopped = true
      cancel()
    },
  }
}

// Files by how they look from outside, which is cheap to ask, and by what is in them.
interface Fingerprint {
  readonly seen: string
  readonly content: string
}

const unknown: Fingerprint = { seen: '', content: '' }

function filesOf(error: HoldfastError): readonly string[] {
  const { files } = error.details
  return Array.isArray(files) ? (files as readonly string[]) : []
}

async function fingerprint(files: readonly string[]): Promise<Fingerprint> {
  const seen = await appearance(files)
  const hash = createHash('sha256')
  for (const file of files) {
    const bytes = await readFile(file).catch((error: unknown) => (error as NodeJS.ErrnoException).code ?? 'unreadable')
    hash.update(`${file}\0${bytes.length}\0`).update(bytes)
  }
  return { seen, content: hash.digest('hex') }
}

async function appearance(files: readonly string[]): Promise<string> {
  const parts = files.map(async (file) => {
    try {
      const [real, { mtimeMs, size, ino }] = await Promise.all([realpath(file), stat(file)])
      return [file, real, mtimeMs, size, ino].join('\0')
    } catch (error) {
      return `${file}\0${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`
    }
  })
  return (await Promise.all(parts)).join('\n')
}
