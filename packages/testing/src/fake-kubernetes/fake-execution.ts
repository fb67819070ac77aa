// Apart from the session itself, whose types are those of `ws`: who uses the kit need not have them.
import type { ExecExit } from './exec-process.ts'

/** One exec that the server opened. */
export interface FakeExecution {
  readonly pod: string
  readonly namespace: string
  readonly container: string
  readonly argv: readonly string[]
  /** `v5.channel.k8s.io` or `v4.channel.k8s.io`. */
  readonly protocol: string
  /** `half-closed` by the client's order, `disconnected` because the connection ended. `none`: it was not asked for. */
  readonly stdin: 'none' | 'open' | 'half-closed' | 'disconnected'
  /** Bytes of stdin that came. */
  readonly received: number
  /** Bytes of stdout that were handed to the connection. */
  readonly sent: number
  readonly connection: 'open' | 'closed'
  /** The process on this machine; `undefined` when none was started. */
  readonly pid: number | undefined
  /** Whether the process, or one that it started, still runs. Closing the connection does not end it. */
  readonly running: boolean
  readonly exit: ExecExit | undefined
  /** Kills the process and those that it started. Default: `SIGKILL`. */
  kill(signal?: NodeJS.Signals): void
}
