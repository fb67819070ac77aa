import type { Engine, Redactor, RuntimeClock } from '@holdfast/runtime'
import type { Logger } from '@holdfast/sdk'
import type { StatusKeeper } from '../../daemon/status.ts'

/** Where the status page, and the API behind it, have everything from. All of it is at hand: nobody waits for a store. */
export interface StatusSource {
  readonly version: string
  readonly engine: Pick<Engine, 'config' | 'journal' | 'services' | 'store' | 'hasEnded'>
  readonly status: Pick<StatusKeeper, 'current'>
  readonly clock: Pick<RuntimeClock, 'now' | 'monotonic' | 'setTimer'>
  readonly redactor: Pick<Redactor, 'text' | 'value' | 'add'>
  readonly log: Pick<Logger, 'warn' | 'error' | 'info'>
  /** Since when a plan is paused by hand; `undefined`: it is not. */
  pausedSince(plan: string): Date | undefined
}
