import { isHoldfastError, type HoldfastError, type Logger } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { reasonOf } from '../failure.ts'
import { appearance, fingerprint, unknownFingerprint, type Fingerprint } from './fingerprint.ts'

/** What a configuration was read from, as it was then. */
export interface WatchedFiles {
  readonly files: readonly string[]
  readonly fingerprint: Fingerprint
}

/** What is watched, and who hears of it. */
export interface WatchConfigOptions<Loaded extends WatchedFiles> extends WatchedFiles {
  readonly clock: Pick<RuntimeClock, 'setTimer'>
  /** Loads the configuration anew; rejects with `CONFIG_INVALID` when it can't be used. */
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
 * Notices when the configuration changes.
 *
 * Looks at the files every few seconds instead of listening to the file system: a ConfigMap changes by swapping the
 * symbolic link of a directory, and network file systems tell nobody. A change counts when it was the same at two looks,
 * so that a file that is still being written is not taken for the configuration.
 *
 * @example
 * ```ts
 * const loaded = await load()
 * const watch = watchConfig({ ...loaded, load, clock, log, onChange: takeOver, onInvalid: report })
 * process.on('SIGHUP', () => void watch.reload())
 * ```
 */
export function watchConfig<Loaded extends WatchedFiles>(options: WatchConfigOptions<Loaded>): ConfigWatch {
  const { clock, load, onChange, onInvalid, log, intervalMs = 5_000 } = options
  let { files, fingerprint: known } = options
  let pending: string | undefined
  let failed = false
  let stopped = false
  let cancel = (): void => undefined

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
    let loaded: Loaded
    try {
      loaded = await load()
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      if (stopped) return true
      failed = true
      await watchAlso(error, found)
      onInvalid(error)
      return true
    }
    if (stopped) return true
    failed = false
    files = loaded.files
    known = loaded.fingerprint
    onChange(loaded)
    return true
  }

  // A configuration that can't be used says what it was read from: the fix may be there.
  async function watchAlso({ details }: HoldfastError, found: Fingerprint): Promise<void> {
    const unchanged = (await fingerprint(files)).content === found.content
    files = [...new Set([...files, ...(Array.isArray(details['files']) ? (details['files'] as string[]) : [])])]
    known = unchanged ? await fingerprint(files) : unknownFingerprint
  }

  async function lookAgain(): Promise<void> {
    await then(look)
    if (!stopped) wait()
  }

  function wait(): void {
    cancel = clock.setTimer(intervalMs, () => void lookAgain())
  }

  wait()
  return {
    reload: () => then(reload),
    stop() {
      stopped = true
      cancel()
    },
  }
}
