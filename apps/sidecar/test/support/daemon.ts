import type { RuntimeClock } from '@holdfast/runtime'
import { testClock, type TestClock } from '@holdfast/testing'
import { onTestFinished, vi } from 'vitest'
import type { RunningCli } from './cli.ts'
import type { Workspace } from './workspace.ts'

/** A daemon in this process. */
export interface RunningDaemon extends RunningCli {
  /** It stands still. */
  readonly clock: TestClock
  /** Lets real work, such as that of scripts, go on until something is logged. */
  logged(text: string): Promise<void>
  /** Tells it to end, and waits until it has. */
  stop(): Promise<void>
}

/** Options of {@link startDaemon}. */
export interface StartDaemonOptions {
  /** Default: half a minute before three in the morning in Berlin. */
  readonly now?: string
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** In place of the one that stands still. */
  readonly realClock?: RuntimeClock | undefined
}

/** Starts a daemon; it is stopped at the end of the test. */
export function startDaemon(here: Workspace, options: StartDaemonOptions = {}): RunningDaemon {
  const { now = '2026-11-23T01:59:30Z', args = [], env = {}, realClock } = options
  const clock = testClock({ now })
  const running = here.start(['daemon', ...args], { clock: realClock ?? clock, env })
  let ended = false
  void running.result.finally(() => (ended = true))
  const stop = async (): Promise<void> => {
    if (!ended) running.signal('SIGTERM')
    await running.result
  }
  onTestFinished(stop)
  const logged = (text: string): Promise<void> =>
    vi.waitFor(
      () => {
        if (!running.stderr().includes(text)) throw new Error(`not logged: ${text}\n${running.stderr()}`)
      },
      { timeout: 15_000, interval: 5 },
    )
  return { ...running, clock, logged, stop }
}
