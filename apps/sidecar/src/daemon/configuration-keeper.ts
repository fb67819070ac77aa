import { isHoldfastError, type HoldfastFailure } from '@holdfast/sdk'
import { reasonOf, watchConfig, type LoadedConfig } from '@holdfast/runtime'
import { loadQuietly } from '../configuration.ts'
import type { CommandContext } from '../context.ts'

/** What a {@link ConfigurationKeeper} needs. */
export interface ConfigurationKeeperOptions {
  readonly context: CommandContext
  readonly loaded: LoadedConfig
  /** Whether nothing runs. */
  isIdle(): boolean
  /** Takes a configuration into force. */
  apply(loaded: LoadedConfig): void
  /** A valid one waits until nothing runs, or no longer does. */
  waits(isWaiting: boolean): void
  /** The newest one can't be used; `undefined`: it can. */
  refused(error: HoldfastFailure | undefined): void
}

/** Keeps a daemon's configuration current. */
export interface ConfigurationKeeper {
  /** Looks now, because somebody says that it has changed. */
  reload(): Promise<void>
  /** A run has ended: perhaps a changed configuration can come into force. */
  settle(): void
  stop(): void
}

/**
 * Watches the configuration. A changed one is validated and comes into force between runs, so that no run ever sees two
 * of them; one that can't be used leaves the old one in force.
 */
export function keepConfiguration(options: ConfigurationKeeperOptions): ConfigurationKeeper {
  const { context, loaded, isIdle, apply, waits, refused } = options
  const { log, io } = context
  let waiting: LoadedConfig | undefined
  let stopped = false

  const settle = (): void => {
    if (!waiting || stopped) return
    if (!isIdle()) return waits(true)
    const next = waiting
    const { config } = next
    waiting = undefined
    apply(next)
    waits(false)
    log.info('the changed configuration is in force', { source: config.source, plans: config.plans.length })
  }
  const adopt = (next: LoadedConfig): void => {
    for (const warning of next.warnings) context.warn(warning)
    waiting = next
    refused(undefined)
    if (!isIdle()) log.info('the configuration has changed; it comes into force when nothing runs')
    settle()
  }
  const refuse = (error: HoldfastFailure): void => {
    log.error(`the changed configuration can't be used: ${error.message}`, { error })
    refused(error)
  }
  const watch = watchConfig({
    files: loaded.files,
    fingerprint: loaded.fingerprint,
    clock: io.clock,
    load: () => loadQuietly(context),
    onChange: adopt,
    onInvalid: refuse,
    log,
  })

  return {
    async reload() {
      if (loaded.files.length > 0) return watch.reload()
      // Variables can't change, but what they point at can: directories of scripts.
      try {
        adopt(await loadQuietly(context))
      } catch (error) {
        if (isHoldfastError(error)) refuse(error)
        else log.error(`the configuration could not be read again: ${reasonOf(error)}`, { error })
      }
    },
    settle,
    stop() {
      stopped = true
      watch.stop()
    },
  }
}
