// The recoveries of one process, from its start on: what one of them did the next ones know, and people are told of it.
import type { Notifications } from '../notify/notifications.ts'
import type { Services } from '../services.ts'
import { tell } from '../telemetry/tell.ts'
import type { EndedProcesses } from './ended-processes.ts'
import { observeInterrupted } from './interrupted-runs.ts'
import { recoverAll, recoverOrphans, takeOver, type Inheritance } from './recover-all.ts'
import { recoverUndos, type RecoverOptions, type Recovery } from './recovery.ts'
import { runUndos } from './run-undos.ts'
import { sweepAfterCrash } from './sweep-after-crash.ts'

/** Gives back what dead processes have taken. */
export interface Recoveries {
  /** Whether the runs of dead processes have been ended. */
  isDone(): boolean
  /** One attempt each, before anything else runs. */
  recover(): Promise<Recovery>
  /** The same after a process that led before. */
  takeOver(former: Inheritance): Promise<Recovery>
  /** Whoever has died since. */
  recoverOrphans(): Promise<Recovery>
  /** Retries what failed at first, and calls the observers of dead runs. */
  finish(): Promise<Recovery['undos']>
  /** Because a person asks for it. */
  runUndos(which: Pick<RecoverOptions, 'only' | 'force'>): Promise<Recovery['undos']>
}

/** What {@link createRecoveries} needs. */
export interface CreateRecoveriesOptions {
  readonly services: Services
  readonly notifications: Pick<Notifications, 'interrupted' | 'lookForUndos'>
  readonly ended: Pick<EndedProcesses, 'add'>
}

/** Nothing is recovered yet. */
export function createRecoveries({ services, notifications, ended }: CreateRecoveriesOptions): Recoveries {
  const { journal, log, shutdown } = services
  const tried = new Set<string>()
  let isDone = false

  const sweep = (): void => ended.add(sweepAfterCrash(services))

  const recovered = async (work: Promise<Recovery>): Promise<Recovery> => {
    const recovery = await work
    for (const { undo, result } of recovery.undos) if (result === 'failed') tried.add(undo.id)
    isDone = true
    sweep()
    // Whoever called the observers has told it, too, before it was gone.
    const due = new Set(journal.openRuns().flatMap(({ id, observersDue }) => (observersDue ? [id] : [])))
    tell(log, () => notifications.interrupted(recovery.interrupted.filter(({ id }) => due.has(id))))
    return recovery
  }

  return {
    isDone: () => isDone,
    recover: () => recovered(recoverAll(services)),
    takeOver: (former) => recovered(takeOver(services, former)),
    async recoverOrphans() {
      const recovery = await recoverOrphans(services, tried)
      tell(log, () => notifications.interrupted(recovery.interrupted))
      tell(log, () => notifications.lookForUndos())
      return recovery
    },
    async finish() {
      const undos = await recoverUndos(services, { once: false })
      if (!shutdown.requested.aborted) await observeInterrupted(services)
      sweep()
      tell(log, () => notifications.lookForUndos())
      return undos
    },
    async runUndos(which) {
      const undos = await runUndos(services, which)
      tell(log, () => notifications.lookForUndos())
      return undos
    },
  }
}
