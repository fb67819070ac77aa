import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HoldfastFailure, Logger } from '@holdfast/sdk'
import { reasonOf, type RuntimeClock } from '@holdfast/runtime'
import type { Role } from './leadership.ts'
import { errors } from '../errors.ts'

/** Why a daemon is not ready. */
export interface NotReadyReason {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  readonly plan?: string | undefined
  /** Backups are made all the same. */
  readonly drill?: string | undefined
}

/** One plan of a daemon. */
export interface PlanStatus {
  readonly name: string
  readonly cron: string | undefined
  readonly next: Date | undefined
  readonly running: boolean
  readonly lastSuccess: Date | undefined
}

/** One drill of a daemon. */
export interface DrillStatus extends PlanStatus {
  /** Whose backups it restores. */
  readonly plan: string
}

/** How a daemon is: kept in memory, and in `status.json` in its state directory. */
export interface DaemonStatus {
  readonly version: string
  readonly pid: number
  readonly startedAt: Date
  readonly updatedAt: Date
  readonly ready: boolean
  /** Empty when it is ready. */
  readonly reasons: readonly NotReadyReason[]
  readonly configuration: {
    readonly source: string
    readonly loadedAt: Date
    /** A newer one is valid and waits until nothing runs. */
    readonly waiting: boolean
  }
  readonly plans: readonly PlanStatus[]
  readonly drills: readonly DrillStatus[]
  /** Of one of several pods, one of which schedules. */
  readonly role?: Role['role'] | undefined
}

/** What a status is made from. */
export interface StatusSource {
  readonly version: string
  readonly stateDirectory: string
  readonly clock: Pick<RuntimeClock, 'now' | 'setTimer'>
  readonly log: Logger
  /** Whether the file is ours to write. */
  isWritten(): boolean
  /** Asked for whenever the status is written. */
  plans(): readonly PlanStatus[]
  drills(): readonly DrillStatus[]
  /** What this daemon is; `undefined` where every one schedules. */
  role(): Role | undefined
}

/** Keeps a daemon's status. */
export interface StatusKeeper {
  current(): DaemonStatus
  /** Why it isn't ready; nothing when it is. */
  reasons(): readonly NotReadyReason[]
  /** What this daemon is; `undefined` where every one schedules. */
  role(): Role | undefined
  /** Sets what stands in the way of being ready, in one respect; nothing, when there is nothing. */
  set(respect: string, reasons: readonly NotReadyReason[]): void
  configured(source: string, waiting: boolean): void
  /** Something about a plan changed: the file follows within a second. */
  changed(): void
  /** Writes it for the last time. */
  close(): void
}

const soonMs = 1000
/** Between attempts to write what could not be written. */
const againMs = 30_000
/** What a state directory that can't be written stands in the way of. */
const ofState = 'state'
/** Every daemon is not ready for these once: nobody has to look. */
const passing: ReadonlySet<string> = new Set([errors.DAEMON_STARTING.code, errors.DAEMON_STOPPING.code])

/** The file of a state directory's status. */
export function statusFile(stateDirectory: string): string {
  return join(stateDirectory, 'status.json')
}

/** Begins a status; until something is said against it, it is ready. */
export function createStatus(source: StatusSource): StatusKeeper {
  const { version, stateDirectory, clock, log, plans, drills, role, isWritten } = source
  const startedAt = clock.now()
  const respects = new Map<string, readonly NotReadyReason[]>()
  let configuration: DaemonStatus['configuration'] = { source: '', loadedAt: startedAt, waiting: false }
  let cancel: (() => void) | undefined
  let cancelRetry: (() => void) | undefined
  let closed = false

  const allReasons = (): readonly NotReadyReason[] => [...respects.values()].flat()

  const current = (): DaemonStatus => {
    const reasons = allReasons()
    const ready = reasons.length === 0
    const updatedAt = clock.now()
    const known = { version, pid: process.pid, startedAt, updatedAt, ready, reasons, configuration }
    return { ...known, plans: plans(), drills: drills(), role: role()?.role }
  }

  const write = (): void => {
    cancel?.()
    cancelRetry?.()
    cancel = cancelRetry = undefined
    if (!isWritten()) return
    const file = statusFile(stateDirectory)
    // Where it was written, it says so.
    const wasUnwritable = respects.delete(ofState)
    try {
      writeFileSync(`${file}.new`, `${JSON.stringify(current(), undefined, 2)}\n`, { mode: 0o600 })
      renameSync(`${file}.new`, file)
      if (wasUnwritable) announce(false)
    } catch (error) {
      const wasReady = allReasons().length === 0
      respects.set(ofState, [
        reasonFrom(errors.DAEMON_STATE_UNWRITABLE({ directory: stateDirectory, reason: reasonOf(error) })),
      ])
      if (!wasUnwritable) announce(wasReady)
      if (!closed) cancelRetry = clock.setTimer(againMs, write)
    }
  }

  /** A thousand plans that begin at once are one write. */
  const soon = (): void => {
    if (!closed) cancel ??= clock.setTimer(soonMs, write)
  }

  const announce = (before: boolean): void => {
    const reasons = allReasons()
    if (reasons.length === 0 && !before) log.info('ready')
    for (const { code, message, hint, plan, drill } of reasons) {
      log[passing.has(code) ? 'info' : 'warn'](`not ready: ${message}`, { code, hint, plan, drill })
    }
  }

  return {
    current,
    reasons: allReasons,
    role,
    set(respect, reasons) {
      const before = JSON.stringify(respects.get(respect) ?? [])
      if (before === JSON.stringify(reasons)) return
      const wasReady = allReasons().length === 0
      respects.set(respect, reasons)
      announce(wasReady)
      soon()
    },
    configured(from, waiting) {
      configuration = { source: from, loadedAt: waiting ? configuration.loadedAt : clock.now(), waiting }
      soon()
    },
    changed: soon,
    close() {
      closed = true
      write()
    },
  }
}

/** An error as a reason. */
export function reasonFrom(
  { code, message, hint }: Pick<HoldfastFailure, 'code' | 'message' | 'hint'>,
  plan?: string,
  drill?: string,
): NotReadyReason {
  const of = { ...(plan !== undefined && { plan }), ...(drill !== undefined && { drill }) }
  return { code, message, ...(hint !== undefined && { hint }), ...of }
}
